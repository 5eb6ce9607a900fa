"""The command line: `driftline profile`, `compare` and `demo`.

Results go to stdout, progress and errors to stderr. Exit codes: 0 fine, 1 the answer is no, 2 the user's mistake or bad
input, 3 something outside failed and can be tried again.
"""

import signal
import sys

__all__ = ["main"]

INTERRUPTED = 128 + signal.SIGINT
"""What shells report of a command that Ctrl-C ended."""


def main() -> None:
    """Runs the command line; a user never sees a traceback for a mistake of theirs."""
    from driftline.errors import DriftlineError, StorageError

    if sys.stdout is None:
        print("driftline: stdout is closed: there is nowhere to write the answer", file=sys.stderr)
        sys.exit(3)
    try:
        from driftline.cli._app import app

        app()
    except KeyboardInterrupt:
        sys.exit(INTERRUPTED)
    except StorageError as error:
        _fail(error, 3)
    except (DriftlineError, ValueError, TypeError) as error:
        _fail(error, 2)
    except OSError as error:
        _fail(error, 3)


def _fail(error: Exception, code: int) -> None:
    print(f"driftline: {error}", file=sys.stderr)
    sys.exit(code)
