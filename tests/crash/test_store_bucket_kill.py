"""A writer into a bucket that is killed between any two requests, and started again when its lease has run out."""

import signal
import subprocess
import sys

import polars as pl
import pytest

from driftline.store import Store

COMMITS = 40

WRITING = f"""
import os, signal, sys
from datetime import UTC, datetime, timedelta
import polars as pl
from driftline._store import bucket, compact, timed_lease
from driftline.store import Store
START, HOUR = datetime(2026, 1, 1, tzinfo=UTC), timedelta(hours=1)
home, minutes, requests = sys.argv[1], int(sys.argv[2]), int(sys.argv[3])
compact.FAN = 4
clock = timed_lease.clock
timed_lease.clock = lambda: clock() + minutes * timedelta(seconds=61)

def counted(operation):
    def instead(*arguments, **options):
        global requests
        requests -= 1
        if requests == 0:
            os.kill(os.getpid(), signal.SIGKILL)
        return operation(*arguments, **options)
    return instead

for name in ("write", "add", "replace", "delete", "read", "listed", "inputs"):
    setattr(bucket.Bucket, name, counted(getattr(bucket.Bucket, name)))

def rows(n):
    hours = [(n, 1)] + ([(n // 2, 2)] if n % 2 == 0 else [])
    return pl.DataFrame([
        {{"segment": "", "column": c, "window_start": START + h * HOUR, "revision": r, "effect": h + r / 10}}
        for h, r in hours for c in "xy"
    ])

with Store(home).writer("churn", "logs") as writer:
    n, state = writer.checkpoint()
    assert state == b"state %d" % n if n else state == b""
    while n < {COMMITS}:
        n += 1
        alarms = rows(n).with_columns(alarm=pl.lit("a") + pl.col("column"), event=pl.lit(n)) if n % 7 == 0 else None
        writer.commit(n, results=rows(n), alarms=alarms, checkpoint=b"state %d" % n)
"""


@pytest.mark.skipif(sys.platform == "win32", reason="Windows has no signal that kills")
def test_killed_between_requests_and_nothing_is_lost_or_doubled(s3: str) -> None:
    whole, killed = f"{s3}/whole", f"{s3}/killed"
    command = [sys.executable, "-c", WRITING]
    subprocess.run([*command, whole, "0", "0"], check=True)
    store = Store(killed)
    seen = []
    # Each process comes a few commits further, and ends at another request of one.
    for minutes, requests in enumerate([1, 2, 3, 5, 8, 13, 21, 34, 55, 89]):
        done = subprocess.run([*command, killed, str(minutes), str(requests)], capture_output=True, check=False)
        assert done.returncode == -signal.SIGKILL, done.stderr
        assert store.verify() == []
        seen.append(store.results().rows)
    assert seen == sorted(seen)
    assert 0 < seen[-1] < 2 * COMMITS
    # While it holds, a lease keeps the next process away whatever became of its owner.
    refused = subprocess.run([*command, killed, "0", "0"], capture_output=True, text=True, check=False)
    assert "StorageError" in refused.stderr
    assert "if it was killed, the source is free in" in refused.stderr
    subprocess.run([*command, killed, "11", "0"], check=True)
    for table in ("results", "alarms"):
        expected, found = (pl.DataFrame(getattr(Store(home), table)()) for home in (whole, killed))
        assert found.equals(expected)
    assert store._files.listed().keys() == Store(whole)._files.listed().keys()
    assert store.verify() == []
