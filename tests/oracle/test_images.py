"""Apache DataSketches images both ways: theirs are read by us, ours by the project's own C++ library."""

import json
import pathlib
from typing import Any

import datasketches
import numpy as np
import pytest

import driftline as dl
from driftline.sketches import FrequentItems, Hll, Kll

DTYPES = {"double": "float64", "float": "float32", "long": "int64", "string": "string"}


@pytest.fixture(scope="module")
def expected(shared: pathlib.Path) -> dict[str, Any]:
    return json.loads((shared / "oracles" / "datasketches" / "expected.json").read_text())


def images(shared: pathlib.Path, expected: dict[str, Any], family: str) -> list[tuple[str, str, bytes, int, Any]]:
    """Name, dtype, bytes, how many values went in, and what the C++ library says, if it reads the image."""
    found = []
    for path in sorted((shared / "oracles" / "datasketches").glob(f"*/{family}_n*_*.sk")):
        count = int(path.stem.split("_n")[1].partition("_")[0])
        said = expected.get(f"{path.parent.name}/{path.name}")
        said = None if said is None or "error" in said else said
        found.append((path.name, DTYPES.get(family.partition("_")[2], ""), path.read_bytes(), count, said))
    assert len(found) >= 4
    return found


@pytest.mark.parametrize("family", ["kll_double", "kll_float", "kll_long", "kll_string"])
def test_kll_of_others(shared: pathlib.Path, expected: dict[str, Any], family: str) -> None:
    for name, dtype, data, n, said in images(shared, expected, family):
        sketch = Kll.from_bytes(data, dtype=dtype)
        assert (sketch.n, sketch.k) == (n, 200), name
        if n == 0:
            assert (sketch.min, sketch.max, sketch.quantile(0.5)) == (None, None, None)
            assert sketch.rank("" if dtype == "string" else 1.0) is None
            continue
        # The values are 1..n, as text for strings.
        texts = sorted(map(str, range(1, n + 1))) if dtype == "string" else None
        if texts:
            # Some languages pad their texts, so ranks are taken among what such a text would be.
            assert (sketch.min.strip("0 ") or "0") <= (sketch.max.strip("0 ") or "0")
            assert sketch.quantile(0.25).value <= sketch.quantile(0.5).value <= sketch.quantile(0.75).value
            assert sketch.quantile(0).value >= sketch.min
            continue
        assert (sketch.min, sketch.max) == (1, n), name
        for q in (0.25, 0.5, 0.75):
            value = sketch.quantile(q).value
            assert abs(value / n - q) <= sketch.rank_error + 1 / n, name
            if said:
                # Theirs is the exclusive quantile, at most one retained item off.
                assert abs(value - said["quantiles"][str(q)]) / n <= max(2 / n, 0.006), name
    with pytest.raises(dl.errors.InputError):
        Kll.from_bytes(data[: len(data) // 2], dtype=dtype)


@pytest.mark.parametrize("family", ["hll4", "hll6", "hll8"])
def test_hll_of_others(shared: pathlib.Path, expected: dict[str, Any], family: str) -> None:
    for name, _, data, _, said in images(shared, expected, family):
        estimate = Hll.from_bytes(data).estimate()
        if said is None:
            continue
        assert estimate.value == pytest.approx(said["estimate"], rel=1e-6), name
        assert estimate.lower <= said["lower_1sd"] + 1, name
        assert estimate.upper >= said["upper_1sd"] - 1, name


@pytest.mark.parametrize("family", ["frequent_long", "frequent_string"])
def test_frequent_items_of_others(shared: pathlib.Path, expected: dict[str, Any], family: str) -> None:
    for name, dtype, data, n, said in images(shared, expected, family):
        sketch = FrequentItems.from_bytes(data, dtype=dtype)
        assert sketch.total == n, name
        # Each of 1..n went in once.
        for item in {1, n // 2, n} & set(range(1, n + 1)):
            lower, upper = sketch.bounds(item if dtype == "int64" else str(item))
            assert lower <= 1 <= upper, name
        for item, estimate, lower, upper in said["top"] if said else []:
            assert sketch.estimate(item) == (estimate, lower, upper), name


SHAPES = {
    "normal": lambda rng, n: rng.normal(size=n),
    "few": lambda rng, n: rng.integers(0, 5, n).astype(float),
    "sorted": lambda rng, n: np.sort(rng.random(n)),
    "empty": lambda rng, n: np.empty(0),
    "one": lambda rng, n: np.ones(1),
}


@pytest.mark.parametrize("shape", SHAPES)
@pytest.mark.parametrize("merged", [False, True])
def test_kll_read_by_datasketches(shape: str, merged: bool) -> None:
    rng = np.random.default_rng(3)
    sketch = Kll(k=200)
    sketch.update(SHAPES[shape](rng, 100_000))
    if merged:
        other = Kll(k=200, seed=1)
        other.update(SHAPES[shape](rng, 50_000))
        sketch.merge(other)
    theirs = datasketches.kll_doubles_sketch.deserialize(sketch.to_bytes())
    assert (theirs.n, theirs.k) == (sketch.n, sketch.k)
    if sketch.n:
        assert (theirs.get_min_value(), theirs.get_max_value()) == (sketch.min, sketch.max)
        for q in np.linspace(0, 1, 21):
            assert theirs.get_quantile(q, True) == sketch.quantile(q).value
        for x in np.linspace(sketch.min, sketch.max, 21):
            assert theirs.get_rank(x, True) == pytest.approx(sketch.rank(x).value, abs=1e-12)
        again = Kll.from_bytes(theirs.serialize())
        assert again.quantile(0.3) == sketch.quantile(0.3)


@pytest.mark.parametrize("n", [0, 1, 5, 30, 1000, 50_000, 3_000_000])
@pytest.mark.parametrize("merged", [False, True])
def test_hll_read_by_datasketches(n: int, merged: bool) -> None:
    sketch = Hll()
    if n:
        sketch.update(np.arange(n))
    if merged:
        other = Hll()
        other.update(np.arange(n // 2, n + n // 2 + 1))
        sketch.merge(other)
    theirs = datasketches.hll_sketch.deserialize(sketch.to_bytes())
    ours = sketch.estimate()
    assert theirs.get_estimate() == pytest.approx(ours.value, rel=1e-9, abs=1e-9)
    assert theirs.get_lower_bound(3) == pytest.approx(ours.lower, rel=1e-9, abs=1e-9)
    assert theirs.get_upper_bound(3) == pytest.approx(ours.upper, rel=1e-9, abs=1e-9)


def test_datasketches_goes_on_from_an_hll_image() -> None:
    """It counts how many registers are the lowest: where an image says another number, it goes wrong later."""
    sketch = Hll()
    sketch.update(np.arange(30_000))
    theirs = datasketches.hll_sketch.deserialize(sketch.to_bytes())
    for value in range(30_000, 200_000):
        theirs.update(value)
    sketch.update(np.arange(30_000, 200_000))
    assert theirs.get_estimate() == pytest.approx(sketch.estimate().value, rel=1e-9)
    # Nine of ten registers were raised, and all that were the lowest.
    assert bytes(theirs.serialize_compact())[6] > sketch_lowest(30_000)
    ours, again = Hll.from_bytes(theirs.serialize_compact()), Hll.from_bytes(sketch.to_bytes())
    assert ours.estimate() == again.estimate()


def sketch_lowest(n: int) -> int:
    """The lowest register of a sketch of so many values, as its image says it."""
    sketch = Hll()
    sketch.update(np.arange(n))
    return sketch.to_bytes()[6]


def test_hll_hashes_as_datasketches_does() -> None:
    sketch, theirs = Hll(), datasketches.hll_sketch(12, datasketches.tgt_hll_type.HLL_8)
    for value in [3, 2**40, -1]:
        sketch.update(np.array([value]))
        theirs.update(value)
    for text in ["a", "ünïcode", "a longer text than sixteen bytes"]:
        sketch.update([text])
        theirs.update(text)
    for number in [1.5, -2.25, 1e300]:
        sketch.update(np.array([number]))
        theirs.update(number)
    union = datasketches.hll_union(12)
    union.update(theirs)
    union.update(datasketches.hll_sketch.deserialize(sketch.to_bytes()))
    # The same values hash to the same coupons, so the union holds no more than either.
    assert union.get_estimate() == pytest.approx(9, abs=0.01)


@pytest.mark.parametrize("merged", [False, True])
def test_frequent_items_read_by_datasketches(merged: bool) -> None:
    rng = np.random.default_rng(5)
    sketch = FrequentItems(lg_max=6)
    texts = [f"v{i}" for i in rng.zipf(1.3, 20_000)]
    sketch.update(texts)
    if merged:
        other = FrequentItems(lg_max=6)
        other.update(["v1", "w"] * 500)
        sketch.merge(other)
    theirs = datasketches.frequent_strings_sketch.deserialize(sketch.to_bytes())
    assert theirs.total_weight == sketch.total
    for item in ("v1", "v2", "v3", "w", "absent"):
        estimate = sketch.estimate(item)
        assert theirs.get_estimate(item) == estimate.value
        assert (theirs.get_lower_bound(item), theirs.get_upper_bound(item)) == (estimate.lower, estimate.upper)
        true = texts.count(item) + (merged and item in ("v1", "w")) * 500
        assert estimate.lower <= true <= estimate.upper


def test_profiles_hold_such_images() -> None:
    rng = np.random.default_rng(0)
    values = {"x": rng.normal(size=10_000), "s": [f"s{i % 9}" for i in range(10_000)]}
    p = dl.profile(values) | dl.profile(values)
    table = p.to_arrow().to_pylist()
    theirs = datasketches.kll_doubles_sketch.deserialize(table[0]["quantiles"])
    assert (theirs.n, theirs.get_quantile(0.25, True)) == (20_000, p["x"].quantile(0.25).value)
    distinct = datasketches.hll_sketch.deserialize(table[1]["distinct"])
    assert distinct.get_estimate() == pytest.approx(9, abs=0.01)
    top = datasketches.frequent_strings_sketch.deserialize(table[1]["top"])
    assert top.get_estimate("s1") == 2 * values["s"].count("s1")


@pytest.mark.parametrize(("sketch", "others"), [(Kll, "hll8_n10_cpp.sk"), (Hll, "kll_double_n10_cpp.sk")])
def test_images_of_another_family_are_refused(shared: pathlib.Path, sketch: Any, others: str) -> None:
    with pytest.raises(dl.errors.InputError):
        sketch.from_bytes((shared / "oracles" / "datasketches" / "cpp" / others).read_bytes())


def test_sketch_arguments() -> None:
    with pytest.raises(ValueError, match="k is 3: it must be 8 to 65535"):
        Kll(3)
    with pytest.raises(ValueError, match="it takes float64, float32, int64 or string"):
        Kll.from_bytes(b"", dtype="int8")
    with pytest.raises(ValueError, match="this sketch takes numbers and times"):
        Kll().update(["a"])
    with pytest.raises(ValueError, match="values have 2 columns: a sketch takes one at a time"):
        Hll().update({"a": [1], "b": [2]})
    with pytest.raises(ValueError, match="q is 2"):
        Kll().quantile(2)
    with pytest.raises(TypeError):
        FrequentItems().merge(FrequentItems(dtype="int64"))


def test_sketches_take_arrow_and_numpy() -> None:
    import polars as pl
    import pyarrow as pa

    for values in (
        np.array([1, 2, 2]),
        pa.array([1, 2, 2]),
        pa.chunked_array([[1], [2, 2]]),
        pl.Series([1, 2, 2]),
        [1, 2, 2],
    ):
        kll, hll, items = Kll(), Hll(), FrequentItems(dtype="int64")
        for sketch in (kll, hll, items):
            sketch.update(values)
        assert (kll.n, kll.max) == (3, 2.0)
        assert hll.estimate().value == pytest.approx(2, abs=0.01)
        assert items.top(1) == [(2, 2, 2, 2)]
        assert "n=3" in repr(kll)
        assert "about 2" in repr(hll)
        assert "total=3" in repr(items)
