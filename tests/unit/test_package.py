"""What an import costs, and what is public."""

import subprocess
import sys

import pytest

import driftline as dl

LAZY = {"pyarrow", "pandas", "polars", "numpy", "rich", "typer", "sqlalchemy", "obstore", "inspect", "asyncio"} | {
    "pydantic",
    "pydantic_core",
    "tomllib",
    "yaml",
    "zoneinfo",
}


def run(code: str) -> str:
    return subprocess.run([sys.executable, "-c", code], check=True, capture_output=True, text=True).stdout


def test_import_is_small() -> None:
    code = "import sys; before = set(sys.modules); import driftline; print('\\n'.join(set(sys.modules) - before))"
    loaded = run(code).split()
    assert not LAZY & {name.partition(".")[0] for name in loaded}
    # 53 when this was written; each is a file to find and run.
    assert len(loaded) < 75


def test_public_names() -> None:
    names = {"Comparison", "Monitor", "Profile", "build_info", "compare", "merge", "profile"}
    assert set(dl.__all__) == names | {"errors", "sketches", "stats"}
    assert all(hasattr(dl, name) for name in dl.__all__)


def test_build_info_tells_the_version() -> None:
    assert dl.build_info()["version"] == dl.__version__


@pytest.mark.parametrize("order", ["polars, driftline", "driftline, polars"])
def test_polars_namespace_in_either_order(order: str) -> None:
    code = f"import {order}; f = polars.DataFrame({{'a': [1, 2]}}); print(f.driftline.profile().rows, "
    code += "f.lazy().driftline.profile()['a'].max)"
    assert run(code).split() == ["2", "2"]


def test_waiting_for_polars_leaves_no_finder() -> None:
    code = "import driftline, polars, sys; print([f for f in sys.meta_path if 'driftline' in type(f).__module__])"
    assert run(code).strip() == "[]"


def test_errors() -> None:
    assert issubclass(dl.errors.InputError, dl.errors.DriftlineError)
    assert issubclass(dl.errors.InputError, ValueError)
    assert issubclass(dl.errors.StorageError, dl.errors.DriftlineError)
    assert issubclass(dl.errors.StorageError, OSError)
