"""What all tests share."""

import os
import pathlib

import pytest
from hypothesis import settings

import driftline as dl

SHARED = pathlib.Path(os.environ.get("DRIFTLINE_SHARED", pathlib.Path(__file__).parents[1].parent / "shared"))

# Examples are the same in every run, and a slow machine fails nothing.
settings.register_profile("fixed", derandomize=True, deadline=None, max_examples=60, database=None)
settings.load_profile("fixed")


def pytest_report_header() -> list[str]:
    info = dl.build_info()
    return [f"driftline {info.pop('version')}: " + ", ".join(f"{name}: {value}" for name, value in info.items())]


@pytest.fixture(scope="session")
def shared() -> pathlib.Path:
    """Data and oracles that lie beside the repository."""
    if not SHARED.is_dir():
        pytest.skip("the folder ../shared with published data and oracles is not here")
    return SHARED
