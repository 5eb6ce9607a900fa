"""From what a user has to what the engine reads: Arrow producers, or files and objects.

Nothing here imports a library that the user has not: an object of pandas can only be met where
pandas is imported, so its module is looked up, never loaded.
"""

import os
import pathlib
import sys
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any, TypeGuard

from driftline import _columns, _core
from driftline.errors import InputError

__all__ = ["Path", "is_path", "is_rereadable", "is_url", "open_inputs", "produce"]

Path = str | os.PathLike[str]

TAKEN = (
    "a path, a folder, a glob or a URL; a frame of polars, pandas, Arrow or DuckDB; a NumPy array, or a dict of "
    "arrays or lists; or an iterable of these"
)

LAZY_BATCH_ROWS = 65_536
"""Rows of a lazy frame held at once: 0.5 MB a column of doubles, and enough to share out over threads."""


def is_path(data: object) -> TypeGuard[Path]:
    """Whether this names something to read."""
    return isinstance(data, str | os.PathLike)


def is_url(path: Path) -> bool:
    """Whether this names an object in a store."""
    return "://" in os.fspath(path)


def is_rereadable(data: object) -> bool:
    """Whether reading it a second time gives the same rows at little cost.

    A stream and an iterator are used up, a query of DuckDB or a lazy frame would be computed again.
    """
    if isinstance(data, list | tuple):
        return all(map(is_rereadable, data))
    if is_path(data) or isinstance(data, Mapping):
        return True
    return hasattr(data, "__len__") and type(data).__module__.partition(".")[0] != "duckdb"


def open_inputs(data: object) -> list[_core.Input] | None:
    """The files and objects behind a path or a list of paths; `None` where `data` is neither."""
    if is_path(data):
        return _expand([data])
    if isinstance(data, list | tuple) and data and all(map(is_path, data)):
        return _expand(data)
    return None


def produce(data: object) -> Iterator[object]:
    """Objects with `__arrow_c_stream__` or `__arrow_c_array__`, one after another."""
    one = _producers(data)
    if one is not None:
        yield from one
        return
    if not isinstance(data, Iterable) or isinstance(data, bytes | bytearray | memoryview | Mapping):
        raise TypeError(f"cannot profile {_type_name(data)}: give {TAKEN}")
    for i, item in enumerate(data):
        producers = _producers(item)
        if producers is None:
            hint = _hint(data, item)
            raise TypeError(f"data[{i}] is {_type_name(item)}, which is no batch: {hint}")
        yield from producers


def _hint(data: object, item: object) -> str:
    if is_path(item):
        return "give paths alone, as a list; profiles of paths and of frames can be merged afterwards"
    if isinstance(data, list | tuple):
        return f"for one column write {{'value': data}}; otherwise give {TAKEN}"
    return f"give {TAKEN}"


def _producers(data: object) -> Iterable[object] | None:
    """Arrow producers of one object; `None` where it is not data but perhaps an iterable of data."""
    if is_path(data):
        return None
    library = type(data).__module__.partition(".")[0]
    if library == "polars":
        return _from_polars(data)
    if library == "pandas":
        return _from_pandas(data)
    if library in ("pyarrow", "duckdb"):
        batches = _from_arrow(data)
        if batches is not None:
            return batches
    if hasattr(data, "__arrow_c_stream__") or hasattr(data, "__arrow_c_array__"):
        return [data]
    if isinstance(data, Mapping):
        return [_columns.batch_of_mapping(data)]
    numpy = sys.modules.get("numpy")
    if numpy is not None and hasattr(data, "__array__"):
        return [_columns.batch_of_array(numpy.asarray(data))]
    return None


def _from_polars(data: Any) -> Iterable[object] | None:
    if hasattr(data, "collect_schema") and hasattr(data, "collect"):  # a LazyFrame
        return map(_without_nulls, _lazy_batches(data))
    if hasattr(data, "to_frame"):  # a Series
        return [_without_nulls(data.to_frame(data.name or "value"))]
    return [_without_nulls(data)] if hasattr(data, "__arrow_c_stream__") else None


def _without_nulls(frame: Any) -> object:
    """The frame, or a batch of its columns where some are of no type but null, which polars exports with a buffer.

    Raises:
        InputError: Fields of a struct or elements of a list are.
    """
    for name, dtype in frame.schema.items():
        if _holds_nulls(dtype):
            raise InputError(
                f'column "{name}" holds values of type Null, which polars cannot hand over: cast them, or leave it out'
            )
    nulls = {name for name, dtype in frame.schema.items() if dtype == sys.modules["polars"].Null}
    if not nulls:
        return frame
    whole = frame.rechunk()
    columns = {name: [None] * frame.height if name in nulls else whole.select(name) for name in frame.columns}
    return _columns.batch_of_mapping(columns)


def _holds_nulls(dtype: Any) -> bool:
    """Whether the type has parts, of which one is null."""
    parts = [field.dtype for field in getattr(dtype, "fields", ())]
    if (inner := getattr(dtype, "inner", None)) is not None:
        parts.append(inner)
    return any(part == sys.modules["polars"].Null or _holds_nulls(part) for part in parts)


def _lazy_batches(frame: Any) -> Iterator[object]:
    if hasattr(frame, "collect_batches"):
        import warnings

        with warnings.catch_warnings():
            # polars calls the method unstable; nothing here depends on more than its name.
            warnings.simplefilter("ignore")
            batches = frame.collect_batches(chunk_size=LAZY_BATCH_ROWS, lazy=True)
        empty = True
        for batch in batches:
            empty = False
            yield batch
        if empty:
            # A query without rows still has columns.
            yield frame.collect_schema().to_frame()
        return
    # Before polars 1.34 the streaming engine gives its result as a whole.
    yield frame.collect(engine="streaming")


def _from_pandas(data: Any) -> Iterable[object] | None:
    if not hasattr(data, "columns"):
        if not hasattr(data, "to_frame"):
            return None
        data = data.to_frame("value" if getattr(data, "name", None) is None else data.name)
    return [_columns.batch_of_pandas(data)]


def _from_arrow(data: Any) -> Iterable[object] | None:
    """What these libraries have beside the Arrow interface."""
    if hasattr(data, "scanner"):  # pyarrow.dataset.Dataset
        return [data.scanner().to_reader()]
    if hasattr(data, "to_reader") and hasattr(data, "projected_schema"):  # pyarrow.dataset.Scanner
        return [data.to_reader()]
    if hasattr(data, "chunks") and hasattr(data, "combine_chunks") and not hasattr(data, "schema"):
        # A ChunkedArray streams its chunks, not batches.
        chunks: Sequence[object] = data.chunks
        return chunks or [data.combine_chunks()]
    return None


def _expand(paths: Sequence[Path]) -> list[_core.Input]:
    inputs: list[_core.Input] = []
    for path in paths:
        name = os.fspath(path)
        if isinstance(name, bytes):
            name = os.fsdecode(name)
        if not name:
            raise ValueError("a path is empty: give a file, a folder, a glob or a URL")
        try:
            name.encode()
        except UnicodeEncodeError:
            raise InputError(f"{name!a}: the name is not UTF-8: rename the file, or name its folder") from None
        if name.startswith("file://"):
            from urllib.parse import unquote, urlsplit

            name = unquote(urlsplit(name).path)
        if is_url(name):
            from driftline import _remote

            inputs += _remote.expand(name)
        else:
            inputs += _core.expand_paths([str(pathlib.Path(name).expanduser()) if name.startswith("~") else name])
    return inputs


def _type_name(data: object) -> str:
    kind = type(data)
    return kind.__qualname__ if kind.__module__ == "builtins" else f"{kind.__module__}.{kind.__qualname__}"
