"""Who owns a source in a bucket, where no system frees what a killed process held: an object that holds for a time.

It is put on condition that it is new or the one that was seen, so that of two processes one gets it. Its owner renews
it as long as it lives; of one that was killed it runs out. A process that was stopped for longer than that, and goes
on, may believe for a moment that it still owns the source: its next commit is refused, see `Writer`.
"""

import json
import threading
import weakref
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from math import ceil
from secrets import token_hex

from driftline._store.files import Files, Version
from driftline._store.lease import holder, in_use, who
from driftline._store.names import LEASE, base_of
from driftline.errors import DriftlineError, StorageError

__all__ = ["TimedLease", "clock"]

LASTS_S = 60.0
"""Longer than a request with all its repetitions, short enough to wait for."""

RENEWED_S = 15.0
"""How old it becomes before it is renewed."""


def clock() -> datetime:
    """The time; machines that share a source must agree on it to some seconds."""
    return datetime.now(UTC)


class TimedLease:
    """A source is ours until `release`, or until it was not renewed in time and another process took it."""

    def __init__(self, files: Files, monitor: str, writer: str) -> None:
        self._files = files
        self._source = monitor, writer
        self._name = f"{base_of(monitor, writer)}/{LEASE}"
        self.path = files.path(self._name)
        self._who = {**who(), "token": token_hex(16)}
        self._lock = threading.Lock()
        self._lost: StorageError | None = None
        self._renewed = clock()
        self._version = self._taken()
        self._ended = threading.Event()
        # The thread does not keep the lease: one that is forgotten runs out.
        keep = threading.Thread(target=_keep, args=(weakref.ref(self), self._ended), daemon=True)
        weakref.finalize(self, self._ended.set)
        keep.start()

    def check(self) -> None:
        """Makes sure that the source is still ours, and will be for a while.

        Raises:
            StorageError: Another process has taken it, or the network fails.
        """
        with self._lock:
            if self._lost is not None:
                raise StorageError(str(self._lost))
            if not timedelta(0) <= clock() - self._renewed < timedelta(seconds=RENEWED_S):
                self._renew()

    def release(self) -> None:
        """Gives the source up, where it is still ours."""
        self._ended.set()
        with self._lock:
            if self._lost is None:
                self._lost = StorageError(f"{self.path}: was given up")
                # Where this fails, it runs out by itself.
                with suppress(DriftlineError, FileExistsError):
                    self._files.replace(self._name, self._text(None), self._version)

    def _taken(self) -> Version | None:
        seen: Version | None = None
        while True:
            try:
                return self._put(seen)
            except FileExistsError:
                # In this order: what is read is that version, or it cannot be replaced.
                seen = self._files.version(self._name)
                text = self._files.read(self._name)
                left_s = _left_s(text)
                if text is not None and left_s > 0:
                    advice = f"; if it was killed, the source is free in {ceil(left_s)} s"
                    raise in_use(self.path, *self._source, text, advice) from None

    def _renew(self) -> None:
        try:
            self._version = self._put(self._version)
        except FileExistsError:
            # Of a renewal that seemed to fail, and did not, only the version is not known.
            seen = self._files.version(self._name)
            text = self._files.read(self._name)
            if text is None or _told(text).get("token") != self._who["token"]:
                monitor, writer = self._source
                self._lost = StorageError(
                    f"{self.path}: source {writer!r} of monitor {monitor!r} was taken by {holder(text or b'')}, "
                    f"because this process did not renew its lease for {LASTS_S:.0f} s: run again; nothing is lost"
                )
                raise self._lost from None
            try:
                self._version = self._put(seen)
            except FileExistsError:
                raise StorageError(f"{self.path}: is changed by another process: run again") from None

    def _put(self, seen: Version | None) -> Version | None:
        now = clock()
        version = self._files.replace(self._name, self._text(now + timedelta(seconds=LASTS_S)), seen)
        self._renewed = now
        return version

    def _text(self, until: datetime | None) -> bytes:
        return json.dumps({**self._who, "until": None if until is None else until.isoformat()}).encode()


def _keep(lease: "weakref.ref[TimedLease]", ended: threading.Event) -> None:
    """Renews a lease as long as it is there."""
    while not ended.wait(RENEWED_S):
        held = lease()
        if held is None:
            return
        # Told by the next check, which tries again.
        with suppress(DriftlineError):
            held.check()
        del held


def _told(text: bytes | None) -> dict[str, object]:
    try:
        told = json.loads(text or b"")
    except ValueError:
        return {}
    return told if isinstance(told, dict) else {}


def _left_s(text: bytes | None) -> float:
    """How long a lease still holds; one that says nothing holds nothing."""
    try:
        return (datetime.fromisoformat(str(_told(text)["until"])) - clock()).total_seconds()
    except (KeyError, ValueError, TypeError):
        return 0.0
