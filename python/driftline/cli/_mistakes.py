"""Mistakes in a command, in a line that says what to do.

What reads the options is typer, whose own sentences change from version to version; what they say is known by the
names of the errors, which do not.
"""

import re
import sys
from typing import Any

import typer

__all__ = ["run"]

MISTAKE: type[Exception] = typer.BadParameter.__mro__[2]
"""What all mistakes are, and the help that stands in for a missing command; it has no public name of its own."""


def run(app: typer.Typer) -> int:
    """Runs the command that was asked for, and returns its exit code.

    Raises:
        ValueError: There is no such command, or an option or argument is wrong.
    """
    try:
        return app(standalone_mode=False) or 0
    except typer.Abort:
        raise KeyboardInterrupt from None
    except MISTAKE as error:
        if type(error).__name__ == "NoArgsIsHelpError":
            error.show()  # type: ignore[attr-defined]
            return 2
        raise ValueError(f"{_told(error)}: see {_command(error)} --help") from None


def _told(error: Any) -> str:
    """What is wrong, from the parts of an error where it has them."""
    message = " ".join(error.format_message().split()).rstrip(".")
    match type(error).__name__:
        case "NoSuchOption":
            close = ", ".join(error.possibilities or ())
            return f"there is no option {error.option_name}" + (f", but {close}" if close else "")
        case "MissingParameter":
            return message.replace("Missing argument", "missing argument").replace("Missing option", "missing option")
        case "BadParameter":
            option = error.param.opts[0] if error.param is not None else "option"
            told = re.sub(".*(Value error, |Invalid value for [^:]+: )", "", message)
            of_several = re.fullmatch("('.*') is not (one of )?(.*)", told)
            if of_several is not None:
                return f"{option}: it takes {of_several[3]}, not {of_several[1]}"
            return f"{option}: it takes a whole number" if "integer" in told else f"{option}: {told}"
    message = message.replace(". Did you mean ", ", but ").rstrip("?")
    return message[:1].lower() + message[1:]


def _command(error: Any) -> str:
    """The command whose help says more."""
    if error.ctx is not None:
        return str(error.ctx.command_path)
    # Of an option without its value, typer does not tell the command.
    return " ".join(["driftline", *(argument for argument in sys.argv[1:2] if not argument.startswith("-"))])
