"""Object stores, against a local server that speaks S3; HTTP against a file server."""

import functools
import http.server
import pathlib
import subprocess
import sys
import threading
from collections.abc import Iterator

import boto3
import polars as pl
import pytest
from s3_bucket import settings_of

import driftline as dl

FRAME = pl.DataFrame({"x": [float(i) for i in range(1000)], "s": ["a", "b"] * 500})


@pytest.fixture(scope="module")
def bucket(s3_server: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    with pytest.MonkeyPatch.context() as patch:
        for name, value in settings_of(s3_server).items():
            patch.setenv(name, value)
        client = boto3.client("s3", endpoint_url=s3_server, region_name="us-east-1")
        client.create_bucket(Bucket="logs")
        file = tmp_path_factory.mktemp("s3") / "a.parquet"
        FRAME.write_parquet(file, row_group_size=300)
        for key in (
            "june/country=FR/a.parquet",
            "june/country=DE/b c.parquet",
            "june/_tmp/c.parquet",
            "july/a.parquet",
        ):
            client.upload_file(str(file), "logs", key)
        client.put_object(Bucket="logs", Key="june/readme.txt", Body=b"no data")
        yield "s3://logs"


@pytest.mark.parametrize(
    ("path", "rows"),
    [
        ("july/a.parquet", 1000),
        ("june", 2000),
        ("june/", 2000),
        ("june/*/*.parquet", 3000),
        ("june/country=??/*.parquet", 2000),
        ("**/a.parquet", 2000),
        ("june/country=[DX]*/*", 1000),
        ("", 3000),
    ],
)
def test_objects_prefixes_and_globs(bucket: str, path: str, rows: int) -> None:
    p = dl.profile(f"{bucket}/{path}")
    assert (p.rows, p["x"].max) == (rows, 999)


def test_partitions_and_lists(bucket: str) -> None:
    p = dl.profile([f"{bucket}/june", f"{bucket}/july/a.parquet"], threads=3)
    assert p.rows == 3000
    assert {item.value: item.count for item in p["country"].top()} == {"FR": 1000, "DE": 1000}


def test_profiles_in_a_store(bucket: str) -> None:
    url = f"{bucket}/saved/a.profile.parquet"
    dl.profile(FRAME).save(url)
    assert dl.Profile.load(url).rows == 1000
    assert dl.compare(url, FRAME).drifted == []


@pytest.mark.parametrize(
    ("path", "message"),
    [
        ("s3://logs/none.parquet", "s3://logs/none.parquet: no object, and none below it in Parquet"),
        ("s3://logs/june/*.csv", r"s3://logs/june/\*.csv: matches no object"),
        ("ftp://host/a.parquet", "ftp:// is not known; known are abfs"),
    ],
)
def test_what_is_not_there(bucket: str, path: str, message: str) -> None:
    with pytest.raises(dl.errors.InputError, match=message):
        dl.profile(path)
    with pytest.raises(dl.errors.InputError, match="no such object"):
        dl.Profile.load(f"{bucket}/none.profile.parquet")


def test_without_the_extra() -> None:
    code = "import sys; sys.modules['obstore'] = None; import driftline; driftline.profile('s3://a/b.parquet')"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert "InputError: s3://a/b.parquet: object stores need: pip install 'driftline[cloud]'" in done.stderr


class Ranged(http.server.SimpleHTTPRequestHandler):
    """Python's file server knows no ranges, which is how Parquet is read."""

    def do_GET(self) -> None:
        path = pathlib.Path(self.translate_path(self.path))
        if not path.is_file():
            self.send_error(404)
            return
        data = path.read_bytes()
        first, last = (int(at) for at in self.headers["Range"].removeprefix("bytes=").split("-"))
        self.send_response(206)
        self.send_header("Content-Range", f"bytes {first}-{last}/{len(data)}")
        self.send_header("Content-Length", str(last + 1 - first))
        self.end_headers()
        self.wfile.write(data[first : last + 1])

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002
        pass


def test_http(tmp_path: pathlib.Path) -> None:
    FRAME.write_parquet(tmp_path / "a.parquet")
    handler = functools.partial(Ranged, directory=str(tmp_path))
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        base = f"http://127.0.0.1:{server.server_port}"
        assert dl.profile(f"{base}/a.parquet")["x"].max == 999
        with pytest.raises(dl.errors.InputError, match="over HTTP there are no folders and no globs"):
            dl.profile(f"{base}/none.parquet")
        server.shutdown()
