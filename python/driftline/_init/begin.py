"""From paths to a monitor that has read what is there: look, guess, write, read."""

import glob
import os
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from driftline import _core
from driftline._config import Config, read_config
from driftline._config.values import name_of_folder
from driftline._init.facts import Facts, look
from driftline._init.guess import Guess, guess
from driftline._init.text import config_text
from driftline._monitor.archive import ReadSummary
from driftline._monitor.monitor import Monitor
from driftline._monitor.status import Status, status_of
from driftline._sources import is_url
from driftline._store import Store
from driftline.errors import ConfigError, InputError, StorageError

__all__ = ["Begun", "begin"]

ENDINGS: Final = (".yaml", ".yml")


@dataclass(frozen=True, slots=True)
class Begun:
    """What was done."""

    path: str
    """The file that was written."""
    facts: Facts
    guess: Guess
    config: Config
    summary: ReadSummary
    status: Status


def begin(
    data: Sequence[str], *, config: str = "driftline.yaml", home: str | None = None, time_column: str | None = None
) -> Begun:
    """Writes a configuration for some data, and lets its monitor read what is there.

    Args:
        data: Files, folders, globs or URLs.
        config: The file to write; it must not be there.
        home: The folder of results, or its URL, before the default and `DRIFTLINE_HOME`.
        time_column: The column of the times, where they cannot be guessed.

    Raises:
        InputError: The data cannot be read, or hold no times; or the file is there already.
        StorageError: The disk or the network fails.
    """
    if home == "":
        raise ConfigError("home is empty: name a folder")
    path = _free(config)
    folder = path.absolute().parent
    # The folder tells what is monitored, and of several files in it the name of each.
    name = name_of_folder(folder if path.stem == "driftline" else Path(path.stem))
    data = list(dict.fromkeys(data))
    chosen = _home(home or os.environ.get("DRIFTLINE_HOME") or str(folder / ".driftline"))
    _refuse_taken(chosen, name, config)
    _refuse_among(data, chosen)
    now_us = time.time_ns() // 1000
    facts = look(data, now_us=now_us, time=time_column)
    guessed = guess(facts, now_us=now_us, time=time_column)
    text = config_text(
        facts,
        guessed,
        monitor=name,
        data=[_seen_from(folder, item) for item in _together(data)],
        home=None if home is None else _seen_from(folder, home),
    )
    _free(config)
    _core.write_file(str(path), text.encode())
    has_begun = False
    try:
        made = read_config(path, home=home)
        with Monitor(made) as monitor:
            has_begun = True
            summary = monitor.read()
    except BaseException as error:
        # A file that does not run is none; one whose disk failed while it ran can be gone on with.
        if not has_begun or isinstance(error, InputError):
            path.unlink(missing_ok=True)
        raise
    return Begun(config, facts, guessed, made, summary, status_of(made))


def _free(config: str) -> Path:
    """The path of a file that can be written without harm."""
    if is_url(config):
        raise ConfigError(f"{config}: a configuration is a file on this machine: name one, such as driftline.yaml")
    path = Path(config).expanduser()
    if path.suffix.lower() not in ENDINGS:
        raise ConfigError(f"{config}: init writes YAML: name a file that ends in .yaml, such as driftline.yaml")
    try:
        if os.path.lexists(path):
            raise ConfigError(
                f"{config}: is there already, and is not overwritten: name another one with --config other.yaml, or "
                "remove it first"
            )
        if not path.absolute().parent.is_dir():
            raise ConfigError(f"{config}: there is no folder {path.parent}: make it first")
    except OSError as error:
        raise StorageError(f"{config}: {error.strerror}") from error
    return path


def _home(home: str) -> str:
    """Where results go, a folder or a URL."""
    return home.rstrip("/") if is_url(home) else str(Path(home).expanduser())


def _refuse_taken(home: str, name: str, config: str) -> None:
    """A monitor of this name goes on where it ended: it would not begin with these data."""
    if not is_url(home) and not Path(home).is_dir():
        return
    if Store(home).sources(name):
        raise ConfigError(
            f"{home}: holds results of a monitor {name} already, which {config} would go on with: name "
            "another folder with --home, another file with --config, or remove it first"
        )


def _refuse_among(data: Sequence[str], home: str) -> None:
    """Results in the midst of the data would be read as data by the next run."""
    for path in data:
        below = _below(path, home)
        # Folders of such names are left out of what is read.
        if below is not None and not any(part.startswith((".", "_")) for part in below):
            raise ConfigError(
                f"{home}: lies in {path}, so that results would be read as data: name a folder elsewhere with --home, "
                "or one whose name begins with a dot"
            )


def _below(path: str, home: str) -> tuple[str, ...] | None:
    """The folders from one that is read as a whole down to the home; `None` where that lies elsewhere."""
    if is_url(path) != is_url(home):
        return None
    if is_url(path):
        top = path.rstrip("/") + "/"
        return tuple(home[len(top) :].split("/")) if f"{home}/".startswith(top) else None
    whole, top_folder = Path(home).absolute(), Path(path).absolute()
    return whole.relative_to(top_folder).parts if top_folder.is_dir() and whole.is_relative_to(top_folder) else None


def _together(data: Sequence[str]) -> list[str]:
    """A shell makes many names of one glob; as a glob they name new files too."""
    if len(data) < 2 or any(is_url(path) or not Path(path).is_file() for path in data):
        return list(data)
    folders, endings = {str(Path(path).parent) for path in data}, {_ending(path) for path in data}
    if len(folders) > 1 or len(endings) > 1 or not (ending := endings.pop()):
        return list(data)
    folder = Path(folders.pop())
    there = {item.name for item in folder.iterdir() if item.name.endswith(ending) and item.name[0] not in "._"}
    return (
        [str(Path(glob.escape(str(folder))) / f"*{ending}")]
        if there == {Path(path).name for path in data}
        else list(data)
    )


def _ending(path: str) -> str:
    """`.parquet`, `.csv.gz`."""
    suffixes = Path(path).suffixes
    return "".join(suffixes[-2:] if suffixes and suffixes[-1] in (".gz", ".zst") else suffixes[-1:])


def _seen_from(folder: Path, path: str) -> str:
    """A path as the file in a folder names it: relative where it lies below, as it was where it is a URL."""
    if is_url(path) or path.startswith("~"):
        return path
    whole = Path(os.path.normpath(Path(path).absolute()))
    return str(whole.relative_to(folder)) if whole.is_relative_to(folder) else str(whole)
