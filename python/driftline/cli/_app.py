"""The commands."""

import json
import math
import os
import sys
from enum import StrEnum
from importlib.resources import as_file, files
from typing import Annotated, Any

import typer
from rich.console import Console

import driftline as dl
from driftline.cli._values import comparison_as_json, profile_as_json, share

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
    str | None, typer.Option("--columns", "-c", metavar="A,B", help="Columns to look at; all by default.")
]
Threads = Annotated[int, typer.Option(metavar="N", help="How many to use; 0: all cores.")]
Json = Annotated[bool, typer.Option("--json", help="For machines.")]


class FailOn(StrEnum):
    """What makes a comparison fail."""

    drift = "drift"


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


@app.command()
def profile(
    paths: Paths,
    output: Annotated[str | None, typer.Option("--output", "-o", metavar="FILE", help="Save the profile here.")] = None,
    columns: Columns = None,
    k: Annotated[int, typer.Option(help="Accuracy of the quantiles.")] = 1600,
    collect: Annotated[
        str | None, typer.Option(metavar="A,B", help="Of counts, moments, quantiles, distinct, top, length.")
    ] = None,
    redact: Annotated[str, typer.Option(metavar="A,B", help="Columns of which no value is kept.")] = "",
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
        if (columns, k, collect, redact, reference) != (None, 1600, None, "", None):
            raise ValueError(f"{saved[0]}: is a saved profile, whose content no option changes: profile the data again")
        made = dl.merge(dl.Profile.load(path) for path in paths)
    else:
        parts = None if collect is None else _listed(collect)
        made = dl.profile(
            paths,
            columns=None if columns is None else _listed(columns),
            k=k,
            collect=parts,  # type: ignore[arg-type]  # The engine names the parts that there are.
            redact=_listed(redact),
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


@app.command()
def compare(
    reference: Annotated[str, typer.Argument(metavar="REF", help="Data, or a saved profile, of before.")],
    current: Annotated[str, typer.Argument(metavar="CUR", help="The same of now.")],
    columns: Columns = None,
    tolerance: Annotated[
        str, typer.Option(metavar="SHARE", help="Share of the rows up to which a change does not matter.")
    ] = "2%",
    alpha: Annotated[float, typer.Option(help="Accepted share of false findings.")] = 0.05,
    fail_on: Annotated[
        FailOn | None, typer.Option(help="Exit with 1 where a column drifted, is gone or was retyped.")
    ] = None,
    threads: Threads = 0,
    as_json: Json = False,
) -> None:
    """Say what changed from REF to CUR."""
    made = dl.compare(
        reference,
        current,
        columns=None if columns is None else _listed(columns),
        tolerance=share("tolerance", tolerance),
        alpha=alpha,
        threads=threads,
    )
    if as_json:
        _print_json(comparison_as_json(made))
    else:
        _show(made)
    if fail_on is FailOn.drift and (made.drifted or made.only_in_reference or made.retyped):
        raise typer.Exit(1)


@app.command()
def demo(as_json: Json = False) -> None:
    """Profile a bundled log of predictions, and say what changed since the model was built."""
    data = files("driftline") / "demo"
    with as_file(data / "reference.parquet") as before, as_file(data / "production.parquet") as now:
        reference = dl.profile(before)
        current = dl.profile(now, reference=reference)
    made = dl.compare(reference, current)
    if as_json:
        _print_json(comparison_as_json(made))
        return
    _write("A model predicts who repays a car loan. Its log in production, 50,000 predictions with their features:\n")
    _show(current)
    _write("\nBeside it 50,000 rows of the time the model was built, the reference. What changed since?\n")
    _show(made)
    names = ", ".join(made.drifted[:3])
    _write(
        f"\n{len(made.drifted)} columns changed by more than {made.tolerance:.0%} of the rows ({names}, ...), "
        "each proven with its bound.\n\n"
        "Next, with data of your own:\n"
        "  driftline profile DATA -o reference.profile.parquet\n"
        "  driftline compare reference.profile.parquet NEWER_DATA --fail-on drift\n"
        "The data are NannyML's synthetic car-loan set (Apache-2.0)."
    )


def _listed(names: str) -> list[str]:
    return [name.strip() for name in names.split(",") if name.strip()]


def _show(made: Any) -> None:
    """A table with lines and colours on a terminal, plain text in a pipe."""
    if sys.stdout.isatty():
        Console().print(made)
    else:
        _write(repr(made))


def _print_json(value: Any) -> None:
    _write(json.dumps(_finite(value), ensure_ascii=False))


def _write(text: str) -> None:
    try:
        print(text, flush=True)
    except BrokenPipeError:
        # Whoever reads has seen enough. Python would flush once more at exit, and fail aloud.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        raise typer.Exit from None


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
