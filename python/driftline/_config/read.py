"""From a file, or from arguments, to a configuration; everything that is wrong is told at once."""

import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from driftline._config.explain import explain
from driftline._config.mistakes import Mistake, config_error, found
from driftline._config.model import Config
from driftline._config.paths import anchored
from driftline._config.source import Source, read_source
from driftline._config.values import name_of_folder
from driftline._sources import is_path

__all__ = ["config_of", "read_config"]


def read_config(path: str | os.PathLike[str], *, home: str | os.PathLike[str] | None = None) -> Config:
    """Reads `driftline.yaml`, or the same as TOML; paths in it are relative to its folder.

    Args:
        path: A file whose name ends in `.yaml`, `.yml` or `.toml`.
        home: The home to use, whatever the file and `DRIFTLINE_HOME` say.

    Raises:
        ConfigError: The file is not there, cannot be read, or says what cannot be; all mistakes at once.
        StorageError: The disk fails.
    """
    if not is_path(path):
        raise TypeError(f"path is of type {type(path).__name__}: give a str or a Path")
    name = os.fspath(path)
    return _checked(read_source(name), Path(name).absolute().parent, home)


def config_of(arguments: Mapping[str, Any]) -> Config:
    """The same of arguments named like the keys of the file; paths in them are relative to the working directory.

    Args:
        arguments: Those that are `None` were not given. A home comes before `DRIFTLINE_HOME`.

    Raises:
        ConfigError: An argument is wrong; all mistakes at once.
    """
    values = {key: value for key, value in arguments.items() if value is not None}
    return _checked(Source(values, "", {}, []), Path.cwd(), values.get("home"))


def _checked(source: Source, folder: Path, home: object) -> Config:
    """The configuration that was read in a folder."""
    values, name, lines, mistakes = source
    if not isinstance(values, Mapping | None):
        raise config_error([Mistake((), "is no mapping: write a key, a colon and a value on each line")], name, lines)
    if not values:
        example = "data: logs/**/*.parquet and columns: {time: ts}"
        raise config_error([*mistakes, Mistake((), f"says nothing: give at least {example}")], name, lines)
    given, chosen = ("DRIFTLINE_HOME", os.environ.get("DRIFTLINE_HOME") or None) if home is None else ("home", home)
    if chosen is not None:
        try:
            values = {**values, "home": anchored(chosen, Path.cwd())}
        except ValueError as error:
            mistakes = [*mistakes, Mistake((given,), f"is {found(chosen)}: {error}")]
            # Told once is enough.
            values = {**values, "home": str(folder)}
    try:
        made = Config.model_validate({"monitor": name_of_folder(folder), **values}, context={"folder": folder})
    except ValidationError as error:
        raise config_error([*mistakes, *explain(error)], name, lines) from None
    if mistakes:
        raise config_error(mistakes, name, lines)
    return made
