"""Statistics of counts: what they take, what they give, what they refuse."""

import array
import ctypes
import subprocess
import sys
from decimal import Decimal
from typing import Any

import numpy as np
import pandas as pd
import polars as pl
import pyarrow as pa
import pytest

from driftline import stats

UNORDERED = [stats.psi, stats.jensen_shannon, stats.hellinger, stats.total_variation, stats.chi_square]
IN_ORDER = [stats.ks, stats.kuiper, stats.cramer_von_mises]
WITH_VALUES = [stats.wasserstein, stats.energy]
PERMUTED = [
    stats.psi,
    stats.jensen_shannon,
    stats.hellinger,
    stats.chi_square,
    stats.kuiper,
    stats.cramer_von_mises,
    *WITH_VALUES,
]


def call(function: Any, reference: Any, current: Any, **options: Any) -> Any:
    """Cells lie at 0, 1, 2, ... where that is asked."""
    if function in WITH_VALUES:
        return function(reference, current, range(len(reference)), **options)
    return function(reference, current, **options)


everything = pytest.mark.parametrize("function", [*UNORDERED, *IN_ORDER, *WITH_VALUES], ids=lambda f: f.__name__)


def test_all_functions_are_tested() -> None:
    tested = {f.__name__ for f in [*UNORDERED, *IN_ORDER, *WITH_VALUES]}
    assert tested == {name for name in stats.__all__ if name[0].islower()}


@everything
@pytest.mark.parametrize(
    "wrap",
    [
        tuple,
        np.array,
        lambda x: np.array(x, np.uint8),
        lambda x: np.array(x, np.float32),
        lambda x: [np.int64(v) for v in x],
        lambda x: [float(v) for v in x],
        lambda x: np.array([x, x]).T[:, 0],
        lambda x: array.array("q", x),
        lambda x: memoryview(array.array("i", x)),
        lambda x: (ctypes.c_long * len(x))(*x),
        bytearray,
        pd.Series,
        lambda x: pd.Series(x, index=["c", "b", "a"]),
        pl.Series,
        pa.array,
        lambda x: pa.chunked_array([x[:1], x[1:]]),
    ],
)
def test_every_kind_of_input_is_the_same(function: Any, wrap: Any) -> None:
    x, y = [30, 50, 20], [20, 60, 25]
    assert call(function, wrap(x), wrap(y)) == call(function, x, y)


def test_what_only_has_an_array_is_an_array() -> None:
    class Shared:
        def __array__(self) -> Any:
            return np.array([30, 50])

    assert stats.psi(Shared(), [40, 40]) == stats.psi([30, 50], [40, 40])


@pytest.mark.parametrize("convert", ["to_pylist", "to_list"])
def test_columns_are_read_without_numpy(convert: str) -> None:
    def refuse(self: object) -> None:
        raise ImportError("no NumPy here")

    column = type("Column", (), {convert: lambda self: [30, 50], "__array__": refuse})()
    assert stats.psi(column, [40, 40]) == stats.psi([30, 50], [40, 40])


@everything
def test_float_is_the_first_field(function: Any) -> None:
    found = call(function, [30, 50, 20], [20, 60, 25])
    assert float(found) == found[0] > 0
    assert found._fields[0] in ("value", "statistic")


def test_fields() -> None:
    found = stats.psi([300, 500, 200], [400, 350, 250])
    assert 0 < found.lower < found.debiased < found.value < found.upper
    assert found.debiased == found.value - found.null_mean
    assert found.p_value < 0.001 < found.null_mean < found.null_95 < found.value
    assert stats.psi([300, 500, 2], [400, 350, 0])[2:4] == (None, None)
    moved = stats.total_variation([300, 500, 200], [400, 350, 250])
    assert moved.value == 0.15
    assert moved.debiased == moved.value - moved.null_mean
    assert moved.null_mean < moved.value < moved.upper < 0.2
    assert stats.chi_square([30, 0, 20], [20, 0, 25]).df == 1


@everything
def test_equal_inputs_give_equal_outputs(function: Any) -> None:
    x, y = [3, 0, 7, 1], [0, 2, 9, 4]
    assert call(function, x, y) == call(function, x, y)


@pytest.mark.parametrize("function", PERMUTED, ids=lambda f: f.__name__)
def test_permutations_bound_the_p_value(function: Any) -> None:
    x, y = [90, 4, 0, 1], [0, 3, 9, 90]
    assert call(function, x, y).p_value == 0.001
    assert call(function, x, y, permutations=1999).p_value == 0.0005
    for wrong in (-1, 0, 998, 10_000_001):
        with pytest.raises(ValueError, match=f"^permutations is {wrong}: it must be 999 to 10000000$"):
            call(function, x, y, permutations=wrong)


@everything
@pytest.mark.parametrize(
    ("reference", "current", "error", "message"),
    [
        ([1, -3], [1, 2], ValueError, "reference[1] is -3: counts must be 0 or more"),
        ([1, 2], [1.0, -2.0], ValueError, "current[1] is -2.0: counts must be 0 or more"),
        ([1, 2], [1, 2.5], ValueError, "current[1] is 2.5: counts must be whole numbers"),
        ([1, float("nan")], [1, 2], ValueError, "reference[1] is nan: counts must be whole numbers"),
        ([1, float("inf")], [1, 2], ValueError, "reference[1] is inf: counts must be whole numbers"),
        ([1, None], [1, 2], TypeError, "reference[1] is None: counts must be whole numbers"),
        ([1, "2"], [1, 2], TypeError, "reference[1] is '2': counts must be whole numbers"),
        ([1, Decimal(2)], [1, 2], TypeError, "reference[1] is Decimal('2'): counts must be whole numbers"),
        ([[1, 2], [3, 4]], [1, 2], TypeError, "reference[0] is [1, 2]: counts must be whole numbers"),
        (np.ones((2, 2)), [1, 2], TypeError, "reference[0] is [1.0, 1.0]: counts must be whole numbers"),
        ([1], [1], ValueError, "reference has 1 cells: give at least 2"),
        ([1, 2], [], ValueError, "current has 0 cells: give at least 2"),
        ([1, 2], [1, 2, 3], ValueError, "reference has 2 cells and current 3: both must count the same cells"),
        ([0, 0], [1, 2], ValueError, "reference has no rows: at least one count must be positive"),
        ([1, 2], [0, 0], ValueError, "current has no rows: at least one count must be positive"),
        ([1, 2**70], [1, 2], ValueError, f"reference[1] is {2**70}: 2^62 rows or more are beyond what is counted"),
        ([2**61] * 2, [1, 2], ValueError, "reference has 2^62 rows or more: that is beyond what is counted"),
    ],
)
def test_wrong_counts(function: Any, reference: Any, current: Any, error: type, message: str) -> None:
    with pytest.raises(error) as raised:
        call(function, reference, current)
    assert str(raised.value) == message


@pytest.mark.parametrize(
    ("values", "kind"),
    [("12", "str"), (b"12", "bytes"), ({1: 2}, "dict"), ({1, 2}, "set"), (7, "int"), (None, "NoneType")],
)
def test_what_is_no_row_of_numbers(values: Any, kind: str) -> None:
    with pytest.raises(TypeError) as raised:
        stats.psi(values, [1, 2])
    assert str(raised.value) == f"reference is of type {kind}: it takes a sequence or an array of numbers"


def test_a_number_in_an_array_is_no_row() -> None:
    with pytest.raises(TypeError, match="^reference is of type ndarray: it takes"):
        stats.psi(np.array(7), [1, 2])


@pytest.mark.parametrize("function", WITH_VALUES, ids=lambda f: f.__name__)
@pytest.mark.parametrize(
    ("values", "error", "message"),
    [
        ([0.0], ValueError, "there are 1 values for 2 cells: each cell needs one"),
        ([1.0, 0.0], ValueError, "values[1] is 0 after 1: values must ascend"),
        ([0.0, float("nan")], ValueError, "values[1] is NaN: leave NaN out and count it apart"),
        ([0.0, None], TypeError, "values[1] is None: values must be numbers"),
        ("01", TypeError, "values is of type str: it takes a sequence or an array of numbers"),
    ],
)
def test_wrong_values(function: Any, values: Any, error: type, message: str) -> None:
    with pytest.raises(error) as raised:
        function([1, 2], [2, 1], values)
    assert str(raised.value) == message


@pytest.mark.parametrize("function", WITH_VALUES, ids=lambda f: f.__name__)
def test_rows_at_infinity(function: Any) -> None:
    at = [0.0, 1.0, float("inf")]
    assert function([5, 5, 10], [4, 6, 10], at).value < 1
    assert function([5, 5, 10], [4, 5, 11], at).value == float("inf")


def test_numpy_is_not_imported() -> None:
    code = (
        "import sys; from driftline import stats; stats.energy([1, 2], (2, 1), [0, 1]); print('numpy' in sys.modules)"
    )
    done = subprocess.run([sys.executable, "-c", code], check=True, capture_output=True, text=True)
    assert done.stdout.strip() == "False"
