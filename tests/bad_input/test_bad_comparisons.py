"""What cannot be compared is told in one sentence that says what to do, and the rest is compared all the same."""

import errno
import itertools
import pathlib
import subprocess
import sys

import numpy as np
import polars as pl
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

import driftline as dl

NUMBERS = {"x": list(range(100)), "y": [1.0, 2.0] * 50}
TEXT = {"x": [str(i) for i in range(100)], "y": [1.0, 2.0] * 50}


def test_numbers_on_one_side_and_text_on_the_other() -> None:
    c = dl.compare(NUMBERS, TEXT)
    assert c["x"].reason == "int64 in the reference, string now: convert one side to compare the values"
    assert c["x"].verdict == "retyped"
    assert (c["x"].effect, c["x"].cells, c["x"].quantiles) == (None, [], None)
    # The other column is judged, alone in the correction.
    assert c["y"].p_value == c["y"].p_adjusted


def test_times_in_another_unit_are_the_same_times() -> None:
    seconds = np.datetime64("2026-01-01", "s") + np.arange(100)
    days = np.datetime64("2026-01-01", "D") + np.arange(100)
    units = [seconds, seconds.astype("<M8[us]"), seconds.astype("<M8[ns]"), days]
    for reference, current in itertools.permutations(units, 2):
        c = dl.compare({"t": reference, "y": [1] * 100}, {"t": current, "y": [1] * 100})
        assert (c["t"].verdict, c["t"].reason, c.changed) == ("not judged", "a time", False)


def test_durations_are_no_times() -> None:
    seconds = np.arange(100)
    c = dl.compare({"t": seconds.astype("<M8[s]")}, {"t": seconds.astype("<m8[s]")})
    assert c.retyped == {"t": "timestamp[s] in the reference, duration[s] now: convert one side to compare the values"}


@pytest.mark.parametrize(
    ("reference", "current", "message"),
    [
        ({"a": [1]}, {"b": [1]}, 'no column in common: the reference has "a", the current data "b"'),
        ({"x": []}, NUMBERS, "the reference has no rows: there is nothing to compare"),
        (NUMBERS, {"x": []}, "the current data has no rows: there is nothing to compare"),
        (dl.profile(NUMBERS), pa.table({"x": pa.array([], pa.int64())}), "the current data has no rows"),
    ],
)
def test_nothing_to_compare(reference: object, current: object, message: str) -> None:
    with pytest.raises(dl.errors.InputError, match=message) as caught:
        dl.compare(reference, current)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    ("option", "value", "message"),
    [
        ("tolerance", 2.0, "tolerance is 2: it is a share of the rows, 0 to below 1 (2 % is 0.02)"),
        ("tolerance", -0.1, "tolerance is -0.1: it is a share of the rows"),
        ("tolerance", float("nan"), "tolerance is NaN: it is a share of the rows"),
        ("alpha", 0.0, "alpha is 0: it must lie between 0 and 1"),
        ("resolution", 1.0, "resolution is 1: it is a share of the rows, between 0 and 1 (5 % is 0.05)"),
        ("correction", "fdr", 'correction is "fdr": it takes bh, holm, none'),
        ("columns", "x", 'columns is "x": it takes a list, such as ["x"]'),
        ("columns", 3, "columns is 3: it takes a list of names"),
        ("tolerance", "2 percent", 'tolerance is "2 percent": it is a share of the rows, such as 2% or 0.02'),
        ("alpha", "-5%", 'alpha is "-5%": it is a share of the findings, such as 5% or 0.05'),
        ("alpha", "200%", "alpha is 2: it must lie between 0 and 1"),
        ("tolerance", np.arange(3), "tolerance is array([0, 1, 2]): it is a share of the rows, such as 2% or 0.02"),
        ("alpha", True, "alpha is True: it is a share of the findings, such as 5% or 0.05"),
        ("resolution", None, "resolution is None: it is a share of the rows, such as 5% or 0.05"),
        ("correction", None, 'correction is None: it takes "bh", "holm" or "none"'),
        ("threads", 1.5, "threads is 1.5: it takes a whole number, or None for all cores"),
        ("threads", -1, "threads is -1: it must be 0 (all cores) to 1024"),
    ],
)
def test_options_out_of_range(option: str, value: object, message: str) -> None:
    for side in (NUMBERS, dl.profile(NUMBERS)):
        with pytest.raises((ValueError, TypeError)) as caught:
            dl.compare(side, side, **{option: value})
        assert message in str(caught.value)


def test_shares_are_written_as_in_the_configuration() -> None:
    c = dl.compare(NUMBERS, NUMBERS, tolerance="2%", alpha="1 %", resolution="0.5")
    assert (c.tolerance, c.alpha, c.resolution) == (0.02, 0.01, 0.5)


@pytest.mark.parametrize("form", ["frames", "profiles", "streams"])
def test_columns_of_which_there_is_nothing_to_compare(form: str) -> None:
    def made(names: str) -> object:
        table = pa.table({name: [1, 2] for name in names})
        if form == "streams":
            return pa.RecordBatchReader.from_batches(table.schema, table.to_batches())
        return dl.profile(table) if form == "profiles" else table

    for columns, told in (
        (["g"], 'no column to compare: "g" is only in the reference: name one that both sides have, or leave'),
        (["n", "g"], '"n" is only in the current data, "g" is only in the reference: name one that both sides have'),
        (list("bcdefg"), '"f" is only in the reference and 1 more: name one'),
        (["zip"], 'no column "zip"'),
        (["a", "zip"], 'no column "zip"'),
    ):
        with pytest.raises((ValueError, dl.errors.InputError)) as caught:
            dl.compare(made("abcdefg"), made("an"), columns=columns)
        assert told in str(caught.value)
        assert not str(caught.value).endswith((" ", "are"))
        if columns[-1] == "zip" and form != "streams":
            # What could be meant is told, not only what was asked for.
            assert '"b", "c"' in str(caught.value)
    # One that both sides have is enough: the others are findings.
    c = dl.compare(made("abcdefg"), made("an"), columns=["a", "g", "n"])
    assert (list(c), c.only_in_reference, c.only_in_current) == (["a"], ["g"], ["n"])


@pytest.mark.parametrize("values", [[{"x": None, "y": 1}], [[]], [[None]], [[{"x": [None]}]]])
def test_parts_without_a_type_are_named(values: list[object]) -> None:
    frame = pl.DataFrame({"a": values, "b": [1]})
    for given in (frame, frame.lazy()):
        with pytest.raises(dl.errors.InputError, match='column "a" holds values of type Null, .* cast them'):
            dl.compare(given, {"b": [1]})
    assert list(dl.compare(frame.select("b"), {"b": [1]})) == ["b"]


def test_a_tiny_tolerance_is_told_as_it_is() -> None:
    told = dl.compare(NUMBERS, NUMBERS, tolerance=1e-300)["y"].size
    limit = "may show a change, but never exclude 1e-298 %; a larger reference would"
    assert told == f"100 rows of the reference {limit}"
    same = {"x": [1.0] * 1000, "y": [1.0] * 1000}
    assert "each within 12.3449 % of the rows" in repr(dl.compare(same, same, tolerance=0.123449))
    # Shares that other libraries compute with are numbers too.
    assert dl.compare(same, same, tolerance=np.float32(0.5), threads=np.int64(1)).tolerance == 0.5


def test_profiles_made_with_other_options() -> None:
    rng = np.random.default_rng(1)
    values = {"x": rng.normal(size=5000), "c": ["a", "b"] * 2500}
    c = dl.compare(dl.profile(values, k=200), dl.profile(values, k=1600))
    # The coarser sketch is told: 2.446 / 200^.9433 + 2.446 / 1600^.9433.
    assert c["x"].sketch_error == pytest.approx(0.0165 + 0.00232, rel=0.01)
    for missing in (dl.profile(values, collect=["counts"]), dl.profile(values, redact=["x", "c"])):
        c = dl.compare(missing, values)
        assert c["x"].reason == "no quantiles were kept on one side: collect them, and do not redact"
        assert c["c"].reason == "no frequent values were kept on one side: collect top, and do not redact"


def test_a_profile_of_a_newer_version_is_refused_and_one_with_less_in_it_is_compared(tmp_path: pathlib.Path) -> None:
    saved = dl.profile({"x": np.arange(5000.0)})
    table = saved.to_arrow()
    newer = table.replace_schema_metadata({**table.schema.metadata, b"driftline.schema_version": b"2.0"})
    pq.write_table(newer, tmp_path / "newer.parquet")
    with pytest.raises(dl.errors.InputError, match=r"newer.parquet: is a profile of version 2.0.*update driftline"):
        dl.compare(tmp_path / "newer.parquet", NUMBERS)
    # An older minor version lacks columns that were added since.
    older = table.drop_columns(["bin_edges", "bin_counts", "absent_count"])
    pq.write_table(older, tmp_path / "older.parquet")
    assert dl.compare(tmp_path / "older.parquet", saved)["x"].effect == 0.0


def test_a_side_that_changes_while_it_is_read() -> None:
    class Growing:
        """Gives more rows each time it is asked."""

        rows = 5000

        def __len__(self) -> int:
            return self.rows

        def __arrow_c_stream__(self, requested_schema: object = None) -> object:
            self.rows += 1
            return pa.table({"x": np.arange(float(self.rows))}).__arrow_c_stream__(requested_schema)

    with pytest.raises(dl.errors.InputError, match="5001 rows were read first and 5002 then: the data changed"):
        dl.compare(Growing(), {"x": [1.0]})


def test_hostile_names_and_values() -> None:
    odd = ["</script><script>alert(1)</script>", "a\x00b", "\u202eevil", "x" * 10_000, "", "\n"]
    # The C data interface ends names at a NUL, so it can only be in values.
    data = {name: odd * 50 for name in odd if "\x00" not in name}
    c = dl.compare(data, data)
    assert len(repr(c).splitlines()) < 10
    assert len(c) == len(odd) - 1


def test_the_command_line_says_it_without_a_traceback(tmp_path: pathlib.Path) -> None:
    pl.DataFrame(NUMBERS).write_parquet(tmp_path / "a.parquet")
    pl.DataFrame({"z": [1]}).write_parquet(tmp_path / "b.parquet")
    (tmp_path / "page.html").write_text("not a page")

    def told(*arguments: str) -> str:
        done = subprocess.run(
            [sys.executable, "-c", "from driftline.cli import main; main()", "compare", *arguments],
            cwd=tmp_path,
            capture_output=True,
            text=True,
        )
        assert (done.returncode, done.stdout, len(done.stderr.splitlines())) == (2, "", 1), done
        return done.stderr

    assert "no column in common" in told("a.parquet", "b.parquet")
    assert "tolerance is 2: it is a share" in told("a.parquet", "a.parquet", "--tolerance", "200%")
    assert "page.html: is there and is no page" in told("a.parquet", "a.parquet", "--html", "page.html")
    for path, message in (
        ("none/page.html", 'there is no folder "none"'),
        ("page.html/page.html", 'there is no folder "page.html"'),
        ("", "the report has no name: give one, such as report.html"),
        (".", ".: is a folder: name a file in it"),
        ("s3://bucket/page.html", "is a URL: a report is written to a file"),
        ("x" * 300, "x: file name too long"),
    ):
        assert message in told("a.parquet", "a.parquet", "--html", path)
    assert (tmp_path / "page.html").read_text() == "not a page"


def test_bins_that_contradict_the_counts_are_refused(tmp_path: pathlib.Path) -> None:
    reference = dl.profile({"x": np.arange(5000.0)})
    table = dl.profile({"x": np.arange(5000.0)}, reference=reference).to_arrow()
    halved = [[count // 2 for count in counts] for counts in table["bin_counts"].to_pylist()]
    field = table.schema.get_field_index("bin_counts")
    forged = table.set_column(field, table.schema.field(field), pa.array(halved, table.schema.field(field).type))
    pq.write_table(forged, tmp_path / "forged.parquet")
    with pytest.raises(
        dl.errors.InputError, match=r'forged.parquet: column "x": bins count \d+ values, the column has 5000'
    ):
        dl.Profile.load(tmp_path / "forged.parquet")


def test_a_report_goes_where_a_page_is_or_nothing(tmp_path: pathlib.Path) -> None:
    made = dl.compare(NUMBERS, NUMBERS)
    (tmp_path / "empty.html").touch()
    for _ in range(2):
        made.to_html(tmp_path / "empty.html")
    with pytest.raises(ValueError, match="is a folder: name a file in it"):
        made.to_html(tmp_path)


def test_an_unwritable_place_for_a_report_is_told(tmp_path: pathlib.Path, monkeypatch: pytest.MonkeyPatch) -> None:
    made = dl.compare(NUMBERS, NUMBERS)

    def refuse(path: pathlib.Path, *_: object, **__: object) -> bool:
        raise PermissionError(errno.EACCES, "Permission denied", str(path))

    # Whoever runs tests as root may read everything.
    monkeypatch.setattr(pathlib.Path, "is_dir", refuse)
    with pytest.raises(dl.errors.InputError, match=r"page.html: permission denied$"):
        made.to_html(tmp_path / "page.html")
