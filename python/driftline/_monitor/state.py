"""What a checkpoint holds beside the state of the engine."""

import json
from dataclasses import asdict, dataclass, field
from typing import Final

from driftline import _core
from driftline._config import Config
from driftline.errors import ConfigError, InputError

__all__ = ["Begun", "FileSeen", "State", "shaping"]

SHAPING: Final = (
    "columns",
    "reference",
    "timezone",
    "segment_limit",
    "window",
    "lateness",
    "tolerance",
    "false_alarms",
)
"""Keys that results depend on: another value makes another monitor."""

VERSION: Final = 4
"""Of what a checkpoint holds, the state of the engine in it too."""

LENGTH: Final = 8
"""Bytes that say how long the readable part is."""


@dataclass(frozen=True, slots=True)
class FileSeen:
    """A file that was read."""

    size_bytes: int
    modified_ns: int
    content: str
    """A hash that changes with the content."""
    first_us: int | None
    last_us: int | None
    rows: int
    is_gone: bool = False
    """Whether it was not there any more in the last run."""


@dataclass(frozen=True, slots=True)
class Begun:
    """A file that is being read."""

    file: FileSeen
    rows: int
    """Rows up to which it was read."""
    since_us: int | None = None
    """Rows of before this instant were counted as those of a changed file, wherever they stand."""


@dataclass(slots=True)
class State:
    """What is known between two runs."""

    config: dict[str, object]
    """The part of the configuration that results depend on."""
    until_us: int | None = None
    """The end of the reference, where that is a part of the span of an archive."""
    files: dict[str, FileSeen] = field(default_factory=dict)
    begun: dict[str, Begun] = field(default_factory=dict)
    handed_over_us: tuple[int, int] | None = None
    """The first and the last time of rows that were handed over: they cannot be counted anew."""
    expired_us: int | None = None
    """Until when results that the configuration keeps no longer have gone."""
    is_live: bool = False
    """Whether rows came about as fast as the clock goes: then no rows are news."""

    def known(self) -> dict[str, FileSeen]:
        """All files of which rows are counted."""
        return {name: begun.file for name, begun in self.begun.items()} | self.files

    def encode(self, core: _core.Encoded) -> _core.Encoded:
        """Together with the state of the engine."""
        values = {"version": VERSION, **asdict(self)}
        text = json.dumps(values, separators=(",", ":"), sort_keys=True).encode()
        return core.after(len(text).to_bytes(LENGTH, "little") + text)

    @classmethod
    def of(cls, config: Config, data: bytes) -> tuple["State", bytes]:
        """The same of a checkpoint that was written under this configuration.

        Raises:
            ConfigError: It was another one.
            InputError: The bytes are damaged.
        """
        state, core = cls.from_bytes(data)
        now = shaping(config)
        for key in SHAPING:
            if state.config.get(key) != now[key]:
                raise ConfigError(
                    f"{key} is {now[key]}, and monitor {config.monitor} began with {state.config.get(key)}: what it "
                    "promised holds for that; put it back, or name the monitor anew"
                )
        return state, core

    @classmethod
    def from_bytes(cls, data: bytes) -> tuple["State", bytes]:
        """The inverse of `encode`.

        Raises:
            InputError: The bytes are damaged.
        """
        length = int.from_bytes(data[:LENGTH], "little")
        try:
            values = json.loads(data[LENGTH : LENGTH + length])
            version = int(values.pop("version"))
        except (ValueError, TypeError, KeyError) as error:
            raise InputError(f"the checkpoint is damaged: {error}") from None
        if version != VERSION:
            # The state of the engine says only by this what it is.
            todo = "update driftline" if version > VERSION else "name the monitor anew, so that it reads its data again"
            raise InputError(f"the checkpoint is of version {version}, this driftline reads {VERSION}: {todo}")
        try:
            files = {name: FileSeen(**seen) for name, seen in values.pop("files").items()}
            begun = {name: Begun(**{**of, "file": FileSeen(**of["file"])}) for name, of in values.pop("begun").items()}
            span = values.pop("handed_over_us")
            handed_over_us = None if span is None else (int(span[0]), int(span[1]))
            return cls(**values, files=files, begun=begun, handed_over_us=handed_over_us), data[LENGTH + length :]
        except (ValueError, TypeError, KeyError) as error:
            raise InputError(f"the checkpoint is damaged: {error}") from None


def shaping(config: Config) -> dict[str, object]:
    """The part of a configuration that results depend on."""
    values = config.model_dump(mode="json")
    return {key: values[key] for key in SHAPING}
