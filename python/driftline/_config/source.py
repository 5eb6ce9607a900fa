"""From a file to what it says, not yet checked."""

import re
import tomllib
from pathlib import Path
from typing import Final, NamedTuple

from driftline._config.mistakes import Mistake, Where
from driftline._config.yaml_text import YamlError, read_yaml
from driftline._format import shown
from driftline._sources import is_url
from driftline.errors import ConfigError, StorageError

__all__ = ["Source", "read_source"]

MOST_BYTES: Final = 1 << 20
"""Checks of ten thousand columns take a quarter of it."""

TOML_LINE: Final = re.compile(r" \(at line (\d+), column \d+\)")


class Source(NamedTuple):
    """What a file or a caller says."""

    values: object
    """Plain data."""
    name: str
    """The file, as it was named; empty where there is none."""
    lines: dict[Where, int]
    """The line of each key, where the format tells it."""
    mistakes: list[Mistake]
    """What is wrong already."""


def read_source(name: str) -> Source:
    """Reads YAML or TOML, as the ending of the name says."""
    text = _text(name)
    match Path(name).suffix.lower():
        case ".yaml" | ".yml":
            return _from_yaml(name, text)
        case ".toml":
            return _from_toml(name, text)
    raise ConfigError(f"{name}: the name tells no format; names end in .yaml, .yml or .toml")


def _text(name: str) -> str:
    """The text of the file, which is small and UTF-8."""
    if is_url(name):
        raise ConfigError(f"{name}: a configuration is a file on this machine: copy it here")
    path = Path(name)
    if path.is_dir():
        raise ConfigError(f"{name}: is a folder: name the file in it, such as {Path(name, 'driftline.yaml')}")
    try:
        with path.open("rb") as file:
            data = file.read(MOST_BYTES + 1)
    except FileNotFoundError:
        raise ConfigError(f"{name}: no such file: driftline init DATA writes one, --config names another") from None
    except PermissionError:
        raise ConfigError(f"{name}: permission denied") from None
    except OSError as error:
        raise StorageError(f"{name}: {error.strerror}") from error
    if len(data) > MOST_BYTES:
        raise ConfigError(f"{name}: is larger than {MOST_BYTES // 1024:,} KiB: no configuration is")
    try:
        return data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = data.count(b"\n", 0, error.start) + 1
        raise ConfigError(f"{name}:{line}: byte 0x{data[error.start]:02x} is not UTF-8: save it as UTF-8") from None


def _from_yaml(name: str, text: str) -> Source:
    try:
        values, lines, mistakes = read_yaml(text)
    except YamlError as error:
        place = name if error.line is None else f"{name}:{error.line}"
        raise ConfigError(f"{place}: {error}") from None
    return Source(values, name, lines, mistakes)


def _from_toml(name: str, text: str) -> Source:
    try:
        return Source(tomllib.loads(text), name, {}, [])
    except RecursionError:
        raise ConfigError(f"{name}: values are nested too deeply") from None
    except ValueError as error:
        told = str(error)
        line = TOML_LINE.search(told)
        place = f"{name}:{line[1]}" if line else name
        raise ConfigError(f"{place}: not TOML: {shown(TOML_LINE.sub('', told), 100)}") from None
