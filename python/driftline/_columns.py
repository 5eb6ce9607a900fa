"""Columns of NumPy, pandas and plain Python as record batches."""

import sys
from array import array
from collections.abc import Mapping
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import Any

from driftline import _core
from driftline.errors import InputError

__all__ = ["batch_of_array", "batch_of_mapping", "batch_of_pandas", "column_of_array"]

Column = tuple[str, Any, str]
"""Name, values and dtype, as the engine takes them."""

DIRECT = frozenset(["f2", "f4", "f8", "i1", "i2", "i4", "i8", "u1", "u2", "u4", "u8", "b1"])
"""NumPy types that the engine reads as they are, once they are little-endian and contiguous."""

UNITS = frozenset(["s", "ms", "us", "ns"])
"""Units of time that Arrow has too."""

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
MICROSECOND = timedelta(microseconds=1)
NOT_A_TIME = -(2**63)


def batch_of_mapping(columns: Mapping[Any, Any]) -> _core.Batch:
    """A batch of named columns: arrays, lists, or series of a library."""
    return _core.Batch.from_columns([_column(str(name), values) for name, values in columns.items()])


def batch_of_array(values: Any) -> _core.Batch:
    """A batch of a NumPy array: the column `value`, columns `0`, `1` and so on, or the fields of a structured one."""
    if values.dtype.names is not None:
        if values.ndim != 1:
            raise ValueError(f"a structured array has {values.ndim} dimensions: it must have one")
        return _core.Batch.from_columns([column_of_array(name, values[name]) for name in values.dtype.names])
    if values.ndim == 1:
        return _core.Batch.from_columns([column_of_array("value", values)])
    if values.ndim == 2:
        columns = [column_of_array(str(i), values[:, i]) for i in range(values.shape[1])]
        return _core.Batch.from_columns(columns)
    raise ValueError(f"the array has {values.ndim} dimensions: give one (a column) or two (rows and columns)")


def batch_of_pandas(frame: Any) -> object:
    """A pandas frame without its index: through pyarrow where that is installed, else column by column."""
    names = [str(name) for name in frame.columns]
    if len(set(names)) < len(names):
        twice = next(name for i, name in enumerate(names) if name in names[:i])
        raise InputError(f'two columns are called "{twice}": rename one of them')
    try:
        import pyarrow
    except ImportError:
        columns = [_column_of_series(name, frame.iloc[:, i]) for i, name in enumerate(names)]
        return _core.Batch.from_columns(columns)
    try:
        return pyarrow.Table.from_pandas(frame, preserve_index=False)
    except (pyarrow.ArrowInvalid, pyarrow.ArrowTypeError, pyarrow.ArrowNotImplementedError) as error:
        reason = " ".join(str(part) for part in error.args)
        raise InputError(f"pandas' frame does not fit Arrow: {reason}; give the column one type") from error


def column_of_array(name: str, values: Any) -> Column:
    """A column of a NumPy array, copied only where it is strided, big-endian or of a type that Arrow lacks."""
    if values.ndim != 1:
        raise ValueError(f'column "{name}" has {values.ndim} dimensions: it must have one')
    import numpy as np

    mask = np.ma.getmaskarray(values) if isinstance(values, np.ma.MaskedArray) else None
    if mask is not None and mask.any():
        listed = values.data.astype(object)
        listed[mask] = None
        return column_of_list(name, listed.tolist())
    values = np.asarray(values)
    dtype = values.dtype.newbyteorder("<")
    kind = dtype.kind
    if kind in "Mm":
        unit, count = np.datetime_data(dtype)
        if unit == "generic" and not len(values):
            unit, count = "us", 1
        if unit not in UNITS or count != 1:
            # Days and longer units count in seconds without loss, shorter ones than ns do not exist in Arrow.
            unit = "s" if unit in ("Y", "M", "W", "D", "h", "m") else "ns"
        dtype = np.dtype(f"<{kind}8[{unit}]")
        return name, np.ascontiguousarray(values, dtype=dtype).view("<i8"), dtype.str
    if kind == "c":
        raise TypeError(f'column "{name}" holds complex numbers: profile the real and imaginary parts apart')
    if kind in "SU" or dtype.hasobject or kind == "T":
        return column_of_list(name, values.tolist())
    if dtype.str[1:] not in DIRECT:
        if kind != "f":
            raise TypeError(f'column "{name}" is of NumPy type {values.dtype}, which cannot be profiled')
        dtype = np.dtype("<f8")  # long doubles
    return name, np.ascontiguousarray(values, dtype=dtype), dtype.str


def column_of_list(name: str, values: list[Any]) -> Column:
    """A column of Python values of one type and None."""
    first = next((value for value in values if value is not None), None)
    if isinstance(first, date):
        return _column_of_times(name, values, first)
    if isinstance(first, timedelta):
        microseconds = [NOT_A_TIME if v is None else v // MICROSECOND for v in values]
        return name, array("q", microseconds), "<m8[us]"
    if isinstance(first, Decimal):
        return name, [None if v is None else float(v) for v in values], "object"
    if type(first).__module__ == "numpy":
        return name, [v.item() if hasattr(v, "item") else v for v in values], "object"
    if isinstance(first, bytearray | memoryview):
        return name, [None if v is None else bytes(v) for v in values], "object"
    return name, values, "object"


def _column_of_times(name: str, values: list[Any], first: date) -> Column:
    def microseconds(value: Any) -> int:
        if value is None or value != value:  # NaT is a date to pandas, and not equal to itself
            return NOT_A_TIME
        if not isinstance(value, datetime):
            value = datetime(value.year, value.month, value.day)
        # Like a timestamp without a zone, a naive time counts as it stands.
        aware = value if value.tzinfo is not None else value.replace(tzinfo=UTC)
        return int((aware - EPOCH) // MICROSECOND)

    try:
        return name, array("q", map(microseconds, values)), "<M8[us]"
    except (AttributeError, TypeError) as error:
        expected = type(first).__name__
        raise TypeError(f'column "{name}" holds more than {expected} and None: a column holds one type') from error


def _column(name: str, values: Any) -> Column:
    if type(values).__module__.startswith("pandas"):
        return _column_of_series(name, values)
    numpy = sys.modules.get("numpy")
    if numpy is not None and isinstance(values, numpy.ndarray):
        return column_of_array(name, values)
    if hasattr(values, "__arrow_c_stream__") or hasattr(values, "__arrow_c_array__"):
        return name, values, "arrow"
    for method in ("to_pylist", "to_list"):  # of pyarrow and arro3, of polars
        if hasattr(values, method):
            return column_of_list(name, getattr(values, method)())
    if numpy is not None and hasattr(values, "__array__"):
        return column_of_array(name, numpy.asarray(values))
    if isinstance(values, list | tuple | range):
        return column_of_list(name, list(values))
    if isinstance(values, array):
        return name, values, {"f": "<f4", "d": "<f8"}.get(values.typecode) or _integer_dtype(values)
    kind = type(values).__name__
    raise TypeError(f'column "{name}" is of type {kind}: give a NumPy array, a list, or a series of a library')


def _integer_dtype(values: "array[Any]") -> str:
    signed = "i" if values.typecode.islower() else "u"
    if values.typecode in "uw":
        raise TypeError("an array of characters is no column: give a list of str")
    return f"<{signed}{values.itemsize}"


def _column_of_series(name: str, series: Any) -> Column:
    """A column of pandas, where NaN and NaT mean that a value is missing."""
    import numpy as np

    if isinstance(getattr(series, "dtype", None), np.dtype) and series.dtype.kind in "biufMm":
        values = series.to_numpy()
        if values.dtype.kind == "f" and np.isnan(values).any():
            return name, [None if v != v else v for v in values.tolist()], "object"
        return column_of_array(name, values)
    tz = getattr(getattr(series, "dtype", None), "tz", None)
    if tz is not None:
        return column_of_array(name, series.to_numpy(dtype="datetime64[ns]"))
    values = series.to_numpy(dtype=object)
    missing = series.isna().to_numpy()
    return column_of_list(name, [None if m else v for v, m in zip(values, missing, strict=True)])
