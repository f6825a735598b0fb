"""`pstgen fetch` against a local server that misbehaves as real ones do."""

import io
import socket
import sys
import threading
import time
import zipfile
from hashlib import sha256
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import numpy as np
import pytest

from pstgen.core import locks, resources
from pstgen.core.config import FetchConfig
from pstgen.core.records import BadInput, Unavailable
from pstgen.scenes import download


def zipped(**files):
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as archive:
        for name, content in files.items():
            archive.writestr(name.replace("__", "/"), content)
    return out.getvalue()


NOISE = np.random.default_rng(0).bytes(300_000)
PICTURES, TABLES = zipped(val2017__1jpg=NOISE), zipped(annotations__instances=NOISE[:100_000])


class Server(ThreadingHTTPServer):
    """Serves `pages`; the first `cuts` times it hangs up halfway; `knows_ranges`, `says_length` or not; drips with a `pause`."""

    def __init__(self, pages):
        super().__init__(("127.0.0.1", 0), Handler)
        self.pages, self.cuts, self.knows_ranges, self.requests = pages, 0, True, []
        self.says_length, self.pause = True, 0.0

    @property
    def address(self):
        return f"http://127.0.0.1:{self.server_port}"


class Handler(BaseHTTPRequestHandler):
    def do_GET(self):
        start = int((self.headers.get("Range") or "bytes=0-").removeprefix("bytes=").removesuffix("-"))
        self.server.requests.append((self.path, start))
        page = self.server.pages.get(self.path)
        if page is None:
            self.send_error(404)
            return
        start = start if self.server.knows_ranges else 0
        self.send_response(206 if start else 200)
        if self.server.says_length:
            self.send_header("Content-Length", str(len(page) - start))
        self.end_headers()
        content = page[start:]
        while self.server.pause:  # a byte now and then
            self.wfile.write(content[:1])
            content = content[1:]
            time.sleep(self.server.pause)
        if self.server.cuts:
            self.server.cuts -= 1
            content = content[: len(content) // 2]
        self.wfile.write(content)

    def log_message(self, *_):
        pass


@pytest.fixture
def server(monkeypatch):
    monkeypatch.setattr(download, "PAUSE", 0.0)
    with Server({"/zips/val.zip": PICTURES, "/annotations/all.zip": TABLES}) as local:
        known_as(monkeypatch, local.address)
        thread = threading.Thread(target=local.serve_forever, args=(0.01,))
        thread.start()
        yield local
        local.shutdown()
        thread.join()


def known_as(monkeypatch, address, **hashes):
    """Let data_sources/coco.yaml list the little archives of this test."""
    pages = {"val2017": ("zips/val.zip", PICTURES), "annotations": ("annotations/all.zip", TABLES)}
    archives = {
        name: download.Archive(path=path, bytes=len(page), sha256=hashes.get(name, sha256(page).hexdigest()))
        for name, (path, page) in pages.items()
    }
    catalogue = download.Catalogue(licence="", address=address, splits={"val2017": tuple(archives)}, archives=archives)
    monkeypatch.setattr(resources, "read", lambda *_: catalogue)


def test_archives_are_unpacked_and_not_fetched_again(server, tmp_path):
    reports = []
    folder = download.fetch(FetchConfig(cache=tmp_path), lambda *progress: reports.append(progress))
    assert (folder / "val2017" / "1jpg").read_bytes() == NOISE
    assert (folder / "annotations" / "instances").is_file()
    assert reports[-1][:2] == (len(TABLES), len(TABLES))
    requests = len(server.requests)
    download.fetch(FetchConfig(cache=tmp_path))
    assert len(server.requests) == requests == 2


def test_a_download_resumes_where_the_connection_was_cut(server, tmp_path):
    server.cuts = 2
    folder = download.fetch(FetchConfig(cache=tmp_path))
    assert (folder / "val2017" / "1jpg").read_bytes() == NOISE
    starts = [start for path, start in server.requests if "val" in path]
    assert starts[0] == 0 < starts[1] < starts[2]


def test_a_server_that_keeps_hanging_up_is_named_and_the_next_run_resumes(server, tmp_path):
    server.cuts = download.TRIES
    with pytest.raises(Unavailable, match=r"val\.zip.*run the same command again"):
        download.fetch(FetchConfig(cache=tmp_path))
    assert (download.fetch(FetchConfig(cache=tmp_path)) / "val2017" / "1jpg").read_bytes() == NOISE
    assert server.requests[download.TRIES][1] > 0


def test_from_a_server_without_ranges_a_download_starts_again(server, tmp_path):
    server.cuts, server.knows_ranges = 1, False
    assert (download.fetch(FetchConfig(cache=tmp_path)) / "val2017" / "1jpg").read_bytes() == NOISE


def test_a_wrong_checksum_unpacks_nothing(server, tmp_path, monkeypatch):
    known_as(monkeypatch, server.address, val2017="0" * 64)
    with pytest.raises(Unavailable, match="sha256 is"):
        download.fetch(FetchConfig(cache=tmp_path))
    assert not (tmp_path / "val2017").exists()


def test_a_mirror_is_used_instead(server, tmp_path, monkeypatch):
    known_as(monkeypatch, "http://127.0.0.1:1")
    assert download.fetch(FetchConfig(cache=tmp_path, mirror=server.address + "/")) == tmp_path


def test_what_the_server_does_not_have_is_an_error_at_once(server, tmp_path):
    server.pages.clear()
    with pytest.raises(Unavailable, match="404"):
        download.fetch(FetchConfig(cache=tmp_path))
    assert len(server.requests) == 1


def test_a_folder_that_was_not_fetched_is_left_alone(server, tmp_path):  # noqa: ARG001
    (tmp_path / "val2017").mkdir()
    (tmp_path / "val2017" / "mine.jpg").write_bytes(b"mine")
    with pytest.raises(BadInput, match="was not fetched"):
        download.fetch(FetchConfig(cache=tmp_path))
    assert (tmp_path / "val2017" / "mine.jpg").read_bytes() == b"mine"


LOGIN = b"<html>login</html>"


@pytest.mark.parametrize("says_length", [True, False])
@pytest.mark.parametrize("page", [LOGIN, b"", PICTURES + NOISE])
@pytest.mark.parametrize("begun", [0, 1000])
def test_what_is_not_the_archive_is_said_at_once_and_the_next_call_starts_rightly(
    server, tmp_path, page, says_length, begun
):
    (tmp_path / ".fetched").mkdir()
    part = tmp_path / ".fetched" / "val2017.zip.part"
    part.write_bytes(PICTURES[:begun])
    server.pages["/zips/val.zip"], server.says_length, server.knows_ranges = page, says_length, False
    with pytest.raises(Unavailable, match=r"val\.zip: gives .* not the archive"):
        download.fetch(FetchConfig(cache=tmp_path))
    assert len(server.requests) == 1
    server.pages["/zips/val.zip"], server.knows_ranges = PICTURES, True
    assert (download.fetch(FetchConfig(cache=tmp_path)) / "val2017" / "1jpg").read_bytes() == NOISE


@pytest.mark.parametrize("content", [PICTURES + b"more", b"\0" * len(PICTURES)])
def test_a_part_that_is_too_long_or_wrong_does_not_stay(server, tmp_path, content):  # noqa: ARG001
    part = tmp_path / ".fetched" / "val2017.zip.part"
    part.parent.mkdir()
    part.write_bytes(content)
    if len(content) == len(PICTURES):
        with pytest.raises(Unavailable, match="sha256 is"):
            download.fetch(FetchConfig(cache=tmp_path))
    assert (download.fetch(FetchConfig(cache=tmp_path)) / "val2017" / "1jpg").read_bytes() == NOISE


def test_a_part_that_is_a_link_is_not_written_through(server, tmp_path):  # noqa: ARG001
    (tmp_path / "mine").write_bytes(b"mine")
    (tmp_path / ".fetched").mkdir()
    (tmp_path / ".fetched" / "val2017.zip.part").symlink_to(tmp_path / "mine")
    download.fetch(FetchConfig(cache=tmp_path))
    assert (tmp_path / "mine").read_bytes() == b"mine"


def test_a_server_that_drips_is_given_up_and_the_next_call_goes_on(server, tmp_path, monkeypatch):
    server.pause = 0.05
    monkeypatch.setattr(download, "PATIENCE", 0.4)
    begun = time.monotonic()
    with pytest.raises(Unavailable, match=r"as good as nothing came .* run the same command again"):
        download.fetch(FetchConfig(cache=tmp_path))
    assert time.monotonic() - begun < 3
    server.pause = 0.0
    monkeypatch.undo()
    known_as(monkeypatch, server.address)
    assert (download.fetch(FetchConfig(cache=tmp_path)) / "val2017" / "1jpg").read_bytes() == NOISE
    assert server.requests[1][1] > 0


def test_a_server_that_says_nothing_is_given_up(tmp_path, monkeypatch):
    monkeypatch.setattr(download, "PATIENCE", 0.3)
    with socket.create_server(("127.0.0.1", 0)) as silent:
        known_as(monkeypatch, f"http://127.0.0.1:{silent.getsockname()[1]}")
        with pytest.raises(Unavailable, match="as good as nothing"):
            download.fetch(FetchConfig(cache=tmp_path))


def encrypted(code):
    """The same zip file, of which every member says that it is encrypted."""
    flagged = bytearray(code)
    for mark, offset in ((b"PK\3\4", 6), (b"PK\1\2", 8)):
        at = flagged.find(mark)
        while at >= 0:
            flagged[at + offset] |= 1
            at = flagged.find(mark, at + 4)
    return bytes(flagged)


@pytest.mark.parametrize(
    "code",
    [LOGIN, PICTURES[:-30], PICTURES[:5000] + b"other" + PICTURES[5005:], encrypted(zipped(val2017__1jpg=b"x"))],
    ids=["no zip", "cut", "damaged", "encrypted"],
)
def test_a_zip_file_that_cannot_be_unpacked_is_one_line_and_does_not_stay(server, tmp_path, monkeypatch, code):
    server.pages["/zips/val.zip"] = code
    archive = download.Archive(path="zips/val.zip", bytes=len(code), sha256=sha256(code).hexdigest())
    catalogue = download.Catalogue(
        licence="", address=server.address, splits={"val2017": ("val2017",)}, archives={"val2017": archive}
    )
    monkeypatch.setattr(resources, "read", lambda *_: catalogue)
    with pytest.raises(Unavailable, match="no zip file that can be unpacked"):
        download.fetch(FetchConfig(cache=tmp_path))
    assert {path.name for path in tmp_path.iterdir()} == {".fetched"}
    known_as(monkeypatch, server.address)
    server.pages["/zips/val.zip"] = PICTURES
    assert (download.fetch(FetchConfig(cache=tmp_path)) / "val2017" / "1jpg").read_bytes() == NOISE


def test_a_call_that_was_killed_while_it_moved_folders_is_taken_up(server, tmp_path):  # noqa: ARG001
    download.fetch(FetchConfig(cache=tmp_path))
    (marker,) = (tmp_path / ".fetched").glob("val2017-*")
    marker.rename(marker.with_name(f"{marker.name}.moving"))
    (tmp_path / "val2017" / "1jpg").unlink()
    (tmp_path / ".unpacked-abcd1234").mkdir()
    assert (download.fetch(FetchConfig(cache=tmp_path)) / "val2017" / "1jpg").read_bytes() == NOISE
    assert {path.name for path in tmp_path.iterdir()} == {".fetched", "annotations", "val2017"}


@pytest.mark.skipif(sys.platform == "win32", reason="locks")
def test_two_calls_do_not_fetch_into_one_folder(server, tmp_path):  # noqa: ARG001
    (tmp_path / ".fetched").mkdir()
    with locks.held(tmp_path / ".fetched"), pytest.raises(Unavailable, match="another process"):
        download.fetch(FetchConfig(cache=tmp_path))


@pytest.mark.parametrize("name", ["../escaped", "/tmp/escaped", "a/../../escaped"])
def test_a_hostile_archive_is_refused(tmp_path, name):
    (tmp_path / "bad.zip").write_bytes(zipped(**{name: "x"}))
    with pytest.raises(Unavailable, match="leads out"):
        download._unpack(tmp_path / "bad.zip", tmp_path, tmp_path / "moving")
    assert {path.name for path in tmp_path.iterdir()} == {"bad.zip"}


def test_an_archive_that_unpacks_to_many_times_its_size_is_refused(tmp_path):
    with zipfile.ZipFile(tmp_path / "bomb.zip", "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("zeros", b"\0" * 5_000_000)
    with pytest.raises(Unavailable, match="times its size"):
        download._unpack(tmp_path / "bomb.zip", tmp_path, tmp_path / "moving")


def test_unknown_splits_and_sources_are_bad_input(tmp_path):
    with pytest.raises(BadInput, match="train2017"):
        download.fetch(FetchConfig(split="test3000", cache=tmp_path))
    with pytest.raises(BadInput, match="imagenet"):
        download.fetch(FetchConfig(what="imagenet", cache=tmp_path))


def test_every_named_archive_is_known():
    catalogue = resources.read("data_sources", "coco", download.Catalogue)
    assert {name for names in catalogue.splits.values() for name in names} <= set(catalogue.archives)
