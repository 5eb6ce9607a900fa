"""A walk over everything that explains what is damaged."""

from collections.abc import Iterable, Iterator
from typing import NamedTuple

from driftline import _core
from driftline._store.checkpoint import Head, read_state
from driftline._store.files import Files, is_half
from driftline._store.names import (
    CHECKPOINT,
    LAYOUT,
    LEASE,
    MONITOR,
    TABLES,
    Part,
    counting,
    folder_of,
    known_of,
    names_of,
    part_of,
    parts_of,
)
from driftline.errors import DriftlineError

__all__ = ["RESTORE", "UNTIL_THEN", "Finding", "finding_of", "verify"]

GO_ON = "restore it from a backup, or go on without: after the next commit it is missed no more"
RESTORE = "restore it from a backup, or delete it: its rows are then missing, and nothing else"

UNTIL_THEN = "facts of this source cannot be read until then"

NEVER = 2**62
"""A time, in microseconds, when no window begins."""


class Finding(NamedTuple):
    """Something that is not as it must be."""

    file: str
    wrong: str
    todo: str

    def __str__(self) -> str:
        return f"{self.file}: {self.wrong}; {self.todo}"


def verify(files: Files) -> list[Finding]:
    """What is wrong, by file; files that a writer compacts meanwhile are left out."""
    from driftline._store.writer import check_layout

    listed = files.listed()
    if not listed:
        return []
    try:
        check_layout(files)
    except DriftlineError as error:
        return [finding_of(files, LAYOUT, error, "nothing else was looked at")]
    found = []
    # It is written after the first lease and before all else.
    if LAYOUT not in listed and any(not name.endswith(f"/{LEASE}") for name in listed):
        wrong = "is missing: it says the store's version"
        found.append(Finding(files.path(LAYOUT), wrong, "the next writer makes it anew"))
    bases = set()
    for name in sorted(listed):
        if is_half(name):
            wrong = "is the rest of a write that was stopped, unless a run is writing it now"
            found.append(Finding(files.path(name), wrong, "the source's next run deletes it"))
        elif not _is_part_of_the_layout(name):
            found.append(Finding(files.path(name), "is no part of a store", "move it away"))
        elif name != LAYOUT:
            bases.add("/".join(name.split("/")[:2]))
    for base in sorted(bases):
        found += _of_source(files, base)
    if not found:
        found += _of_columns(files, listed, sorted(bases))
    return sorted(found)


def _is_part_of_the_layout(name: str) -> bool:
    parts = name.split("/")
    match parts:
        case [_]:
            return name == LAYOUT
        case [monitor, _, last]:
            return MONITOR.fullmatch(monitor) is not None and last in (CHECKPOINT, LEASE)
        case [monitor, _, table, last]:
            return MONITOR.fullmatch(monitor) is not None and table in TABLES and part_of(last) is not None
    return False


def _of_source(files: Files, base: str) -> Iterator[Finding]:
    listed = files.listed(base)
    parts = parts_of(listed, base)
    checkpoint = files.path(f"{base}/{CHECKPOINT}")
    try:
        read = read_state(files, base)
    except DriftlineError as error:
        yield finding_of(files, f"{base}/{CHECKPOINT}", error, UNTIL_THEN)
    else:
        head = None if read is None else read[0]
        yield from _of_commits(files, base, parts, head, checkpoint)
        if head is not None:
            # What counts for nobody the next run deletes.
            parts = {
                table: sorted({*known_of(found, head.parts[table]), *(p for p in found if p.first > head.commit)})
                for table, found in parts.items()
            }
    for table in TABLES:
        yield from _of_table(files, base, table, parts[table])


def _of_commits(
    files: Files, base: str, parts: dict[str, list[Part]], head: Head | None, checkpoint: str
) -> Iterator[Finding]:
    """What the checkpoint and the names of files say of each other."""
    monitor, _, folder = base.partition("/")
    commit = 0 if head is None else head.commit
    last = max((part.last for found in parts.values() for part in found), default=0)
    # The commit after the checkpoint's may have been begun, and will be written again.
    if last > commit + 1 or any(part.first <= commit < part.last for found in parts.values() for part in found):
        told = f"is of commit {commit}" if head is not None else "is missing"
        yield Finding(
            checkpoint,
            f"{told}, but files of commits up to {last} are there",
            "restore the source's folder as a whole from a backup, or move it away to begin anew",
        )
    if head is None:
        return
    if head.monitor != monitor or folder_of(head.writer) != folder:
        wrong = f"is of source {head.writer!r} of monitor {head.monitor!r}, whose folder this is not"
        yield Finding(checkpoint, wrong, "put the folder back where it was")
    for table, known in head.parts.items():
        for part in known:
            if part not in parts[table] and not any(other.covers(part) for other in parts[table]):
                commits = f"commit {part.first}" if part.first == part.last else f"commits {part.first} to {part.last}"
                wrong = f"is missing, with the {table} of {commits}"
                # A writer that expired or compacted meanwhile has said so in its checkpoint or by another file.
                now = parts_of(files.listed(base), base)[table]
                if not any(other.covers(part) for other in now):
                    yield Finding(files.path(f"{base}/{table}/{part.name}"), wrong, GO_ON)


def _of_table(files: Files, base: str, table: str, parts: list[Part]) -> Iterator[Finding]:
    monitor, _, folder = base.partition("/")
    sound: list[tuple[Part, _core.Input]] = []
    for part in parts:
        name = f"{base}/{table}/{part.name}"
        try:
            (input_,) = files.inputs([name])
            _, owners = _core.examine_facts(input_, table)
        except DriftlineError as error:
            if files.read(name, most_bytes=1) is not None:
                yield finding_of(files, name, error, RESTORE)
            continue
        others = [owner for owner in owners if owner[0] != monitor or folder_of(owner[1]) != folder]
        if others:
            wrong = f"has rows of source {others[0][1]!r} of monitor {others[0][0]!r}, whose folder this is not"
            yield Finding(files.path(name), wrong, "move it away, or back to where it was")
        sound.append((part, input_))
    try:
        found = _core.facts_that_disagree([input_ for _, input_ in sound], table)
    except DriftlineError as error:
        # Each was sound a moment ago.
        if set(counting(parts)) == set(counting(parts_of(files.listed(base), base)[table])):
            yield Finding(files.path(f"{base}/{table}"), str(error), "verify again")
        return
    for first, second, row, count, columns in found:
        name, other = (sound[position][0].name for position in (first, second))
        rows = "a row" if count == 1 else f"{count} rows"
        yield Finding(
            files.path(f"{base}/{table}/{other}"),
            f"disagrees with {name} about {', '.join(columns)} of {rows} of equal identity and revision, "
            f"the first of {row}",
            "the later of the two counts; a writer never writes this, so one was changed: restore it from a backup",
        )


def _of_columns(files: Files, listed: Iterable[str], bases: list[str]) -> Iterator[Finding]:
    """Whether sound files can be read as one."""
    for table in TABLES:
        names = [name for base in bases for name in names_of(base, {table: counting(parts_of(listed, base)[table])})]
        try:
            # No rows: what is asked is whether their columns go together.
            _core.read_facts(files.inputs(names), table, since=NEVER)
        except DriftlineError as error:
            name = next((name for name in names if str(error).startswith(files.path(name))), None)
            if name is None or files.read(name, most_bytes=1) is not None:
                yield finding_of(files, name or LAYOUT, error, "restore it from a backup, or move it away")


def finding_of(files: Files, name: str, error: DriftlineError, todo: str) -> Finding:
    """A finding of a message that names the file and perhaps says what to do."""
    path = files.path(name)
    return Finding(path, str(error).removeprefix(f"{path}: "), todo)
