"""A commit on its way to the disk, while its monitor reads on."""

from threading import Thread
from typing import Any

from driftline._store import Writer

__all__ = ["Writing"]


class Writing:
    """Begins to write a commit in a thread of its own; encoding and the disk leave Python to others."""

    def __init__(self, writer: Writer, number: int, commit: dict[str, Any]) -> None:
        self._error: BaseException | None = None
        self._thread = Thread(target=self._write, args=(writer, number, commit), name="driftline-commit")
        self._thread.start()

    def _write(self, writer: Writer, number: int, commit: dict[str, Any]) -> None:
        try:
            writer.commit(number, **commit)
            # It is not asked for again, and would take its room until it is waited for.
            commit.clear()
        except BaseException as error:  # It is raised where the commit is waited for.
            self._error = error

    def wait(self) -> BaseException | None:
        """Returns when it is over, with what went wrong."""
        self._thread.join()
        return self._error
