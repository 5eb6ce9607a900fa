"""The commands."""

import csv
import json
import math
import os
import sys
from dataclasses import asdict
from datetime import UTC, datetime
from enum import StrEnum
from typing import Annotated, Any

import typer
from rich.console import Console

import driftline as dl
from driftline._format import counted
from driftline.cli._values import comparison_as_json, profile_as_json

__all__ = ["app"]

app = typer.Typer(
    name="driftline",
    help="Watches models in production: what the data look like, and what changed.",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
    context_settings={"help_option_names": ["-h", "--help"]},
)

Paths = Annotated[
    list[str], typer.Argument(metavar="PATHS...", help="Files, folders, globs or URLs; or saved profiles.")
]
Columns = Annotated[
    list[str] | None,
    typer.Option(
        "--columns",
        "-c",
        metavar="A,B",
        help="Columns to look at; all by default. Names with a comma in double quotes.",
    ),
]
Threads = Annotated[int, typer.Option(metavar="N", help="How many to use; 0: all cores.")]
Json = Annotated[bool, typer.Option("--json", help="For machines.")]


class FailOn(StrEnum):
    """What makes a comparison fail."""

    drift = "drift"


class FailOnAlarm(StrEnum):
    """What makes a monitoring run fail."""

    alarm = "alarm"


class Correction(StrEnum):
    """How p-values are corrected for the number of columns."""

    bh = "bh"
    holm = "holm"
    none = "none"


def _version(asked: bool) -> None:
    if asked:
        print(f"driftline {dl.build_info()['version']}")
        raise typer.Exit


@app.callback()
def _driftline(
    version: Annotated[
        bool, typer.Option("--version", callback=_version, is_eager=True, help="Show the version.")
    ] = False,
) -> None:
    pass


@app.command(epilog="Exit codes: 0 fine, 2 your mistake or bad input, 3 disk or network failed: try again.")
def profile(
    paths: Paths,
    output: Annotated[str | None, typer.Option("--output", "-o", metavar="FILE", help="Save the profile here.")] = None,
    columns: Columns = None,
    k: Annotated[int, typer.Option(help="Accuracy of the quantiles.")] = 1600,
    collect: Annotated[
        list[str] | None, typer.Option(metavar="A,B", help="Of counts, moments, quantiles, distinct, top, length.")
    ] = None,
    redact: Annotated[list[str] | None, typer.Option(metavar="A,B", help="Columns of which no value is kept.")] = None,
    reference: Annotated[
        str | None, typer.Option(metavar="PATH", help="Count over the bins of this profile or these data.")
    ] = None,
    threads: Threads = 0,
    as_json: Json = False,
) -> None:
    """Profile data; of saved profiles: merge and print them."""
    saved = [path for path in paths if dl.Profile.is_saved(path)]
    if saved and len(saved) < len(paths):
        raise dl.errors.InputError(f"{saved[0]}: is a saved profile: profile the data first, then name profiles alone")
    if saved:
        if (columns, k, collect, redact, reference) != (None, 1600, None, None, None):
            raise ValueError(f"{saved[0]}: is a saved profile, whose content no option changes: profile the data again")
        made = dl.merge(dl.Profile.load(path) for path in paths)
    else:
        parts = _listed("collect", collect)
        made = dl.profile(
            paths,
            columns=_listed("columns", columns),
            k=k,
            collect=parts,  # type: ignore[arg-type]  # The engine names the parts that there are.
            redact=_listed("redact", redact) or (),
            reference=reference,
            threads=threads,
        )
    if output is not None:
        made.save(output)
        print(f"saved {output}", file=sys.stderr)
    if as_json:
        _print_json(profile_as_json(made))
    elif output is None or sys.stdout.isatty():
        _show(made)


@app.command(
    epilog="Exit codes: 0 fine, 1 something changed and --fail-on drift asks, 2 your mistake or bad input, "
    "3 disk or network failed: try again."
)
def compare(
    reference: Annotated[str, typer.Argument(metavar="REF", help="Data, or a saved profile, of before.")],
    current: Annotated[str, typer.Argument(metavar="CUR", help="The same of now.")],
    columns: Columns = None,
    tolerance: Annotated[
        str, typer.Option(metavar="SHARE", help="Share of the rows up to which a change does not matter.")
    ] = "2%",
    alpha: Annotated[str, typer.Option(metavar="SHARE", help="Accepted share of false findings.")] = "5%",
    resolution: Annotated[
        str, typer.Option(metavar="SHARE", help="At tolerance 0: the change that a stable column may still have.")
    ] = "5%",
    correction: Annotated[
        Correction, typer.Option(help="For the number of columns: Benjamini-Hochberg, Holm or none.")
    ] = Correction.bh,
    html: Annotated[str | None, typer.Option("--html", metavar="FILE", help="Write a report to look at.")] = None,
    fail_on: Annotated[
        FailOn | None,
        typer.Option(help="Exit with 1 where a column drifted, is gone or retyped, or other rows are missing."),
    ] = None,
    threads: Threads = 0,
    as_json: Json = False,
) -> None:
    """Say what changed from REF to CUR, by how much, and whether that is proved."""
    made = dl.compare(
        reference,
        current,
        columns=_listed("columns", columns),
        tolerance=tolerance,
        alpha=alpha,
        resolution=resolution,
        correction=correction.value,
        threads=threads,
    )
    if html is not None:
        made.to_html(html)
        print(f"wrote {html}", file=sys.stderr)
    if as_json:
        _print_json(comparison_as_json(made))
    else:
        _show(made)
    if fail_on is FailOn.drift and made.changed:
        raise typer.Exit(1)
    if fail_on is not None and not made.stable:
        told = f"{counted(len(made.undecided), 'column')} undecided, {len(made.not_judged):,} not judged"
        print(f"driftline: passed, but nothing is proved: {told}, none stable", file=sys.stderr)


Config = Annotated[str, typer.Option("--config", metavar="FILE", help="The configuration.")]
Home = Annotated[
    str | None,
    typer.Option(metavar="FOLDER", help="Where results are, a folder or a URL, before what the configuration says."),
]


@app.command(epilog="Exit codes: 0 fine, 2 your mistake or bad input, 3 disk or network failed: try again.")
def init(
    data: Annotated[
        list[str], typer.Argument(metavar="DATA...", help="Files, folders, globs or URLs of a log, as one data set.")
    ],
    config: Annotated[
        str, typer.Option("--config", metavar="FILE", help="The configuration to write; never overwritten.")
    ] = "driftline.yaml",
    home: Annotated[
        str | None,
        typer.Option(
            metavar="FOLDER", help="Where results go, a folder or a URL; .driftline beside the file by default."
        ),
    ] = None,
    time: Annotated[
        str | None, typer.Option(metavar="COLUMN", help="The time of the rows, where it is not guessed right.")
    ] = None,
    as_json: Json = False,
) -> None:
    """Look at data, guess what the columns are, write a commented driftline.yaml, and monitor what is there."""
    from driftline._init.begin import begin
    from driftline.cli._init import begun_as_json, tell_begun

    begun = begin(data, config=config, home=home, time_column=time)
    if as_json:
        _print_json(begun_as_json(begun))
    else:
        _write("\n".join(tell_begun(begun)))


@app.command(
    epilog="Exit codes: 0 fine, 1 an alarm is open and --fail-on alarm asks, or the home is damaged, "
    "2 your mistake or bad input, "
    "3 disk or network failed, a file of several cannot be read yet, or another process watches the same source: "
    "try again."
)
def monitor(
    config: Config = "driftline.yaml",
    home: Home = None,
    writer: Annotated[
        str, typer.Option(metavar="NAME", help="What these rows come from, of several sources.")
    ] = "main",
    fail_on: Annotated[FailOnAlarm | None, typer.Option(help="Exit with 1 where an alarm is open.")] = None,
    replay: Annotated[
        bool, typer.Option("--replay", help="Show the past as it would have been seen, alarm by alarm; writes nothing.")
    ] = False,
    threads: Threads = 0,
    as_json: Json = False,
) -> None:
    """Read what is new, update windows, series and alarms."""
    from driftline._config import read_config
    from driftline._monitor import Monitor
    from driftline._monitor.replay import replay as replayed
    from driftline._monitor.status import status_of
    from driftline.cli._monitor import status_as_json, summary_lines, tell_replay, tell_status

    if replay:
        past = replayed(read_config(config, home=home))
        if as_json:
            told = {"series_windows": past.series_windows, "psi_above_0.1": past.bare, "events": past.events}
            _print_json({**told, **status_as_json(past.status)})
        else:
            _write("\n".join(tell_replay(past)))
        return
    with Monitor(config, home=home, writer=writer, threads=threads) as made:
        summary = made.read()
    status = status_of(made.config)
    if as_json:
        _print_json({"read": asdict(summary), **status_as_json(status)})
    else:
        _write("\n".join([*summary_lines(summary), *tell_status(status)]))
    for why in summary.unreadable.values():
        print(f"driftline: {why}; it is tried again in the next run", file=sys.stderr)
    # What was read is stored, and its answer comes first.
    if status.damaged or (fail_on is FailOnAlarm.alarm and status.open):
        raise typer.Exit(1)
    if summary.unreadable:
        raise typer.Exit(3)


@app.command(
    epilog="Exit codes: 0 fine, 1 the home is damaged, 2 your mistake or bad input, "
    "3 disk or network failed: try again."
)
def status(
    config: Config = "driftline.yaml",
    home: Home = None,
    verify: Annotated[
        bool, typer.Option("--verify", help="Read the whole store, and explain what is damaged.")
    ] = False,
    html: Annotated[str | None, typer.Option("--html", metavar="FILE", help="Write a page to look at.")] = None,
    as_json: Json = False,
) -> None:
    """Say how things stand: open alarms, what is promised, what can be found."""
    from driftline._config import read_config
    from driftline._monitor.status import status_of
    from driftline._store import Store
    from driftline.cli._monitor import status_as_json, tell_status

    read = read_config(config, home=home)
    if verify:
        findings = Store(read.home).verify()
        if as_json:
            _print_json([finding._asdict() for finding in findings])
        else:
            _write("\n".join(map(str, findings)) or "the store is whole")
        if findings:
            raise typer.Exit(1)
        return
    if html is not None:
        from driftline._monitor_page import looked_at, render
        from driftline._page.file import check_place, write_page

        name = check_place(html)
        found, history = looked_at(read)
        write_page(name, render(found, history, datetime.now(UTC)))
        print(f"wrote {html}", file=sys.stderr)
    else:
        found = status_of(read)
    if as_json:
        _print_json(status_as_json(found))
    else:
        _write("\n".join(tell_status(found)))
    if found.damaged:
        raise typer.Exit(1)


@app.command()
def demo(
    html: Annotated[
        str, typer.Option("--html", metavar="FILE", help="Where to write the report.")
    ] = "driftline-demo.html",
    as_json: Json = False,
) -> None:
    """Tell the story of a bundled log: what changed since the model was built, what did not, what cannot be told."""
    from driftline.cli._demo import DemoStory, tell
    from driftline.cli._monitor import status_as_json

    story = DemoStory()
    story.since_training.to_html(html)
    if as_json:
        told = {"since_training": story.since_training, "last_quarter": story.last_quarter}
        compared = {name: comparison_as_json(comparison) for name, comparison in told.items()}
        _print_json({**compared, "weeks": status_as_json(story.weeks.status)})
        return
    for part in tell(story, html):
        if isinstance(part, str):
            _write(part)
        else:
            _show(part)


def _listed(option: str, given: list[str] | None) -> list[str] | None:
    """Names as the header of a CSV file has them: one with a comma stands in double quotes.

    An option that is given twice adds up: of two that say what to redact, none may be lost.
    """
    if given is None:
        return None
    try:
        lines = [row for names in given for row in csv.reader([names], skipinitialspace=True, strict=True)]
    except csv.Error:
        raise ValueError(
            f"{option} is {' '.join(given)}: write A,B, and a name with a comma in double quotes"
        ) from None
    return [name for names in lines for name in names if name]


def _show(made: Any) -> None:
    """A table with lines on a terminal, plain text in a pipe."""
    if sys.stdout.isatty():
        Console().print(made)
    else:
        _write(repr(made))


def _print_json(value: Any) -> None:
    # Escaped where the characters would be lost on the way.
    is_unicode = (sys.stdout.encoding or "").lower().replace("-", "") == "utf8"
    _write(json.dumps(_finite(value), ensure_ascii=not is_unicode))


def _write(text: str) -> None:
    try:
        print(text, flush=True)
    except BrokenPipeError:
        # Whoever reads has seen enough; what the answer is the exit code still says. Python would flush once more at
        # exit, and fail aloud.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


def _finite(value: Any) -> Any:
    """JSON has no infinities and no bytes."""
    if isinstance(value, float) and not math.isfinite(value):
        return None if math.isnan(value) else str(value)
    if isinstance(value, bytes):
        return value.decode("utf-8", "backslashreplace")
    if isinstance(value, dict):
        return {key: _finite(inner) for key, inner in value.items()}
    if isinstance(value, list | tuple):
        return [_finite(inner) for inner in value]
    return value
