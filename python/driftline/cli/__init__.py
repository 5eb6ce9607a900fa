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
        _check_arguments()
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


def _check_arguments() -> None:
    """Refuses characters that Python cannot pass on, where they come from bytes that the locale cannot read."""
    for argument in sys.argv[1:]:
        try:
            argument.encode()
        except UnicodeEncodeError:
            break
    else:
        return
    try:
        written = argument.encode("utf-8", "surrogateescape").decode()
    except UnicodeDecodeError:
        raise ValueError(f"{argument!a}: is not UTF-8: rename it, or name the folder that it is in") from None
    raise ValueError(f"{written!a}: the locale has no such characters: set PYTHONUTF8=1, or LC_ALL=C.UTF-8")


def _terminated(_signal: int, _frame: FrameType | None) -> NoReturn:
    sys.exit(128 + signal.SIGTERM)


def _fail(error: Exception, code: int) -> None:
    print(f"driftline: {error}", file=sys.stderr)
    sys.exit(code)
