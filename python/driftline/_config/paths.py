"""Paths of a configuration, which are relative to the folder of its file."""

import glob
import os
import re
from pathlib import Path
from typing import Annotated, Final

from pydantic import PlainSerializer, PlainValidator, ValidationInfo

from driftline._config.reference import Files, Reference, parse_reference
from driftline._config.values import each, schema
from driftline._sources import is_url

__all__ = ["Data", "Home", "ReferenceField", "anchored"]

WILD: Final = re.compile(r"[*?\[]")

PATH_SCHEMA: Final = {"type": "string", "minLength": 1}


def anchored(value: object, folder: Path) -> str:
    """A path made absolute, a URL as it is."""
    path = os.fspath(value) if isinstance(value, os.PathLike) else value
    if not isinstance(path, str) or not path or "\0" in path:
        raise ValueError("write a path or a URL")
    if is_url(path):
        return path
    try:
        return str(folder / Path(path).expanduser())
    except RuntimeError:
        raise ValueError("there is no such user") from None


def _anchored_glob(value: object, folder: Path) -> str:
    """The same of what may be a glob: the folder's own name is none."""
    wild = isinstance(value, str) and WILD.search(value)
    return anchored(value, Path(glob.escape(str(folder))) if wild else folder)


def _folder(info: ValidationInfo) -> Path:
    folder = (info.context or {}).get("folder")
    return Path.cwd() if folder is None else folder


def _read_paths(value: object, info: ValidationInfo) -> tuple[str, ...]:
    folder = _folder(info)
    if isinstance(value, list | tuple):
        return each(value, lambda path: _anchored_glob(path, folder))
    return (_anchored_glob(value, folder),)


def _read_home(value: object, info: ValidationInfo) -> str:
    return anchored(value, _folder(info))


def _read_reference(value: object, info: ValidationInfo) -> Reference:
    if isinstance(value, Reference):
        return value
    if isinstance(value, list | tuple) and not value:
        raise ValueError("name at least one path")
    in_words = parse_reference(value) if isinstance(value, str) else None
    return Files(_read_paths(value, info)) if in_words is None else in_words


def _plain(reference: Reference) -> str | list[str]:
    return list(reference.paths) if isinstance(reference, Files) else str(reference)


PATHS_SCHEMA: Final = {"anyOf": [PATH_SCHEMA, {"type": "array", "items": PATH_SCHEMA}]}

Data = Annotated[tuple[str, ...], PlainValidator(_read_paths), PlainSerializer(list), schema(PATHS_SCHEMA)]
Home = Annotated[str, PlainValidator(_read_home), schema(PATH_SCHEMA)]
ReferenceField = Annotated[Reference, PlainValidator(_read_reference), PlainSerializer(_plain), schema(PATHS_SCHEMA)]
