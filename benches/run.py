"""Runs all benchmarks, each in a process of its own, and prints one table."""

import os
import platform
import subprocess
import sys
import tempfile
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

import harness

BENCHMARKS = ("floats", "strings", "frames", "parquet", "compare", "monitor", "memory")
PACKAGES = ("driftline", "chdb", "duckdb", "polars", "pyarrow", "numpy", "pandas", "whylogs", "datasketches")


def machine() -> str:
    """Processor and versions, for whoever reads the table later."""
    return f"{platform.machine()}, {os.cpu_count()} cores, Python {platform.python_version()}, " + ", ".join(
        f"{name} {_version(name)}" for name in PACKAGES
    )


def _version(name: str) -> str:
    try:
        return version(name)
    except PackageNotFoundError:
        return "not installed"


def main() -> int:
    options = harness.parser(__doc__)
    options.add_argument("only", nargs="*", metavar="BENCHMARK", help=f"of {', '.join(BENCHMARKS)}; all by default")
    given = options.parse_args()
    unknown = sorted(set(given.only) - set(BENCHMARKS))
    if unknown:
        options.error(f"no benchmark {unknown[0]!r}: there are {', '.join(BENCHMARKS)}")

    lines: list[harness.Line] = []
    failed = []
    with tempfile.TemporaryDirectory() as folder:
        for name in given.only or BENCHMARKS:
            result = Path(folder) / f"{name}.json"
            script = Path(__file__).with_name(f"{name}.py")
            command = [sys.executable, str(script), "--json", str(result), "--data", str(given.data)]
            print(f"# {name}", file=sys.stderr, flush=True)
            if subprocess.run(command + ["--quick"] * given.quick, check=False).returncode:
                failed.append(name)
            else:
                lines += harness.from_json(result.read_text())
    print(machine(), end="\n\n")
    print(harness.table(lines, given.quick))
    if given.json:
        given.json.write_text(harness.as_json(lines, given.quick))
    if failed:
        print(f"\ndid not run to the end: {', '.join(failed)}", file=sys.stderr)
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
