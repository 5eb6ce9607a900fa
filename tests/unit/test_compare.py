"""Comparisons as a mapping, what their verdicts say, and how they look."""

import pathlib
import re

import numpy as np
import polars as pl
import pyarrow as pa
import pytest

import driftline as dl
from driftline._format import shown

RNG = np.random.default_rng(4)
BEFORE = {"moved": RNG.normal(size=200_000), "same": RNG.normal(size=200_000), "city": ["a", "b", "c", "d"] * 50_000}
NOW = {"moved": RNG.normal(0.5, size=200_000), "same": RNG.normal(size=200_000), "city": ["a", "b", "b", "d"] * 50_000}


def test_verdicts() -> None:
    c = dl.compare(BEFORE, NOW)
    assert c.drifted == ["city", "moved"]
    assert c.stable == ["same"]
    assert c.undecided == []
    assert (c.reference_rows, c.current_rows) == (200_000, 200_000)
    assert (c.tolerance, c.alpha, c.resolution, c.correction) == (0.02, 0.05, 0.05, "bh")
    city = c["city"]
    assert (city.test, city.verdict) == ("largest category, set of categories", "drift")
    assert city.effect == pytest.approx(0.25)
    assert city.effect < city.effect_bound < 0.26
    assert {m.label for m in city.moved} == {"'b'", "'c'"}
    moved = c["moved"]
    # Half a standard deviation moves 2 Phi(1/4) - 1 = 19.7 % of the rows past a quarter of one.
    assert moved.effect == pytest.approx(0.197, abs=0.005)
    assert moved.p_adjusted < 1e-6
    assert re.fullmatch(r"above 0\.[12]\d*", moved.largest.label)
    assert moved.largest.current - moved.largest.reference == pytest.approx(moved.effect)


def test_raw_data_are_counted_exactly_and_the_cells_hold_every_row() -> None:
    values = RNG.normal(size=50_000)
    values[:500] = np.nan
    values[500:700] = np.inf
    table = pa.table({"x": pa.array(values, from_pandas=False)})
    x = dl.compare(table, {"x": np.sort(values)})["x"]
    assert (x.sketch_error, x.effect) == (0.0, 0.0)
    assert sum(cell.reference for cell in x.cells) == sum(cell.current for cell in x.cells) == 50_000
    special = {cell.label: cell.current for cell in x.cells if cell.low is None}
    assert special == {"infinity": 200, "not a number": 500}
    bins = [cell for cell in x.cells if cell.low is not None]
    assert [cell.current for cell in bins] == [
        int(((values > c.low) & (values <= c.high) & np.isfinite(values)).sum()) for c in bins
    ]


def test_a_stream_is_read_once_and_its_error_is_told() -> None:
    table = pa.table({"x": RNG.normal(size=50_000)})
    stream = pa.RecordBatchReader.from_batches(table.schema, table.to_batches(max_chunksize=10_000))
    x = dl.compare(stream, table)["x"]
    # Only the reference's counts are estimates: 2.446 / 1600^0.9433.
    assert x.sketch_error == pytest.approx(0.00232, rel=0.01)
    assert dl.compare(dl.profile(table), dl.profile(table))["x"].sketch_error == pytest.approx(2 * x.sketch_error)


@pytest.mark.parametrize("at", [-9.0, 0.0, 0.01, 9.0])
def test_a_default_value_counts_in_full_wherever_it_lies(at: float) -> None:
    before, now = RNG.normal(size=(2, 100_000))
    now[:5000] = at
    x = dl.compare({"x": before}, {"x": now})["x"]
    # The bin it falls into, or everything below it, gains 5 % less what it would have held of the 5 %.
    assert x.effect == pytest.approx(0.05, abs=0.004)
    assert x.verdict == "drift"
    assert x.moved[0].current > x.moved[0].reference


def test_missing_values_and_new_ones_belong_to_the_column() -> None:
    n = 20_000
    before = {"x": RNG.normal(size=n), "c": ["a", "b"] * (n // 2), "s": ["a", "b"] * (n // 2)}
    now = {
        "x": np.where(np.arange(n) < n // 10, np.nan, RNG.normal(size=n)),
        "c": ["a", "b"] * (n // 2 - 1000) + ["z"] * 2000,
        "s": ["a", "b"] * (n // 2 - 1000) + [None] * 2000,
    }
    c = dl.compare(before, now)
    assert c.drifted == ["x", "c", "s"]
    assert [c[name].effect for name in c] == [pytest.approx(0.1)] * 3
    assert c["x"].largest == ("not a number", 0.0, 0.1)
    assert c["c"].moved[0] == ("'z' (new)", 0.0, 0.1)
    assert c["s"].moved[0] == ("missing", 0.0, 0.1)


def test_whole_numbers_are_told_by_their_values() -> None:
    n = 20_000
    before = {"grade": RNG.integers(1, 6, n), "flag": (np.arange(n) % 100 < 3).astype(int)}
    now = {
        "grade": np.where(RNG.random(n) < 0.2, 5, RNG.integers(1, 6, n)),
        "flag": (np.arange(n) % 100 < 9).astype(int),
    }
    c = dl.compare(before, now)
    assert [cell.label for cell in c["grade"].cells] == ["1", "2", "3", "4", "5"]
    assert c["grade"].moved[0].label == "5"
    assert [cell.label for cell in c["flag"].cells] == ["0", "1"]
    assert c["flag"].explanation == "6.0 % of rows moved (at most 6.8 %). 1 went from 3.0 % to 9.0 %."


def test_whole_numbers_that_doubles_do_not_tell_apart_are_never_called_stable() -> None:
    n = 20_000
    hidden = ({"x": np.full(n, 2**60)}, {"x": np.full(n, 2**60 + 1)})
    rounded = {"x": "whole numbers beyond 2^53 are rounded: cast to text to compare them"}
    assert dl.compare(*hidden).not_judged == dl.compare(*map(dl.profile, hidden)).not_judged == rounded
    as_text = [{"x": side["x"].astype(str)} for side in hidden]
    assert dl.compare(*as_text).drifted == ["x"]
    # A change that shows all the same is one: a default value far beyond the others.
    small = RNG.integers(0, 100, n)
    filled = np.where(np.arange(n) < n // 10, 2**63 - 1, small)
    assert dl.compare({"x": small}, {"x": filled}).drifted == ["x"]
    # Up to 2^53 and of floats nothing is rounded, and a column that is empty now is judged by its missing rows.
    assert dl.compare({"x": np.full(n, 2**53)}, {"x": np.full(n, 2**53)}).stable == ["x"]
    assert dl.compare({"x": np.full(n, 1e300)}, {"x": np.full(n, 1e300)}).stable == ["x"]
    assert dl.compare(hidden[0], {"x": pa.array([None] * n, pa.int64())}).drifted == ["x"]


def test_only_what_a_comparison_reads_is_counted_over_bins() -> None:
    current = dl.compare(BEFORE, NOW).current
    assert (current["city"].bins, len(current["same"].bins) > 30) == (None, True)


def test_int_against_float_is_no_retype() -> None:
    c = dl.compare({"x": np.arange(50_000) % 30}, {"x": (np.arange(50_000) % 30).astype(float)})
    assert (c.stable, c.retyped) == (["x"], {})


def test_bool_against_text_is_a_retype() -> None:
    flags = np.arange(5000) % 3 == 0
    text = flags.astype(str)
    lower = np.char.lower(text)
    for before, now, types in ((flags, lower, "bool in the reference, string now"), (text, flags, "string in the")):
        c = dl.compare({"x": before}, {"x": now})
        assert c["x"].reason.startswith(types)
        assert (c["x"].verdict, c.changed) == ("retyped", True)
    assert dl.compare({"x": flags}, {"x": flags.tolist()}).stable == ["x"]
    # A side that holds both has its values compared with either.
    both = dl.merge([dl.profile({"x": flags}), dl.profile({"x": lower})])
    assert dl.compare({"x": flags}, both).stable == dl.compare(both, {"x": lower}).stable == ["x"]


def test_amounts_that_look_like_ids_are_judged_as_floats() -> None:
    before, now = ({"x": RNG.permutation(10**7)[:5000] + shift} for shift in (0, 5 * 10**6))
    c = dl.compare(before, now)
    assert c.not_judged == {"x": "nearly all values are distinct: cast to float to judge"}
    assert dl.compare({"x": before["x"] * 1.0}, {"x": now["x"] * 1.0}).drifted == ["x"]


def test_ids_and_times_are_judged_by_missing_rows_and_length_only() -> None:
    n = 5000
    ids = [f"user-{i:05}" for i in range(n)]
    when = np.datetime64("2026-01-01T00:00:00", "us") + np.arange(n)
    later = when + np.timedelta64(90, "D")
    c = dl.compare({"id": ids, "t": when, "x": [1.0] * n}, {"id": ids[::-1], "t": later, "x": [1.0] * n})
    assert c.not_judged == {"id": "nearly all values are distinct", "t": "a time"}
    assert (c["id"].moved, c["t"].moved, c.changed) == ((), (), False)
    short = [text[-4:] if i % 4 == 0 else text for i, text in enumerate(ids)]
    late = [None if i % 5 == 0 else t for i, t in enumerate(later.tolist())]
    c = dl.compare({"id": ids, "t": when, "x": [1.0] * n}, {"id": short, "t": late, "x": [1.0] * n})
    assert c["id"].moved == (("length up to 9", 0.0, 0.25),)
    assert c["t"].moved == (("missing", 0.0, 0.2),)
    assert c["t"].explanation == "Missing went from 0 % to 20.0 %."
    # They are no drift of a value, and do not count in the correction over columns.
    assert (c.drifted, c.changed) == ([], True)
    assert c["x"].p_value == c["x"].p_adjusted == 1.0


def test_few_rows_leave_it_undecided_and_say_how_many_would_do() -> None:
    reference = {"x": RNG.normal(size=100_000)}
    x = dl.compare(reference, {"x": RNG.normal(size=212)})["x"]
    assert x.verdict == "undecided"
    assert x.moved == ()
    assert x.largest is None
    assert 212 < x.rows_to_decide < 20_000
    assert re.fullmatch(r"212 rows cannot tell 2 % from nothing; about [\d,]+ would", x.size)
    few = dl.compare({"x": RNG.normal(size=100)}, {"x": RNG.normal(size=100)})["x"]
    assert few.rows_to_decide is None
    assert "100 rows of the reference may show a change, but never exclude 2 %" in few.size
    coarse = [dl.profile({"x": RNG.normal(size=20_000)}, k=50) for _ in range(2)]
    assert re.match(r"sketches with an error of \d+\.\d % cannot tell 2 %", dl.compare(*coarse)["x"].size)
    close = RNG.permutation(10**6)
    edge = dl.compare({"x": close * 1.0}, {"x": np.where(close < 20_400, 10**6, close) * 1.0})["x"]
    assert edge.size == "2.0 % of rows moved (at most 2.2 %): too close to 2 % to tell"


def test_at_tolerance_zero_stable_means_the_resolution() -> None:
    before, now = ({"x": RNG.normal(size=20_000)} for _ in range(2))
    assert dl.compare(before, now, tolerance=0).stable == ["x"]
    assert dl.compare(before, now, tolerance=0, resolution=0.01).undecided == ["x"]
    assert "never exclude 1 %; a larger" in dl.compare(before, now, tolerance=0, resolution=0.01)["x"].size


def test_corrections() -> None:
    before = {f"c{i}": RNG.normal(size=2000) for i in range(20)}
    now = {f"c{i}": RNG.normal(0.12 if i < 3 else 0, size=2000) for i in range(20)}
    adjusted = {
        correction: np.array(
            [c.p_adjusted for c in dl.compare(before, now, tolerance=0, correction=correction).values()]
        )
        for correction in ("none", "bh", "holm")
    }
    raw = np.array([c.p_value for c in dl.compare(before, now, tolerance=0).values()])
    order = np.argsort(raw)
    holm = np.minimum(np.maximum.accumulate(raw[order] * np.arange(20, 0, -1)), 1)
    bh = np.minimum.accumulate((raw[order] * 20 / np.arange(1, 21))[::-1])[::-1]
    np.testing.assert_allclose(adjusted["none"], raw)
    np.testing.assert_allclose(adjusted["holm"][order], holm)
    np.testing.assert_allclose(adjusted["bh"][order], np.minimum(bh, 1))
    with pytest.raises(ValueError, match='correction is "fdr": it takes bh, holm, none'):
        dl.compare(before, now, correction="fdr")


def test_categories_beyond_the_limit_of_frequent_items_are_compared_on_the_heaviest() -> None:
    def side(share: float) -> dict[str, list[str]]:
        common = RNG.random(60_000) < share
        rare = RNG.integers(0, 20_000, 60_000)
        return {"c": ["common" if is_common else f"rare {i}" for is_common, i in zip(common, rare, strict=True)]}

    assert dl.compare(side(0.3), side(0.3))["c"].verdict != "drift"
    c = dl.compare(side(0.3), side(0.4))["c"]
    assert c.verdict == "drift"
    assert c.sketch_error > 0
    assert c.moved[0].label == "'common'"
    # One that the reference has never seen, or not often enough to hold it.
    new = side(0.3)
    new["c"][:3000] = ["N/A"] * 3000
    assert dl.compare(side(0.3), new)["c"].moved[0].label == "'N/A'"


def test_any_mix_of_sides(tmp_path: pathlib.Path) -> None:
    frame, saved = tmp_path / "frame.parquet", tmp_path / "saved.parquet"
    pl.DataFrame(BEFORE).write_parquet(frame)
    dl.profile(NOW).save(saved)
    for before in (BEFORE, frame, str(frame), dl.profile(BEFORE), pa.table(BEFORE)):
        for now in (NOW, saved, pl.DataFrame(NOW)):
            assert dl.compare(before, now).drifted == ["city", "moved"]


def test_two_saved_sides_are_read_side_by_side(tmp_path: pathlib.Path) -> None:
    before, now = tmp_path / "before.parquet", tmp_path / "now.parquet"
    sides = dl.profile(BEFORE), dl.profile(NOW)
    for side, path in zip(sides, (before, now), strict=True):
        side.save(path)
    loaded = dl.compare(before, now)
    assert loaded.to_dicts() == dl.compare(*sides).to_dicts()
    assert loaded.to_dicts() != dl.compare(*reversed(sides)).to_dicts()
    for broken, named in (((now,), now), ((before, now), before)):
        for path in broken:
            data = bytearray(path.read_bytes())
            data[4:5000] = bytes(4996)
            path.write_bytes(data)
        with pytest.raises(dl.errors.InputError, match=named.name):
            dl.compare(before, now)


def test_columns_that_come_and_go() -> None:
    c = dl.compare({"a": [1, 2], "gone": [1, 2]}, {"a": [1, 2], "new": [1, 2]})
    assert (c.only_in_reference, c.only_in_current, c.changed) == (["gone"], ["new"], True)
    assert "2 reference rows, 2 current, 1 column in common, " in repr(c)
    assert re.search(r"GONE +gone", repr(c))
    assert re.search(r"NEW +new", repr(c))
    chosen = dl.compare({"a": [1, 2], "gone": [1, 2]}, {"a": [1, 2], "new": [1, 2]}, columns=["a", "new"])
    assert (chosen.only_in_reference, chosen.only_in_current, list(chosen)) == ([], ["new"], ["a"])


def test_fields_of_a_struct_are_chosen_together() -> None:
    table = pa.table({"s": [{"a": 1, "b": "x"}] * 50, "t": [1] * 50})
    assert list(dl.compare(table, table, columns=["s"])) == ["s.a", "s.b"]


def test_looks() -> None:
    c = dl.compare(BEFORE, NOW)
    lines = repr(c).splitlines()
    assert re.fullmatch(r"200,000 reference rows, 200,000 current, 3 columns, \d+\.\d\d s", lines[0])
    assert re.match(r"CHANGED +city +25.0 % of rows moved \(at most 2[5-9].\d %\) +'[bc]': 25.0 % -> ", lines[1])
    assert re.fullmatch(r"stable +same +no cut point or bin gained or lost more than \d.\d % of the rows", lines[3])
    assert repr(dl.compare({"x": [1]}, {"x": [1, 2]})).startswith("1 reference row, 2 current, 1 column, ")
    assert "CHANGED" in c._repr_html_()


def test_tables() -> None:
    c = dl.compare(BEFORE, NOW)
    frame = c.to_polars()
    assert frame.filter(pl.col("verdict") == "drift")["column"].to_list() == ["moved", "city"]
    assert c.to_arrow().to_pylist() == frame.to_dicts()
    first = c.to_dicts()[0]
    assert first["name"] == "moved"
    assert first["moved"][0]["current"] != first["moved"][0]["reference"]


def test_quantiles_of_both_sides() -> None:
    moved = dl.compare(BEFORE, NOW)["moved"].quantiles
    assert [q for q, _, _ in moved] == [0.01, 0.05, 0.25, 0.5, 0.75, 0.95, 0.99]
    assert all(now - before == pytest.approx(0.5, abs=0.15) for _, before, now in moved)
    assert dl.compare(BEFORE, NOW)["city"].quantiles is None


def test_wrong_options() -> None:
    with pytest.raises(ValueError, match="tolerance is 2: it is a share of the rows"):
        dl.compare(BEFORE, NOW, tolerance=2)
    with pytest.raises(ValueError, match="resolution is 0: it is a share of the rows"):
        dl.compare(BEFORE, NOW, resolution=0)
    with pytest.raises(ValueError, match='no column "x"; columns are "moved", "same", "city"'):
        dl.compare(BEFORE, NOW, columns=["x"])
    with pytest.raises(dl.errors.InputError, match='no column in common: the reference has "a", the current data "b"'):
        dl.compare({"a": [1]}, {"b": [1]})
    with pytest.raises(dl.errors.InputError, match="has no rows"):
        dl.compare({"a": []}, {"a": [1]})


def test_what_was_not_collected_is_not_judged_and_says_what_to_do() -> None:
    data = {"x": RNG.normal(size=500), "c": ["a", "b"] * 250}
    c = dl.compare(dl.profile(data, collect=["counts"]), data)
    assert c["x"].reason == "no quantiles were kept on one side: collect them, and do not redact"
    assert c["c"].reason == "no frequent values were kept on one side: collect top, and do not redact"


def test_bins_of_another_reference_hide_nothing() -> None:
    first = dl.profile({"x": RNG.uniform(0, 1, 20_000)})
    reference = dl.profile({"x": RNG.uniform(100, 101, 20_000)}, reference=first)
    moved = {"x": RNG.uniform(200, 300, 20_000)}
    for current in (moved, dl.profile(moved), dl.profile(moved, reference=first)):
        x = dl.compare(reference, current)["x"]
        assert (x.verdict, round(x.effect, 2)) == ("drift", 1.0)
    same = dl.profile({"x": RNG.uniform(100, 101, 20_000)}, reference=first)
    assert dl.compare(reference, same, tolerance=0.05).stable == ["x"]


def test_infinities_that_vanish_are_told() -> None:
    values = RNG.normal(size=20_000)
    for infinity, label in ((-np.inf, "-infinity"), (np.inf, "infinity")):
        before = np.where(np.arange(20_000) < 2000, infinity, values)
        x = dl.compare({"x": before}, {"x": values})["x"]
        assert (x.largest.label, x.largest.reference, x.largest.current) == (label, 0.1, 0.0)


def test_a_redacted_column_is_told_by_what_is_missing() -> None:
    def side(missing: int) -> pa.Table:
        values = [None if i < missing else float("nan") if i % 100 == 0 else float(i) for i in range(10_000)]
        return pa.table({"x": pa.array(values, pa.float64(), from_pandas=False)})

    x = dl.compare(dl.profile(side(0), redact=["x"]), dl.profile(side(5000), redact=["x"]))["x"]
    assert x.verdict == "not judged"
    assert x.moved == (("missing", 0.0, 0.5),)


def test_a_change_spread_over_many_categories_names_none() -> None:
    n = 400_000
    even, odd = (np.arange(300) % 2 == side for side in (0, 1))
    shares = np.full(300, 1 / 300) * (1 + 0.1 * odd.astype(float) - 0.1 * even.astype(float))
    rng = np.random.default_rng(9)
    before, now = (rng.multinomial(n, p) for p in (np.full(300, 1 / 300), shares))
    names = np.array([f"v{i:03}" for i in range(300)])
    c = dl.compare({"c": np.repeat(names, before)}, {"c": np.repeat(names, now)}, tolerance=0)["c"]
    assert c.verdict == "drift"
    # 5 % of the rows; the total variation as observed has .4 % of chance on top.
    assert 0.045 < c.effect < 0.055
    assert c.effect < c.effect_bound < 0.06
    assert len(c.moved) > 20
    # With a tenth of the rows the change is as large, and of no single value proved.
    few = [rng.multinomial(n // 10, p) for p in (np.full(300, 1 / 300), shares)]
    c = dl.compare(*({"c": np.repeat(names, counts)} for counts in few), tolerance=0)["c"]
    assert (c.verdict, c.moved) == ("drift", ())
    assert 0.03 < c.effect < 0.07
    assert c.explanation.endswith("Many cells changed a little, no single one provably.")


def test_many_values_and_few_rows_are_not_called_a_change() -> None:
    def side() -> dict[str, list[str]]:
        return {"c": [f"v{i}" for i in RNG.integers(0, 300, 1000)]}

    effects = [dl.compare(side(), side(), tolerance=0)["c"].effect for _ in range(20)]
    # Plain total variation is about 22 % here.
    assert np.mean(effects) < 0.02


def test_categories_at_hand_are_counted_however_rare() -> None:
    reference = {"c": [f"v{i % 300}" for i in range(5000)]}
    now = {"c": [f"v{i * 7 % 300}" for i in range(35)] + ["v7"] * 15}
    c = dl.compare(reference, now, tolerance=0)["c"]
    assert (c.verdict, c.sketch_error, c.moved[0].label) == ("drift", 0.0, "'v7'")
    assert dl.compare({"c": ["a", "b"]}, {"c": ["a"] * 1000})["c"].verdict == "undecided"


def test_types_that_are_not_profiled_are_told_as_what_they_are() -> None:
    odd = pa.table({"x": pa.array([[("a", 1)]] * 50, pa.map_(pa.string(), pa.int64())), "y": [1] * 50})
    plain = pa.table({"x": [1] * 50, "y": [1] * 50})
    c = dl.compare(plain, odd)
    assert c.retyped == {"x": "int64 in the reference, map now: convert one side to compare the values"}
    assert (c.only_in_reference, c.only_in_current) == ([], [])
    assert dl.compare(odd, odd).not_judged == {"x": "its type is not profiled"}
    assert list(dl.compare(odd, odd, columns=["x"])) == ["x"]
    assert dl.compare(odd, plain.select(["y"])).only_in_reference == ["x"]


def test_labels_keep_the_digits_that_tell_edges_apart() -> None:
    seconds = RNG.integers(1_700_000_000, 1_700_050_000, 20_000)
    c = dl.compare({"t": seconds, "f": 100_000 + RNG.normal(0, 0.1, 20_000)}, {
        "t": np.concatenate([seconds[:10_000], seconds[10_000:] + 50_000]),
        "f": 100_000.05 + RNG.normal(0, 0.1, 20_000),
    }, tolerance=0)  # fmt: skip
    assert re.fullmatch(r"above 17000\d{5}", c["t"].largest.label)
    assert re.fullmatch(r"above (99999\.9|100000\.0)\d*", c["f"].largest.label)
    assert len({cell.label for cell in c["f"].cells}) == len(c["f"].cells)


def test_labels_have_no_more_digits_than_numbers_have() -> None:
    prices = np.round(RNG.uniform(0.4, 0.5, 300), 6)
    before, now = (
        {"x": RNG.choice(prices, 20_000, p=np.r_[[0.3 - more, more], [0.7 / 298] * 298])} for more in (0, 0.2)
    )
    labels = [cell.label for cell in dl.compare(before, now)["x"].cells]
    assert max(len(digits) for label in labels for digits in re.findall(r"\d\.(\d+)", label)) <= 6
    # Two values with bins of their own, a millionth of the others' spread apart.
    close = {"x": np.concatenate([RNG.normal(0, 1, 1000), np.repeat([0.3, 0.30000001], 500)])}
    labels = [cell.label for cell in dl.compare(close, close)["x"].cells]
    assert {"0.3", "0.30000001"} <= set(labels)
    assert len(set(labels)) == len(labels)


def test_long_values_that_begin_alike_are_told_apart() -> None:
    base = "https://shop.example.org/catalogue/2026/autumn/products/outdoor/"
    before = {"url": [f"{base}{i:04}" for i in range(4)] * 500}
    now = {"url": [f"{base}{i:04}" for i in range(4, 8)] * 500}
    url = dl.compare(before, now)["url"]
    told = {shown(moved.label, 30) for moved in url.moved}
    assert len(told) == len(url.moved) == 8
    assert all(len(label) == 30 for label in told)
    assert re.search(r"'https://shop.+/\d{4}'", url.explanation)


def test_threads_change_nothing() -> None:
    lost = np.where(RNG.random((2, 40, 500)) < 0.1, None, "x")
    before = {f"c{i}": RNG.poisson(3, 500) for i in range(40)}
    before |= {f"id{i}": [f"{i}-{j}" if lost[0, i, j] else None for j in range(500)] for i in range(40)}
    now = {f"c{i}": RNG.poisson(3.2, 80) for i in range(40)}
    now |= {f"id{i}": [f"{j}-{i}" if lost[1, i, j] and j % 3 else None for j in range(80)] for i in range(40)}
    one, four = (dl.compare(before, now, tolerance=0, threads=threads).to_dicts() for threads in (1, 4))
    assert one == four


@pytest.mark.parametrize("form", ["frames", "profiles"])
def test_so_many_rows_decide_four_times_in_five(form: str) -> None:
    reference = {f"c{i}": RNG.normal(size=200_000) for i in range(200)}
    few = {name: RNG.normal(size=1000) for name in reference}
    sides = [reference, few] if form == "frames" else [dl.profile(reference), dl.profile(few)]
    rows = int(np.median([c.rows_to_decide for c in dl.compare(*sides).values()]))
    enough = {name: RNG.normal(size=rows) for name in reference}
    stable = len(dl.compare(sides[0], enough if form == "frames" else dl.profile(enough)).stable) / 200
    # .80, with three standard errors of 200 columns; the sketches' error is a bound, so profiles need fewer.
    assert stable > 0.8 - 3 * np.sqrt(0.8 * 0.2 / 200)
    assert stable < 0.8 + 3 * np.sqrt(0.8 * 0.2 / 200) or form == "profiles"
