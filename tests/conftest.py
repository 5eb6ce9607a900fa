"""What all tests share."""

import os
import pathlib
from collections.abc import Iterator

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


@pytest.fixture(scope="session")
def s3_server() -> Iterator[str]:
    """Where a server of this machine speaks S3."""
    from moto.server import ThreadedMotoServer

    server = ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
    server.start()
    host, port = server.get_host_and_port()
    yield f"http://{host}:{port}"
    server.stop()


@pytest.fixture
def s3(s3_server: str, monkeypatch: pytest.MonkeyPatch) -> str:
    """A new bucket, which this process and those that it starts can reach."""
    from s3_bucket import make_bucket, settings_of

    for name, value in settings_of(s3_server).items():
        monkeypatch.setenv(name, value)
    return make_bucket(s3_server)
