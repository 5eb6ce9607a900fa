"""The command line: `driftline profile`, `compare`, `init`, `monitor`, `status` and `demo`.

Results go to stdout, progress and errors to stderr. Exit codes: 0 fine, 1 the answer is no, 2 the user's mistake or bad
input, 3 something outside failed and can be tried again.
"""

import io
import signal
import sys
from types import FrameType
from typing import NoReturn

__all__ = ["main"]

INTERRUPTED = 128 + signal.SIGINT
"""What shells report of a command that Ctrl-C ended."""


def main() -> None:
    """Runs the command line; a user never sees a traceback for a mistake of theirs."""
    from driftline.errors import DriftlineError, StorageError

    if sys.stdout is None:
        print("driftline: stdout is closed: there is nowhere to write the answer", file=sys.stderr)
        sys.exit(3)
    # A terminal or pipe that knows fewer characters than the data have is no reason to fail.
    if isinstance(sys.stdout, io.TextIOWrapper):
        sys.stdout.reconfigure(errors="replace")
    # Ended from outside, a command cleans up as after Ctrl-C.
    signal.signal(signal.SIGTERM, _terminated)
    try:
        from driftline.cli._app import app
        from driftline.cli._mistakes import run

        sys.exit(run(app))
    except KeyboardInterrupt:
        sys.exit(INTERRUPTED)
    except StorageError as error:
        _fail(error, 3)
    except (DriftlineError, ValueError, TypeError) as error:
        _fail(error, 2)
    except OSError as error:
        _fail(error, 3)


def _terminated(_signal: int, _frame: FrameType | None) -> NoReturn:
    sys.exit(128 + signal.SIGTERM)


def _fail(error: Exception, code: int) -> None:
    print(f"driftline: {error}", file=sys.stderr)
    sys.exit(code)
