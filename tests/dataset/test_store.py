"""The dataset's folder: all of it, or nothing."""

import errno
import os
import shutil
import signal
import subprocess
import sys
import time
from contextlib import contextmanager
from pathlib import Path

import pytest

from pstgen.core import scratch
from pstgen.core.records import BadInput, Unavailable
from pstgen.dataset import atomic, store


def test_the_folder_takes_its_place_at_the_end(tmp_path):
    with atomic.create(tmp_path / "deep" / "pst") as folder:
        (folder / "x").write_text("x")
        assert list((tmp_path / "deep" / "pst").iterdir()) == []
    assert (tmp_path / "deep" / "pst" / "x").read_text() == "x"
    assert [path.name for path in (tmp_path / "deep").iterdir()] == ["pst"]


@pytest.mark.parametrize("error", [KeyboardInterrupt, ValueError, SystemExit])
def test_whatever_goes_wrong_nothing_is_left(tmp_path, error):
    with pytest.raises(error), atomic.create(tmp_path / "pst") as folder:
        (folder / "x").write_text("x")
        raise error
    assert list(tmp_path.iterdir()) == []


def test_a_full_disk_is_said_and_leaves_nothing(tmp_path):
    with pytest.raises(Unavailable, match="disk is full"), atomic.create(tmp_path / "pst") as folder:
        (folder / "x").write_text("x")
        raise OSError(errno.ENOSPC, "No space left on device")
    assert list(tmp_path.iterdir()) == []


def test_a_real_full_disk_is_said(tmp_path):
    """/dev/full takes nothing."""
    with (
        pytest.raises(Unavailable, match="disk is full"),
        atomic.create(tmp_path / "pst"),
        Path("/dev/full").open("wb", 0) as full,
    ):
        full.write(b"x")
    assert list(tmp_path.iterdir()) == []


def test_what_is_there_is_left_alone(tmp_path):
    (tmp_path / "thesis.txt").write_text("mine")
    with pytest.raises(BadInput, match="holds something"), atomic.create(tmp_path):
        pass
    assert (tmp_path / "thesis.txt").read_text() == "mine"


posix = pytest.mark.skipif(os.name != "posix", reason="links, locks, modes")


@posix
@pytest.mark.parametrize("aim", ["empty", "nowhere"])
def test_a_link_is_refused_before_the_work_and_stays(tmp_path, aim):
    (tmp_path / "empty").mkdir()
    (tmp_path / "link").symlink_to(tmp_path / aim)
    with pytest.raises(BadInput, match="is a link"), atomic.create(tmp_path / "link"):
        pytest.fail("the work began")
    assert {path.name for path in tmp_path.iterdir()} == {"empty", "link"}
    assert list((tmp_path / "empty").iterdir()) == []


@pytest.mark.parametrize("name", ["", ".", "/", "a" * 300, "\N{GREEK SMALL LETTER PI}" * 127, "a\0b"])
def test_what_can_be_no_new_folder_is_refused_before_the_work(tmp_path, monkeypatch, name):
    monkeypatch.chdir(tmp_path)
    with pytest.raises(BadInput, match=r"name one|name another --out"), atomic.create(Path(name)):
        pytest.fail("the work began")
    assert list(tmp_path.iterdir()) == []


WAITS = """
import sys, time
from pathlib import Path
from pstgen.dataset import atomic
with atomic.create(Path(sys.argv[1])) as folder:
    (folder / "x").write_text("x")
    print("ready", flush=True)
    sys.stdin.read()
"""


@contextmanager
def another_process(out):
    """Another process that writes `out` until it is told to end."""
    with subprocess.Popen(
        [sys.executable, "-c", WAITS, str(out)], stdin=subprocess.PIPE, stdout=subprocess.PIPE
    ) as process:
        assert process.stdout.readline() == b"ready\n"
        yield process
        process.stdin.close()
    assert process.wait() in {0, -signal.SIGKILL}


@posix
def test_a_second_process_is_told_at_once_and_does_the_first_no_harm(tmp_path):
    with another_process(tmp_path / "pst"):
        for _ in range(2):
            with pytest.raises(BadInput, match="another process is writing it"), atomic.create(tmp_path / "pst"):
                pytest.fail("the work began")
    assert (tmp_path / "pst" / "x").read_text() == "x"
    assert [path.name for path in tmp_path.iterdir()] == ["pst"]


@posix
def test_what_a_killed_process_left_is_swept_by_the_next_one_and_nothing_else_is(tmp_path, monkeypatch):
    monkeypatch.setattr("pstgen.core.scratch.watch", lambda *_, **__: None)
    others = [".pst.partial-short", ".pst.partial-abcd1234.partial-abcd1234", ".pst2.partial-abcd1234"]
    for name in [".pst.partial-abcd1234", *others]:
        (tmp_path / name).mkdir()
        (tmp_path / name / "x").write_text("x")
    (tmp_path / ".pst.partial-linked00").symlink_to(tmp_path / ".pst2.partial-abcd1234")
    with atomic.create(tmp_path / "pst"):
        pass
    assert {path.name for path in tmp_path.iterdir()} == {"pst", ".pst.partial-linked00", *others}
    assert (tmp_path / ".pst2.partial-abcd1234" / "x").exists()


@posix
def test_of_a_killed_process_nothing_stays(tmp_path):
    with another_process(tmp_path / "pst") as process:
        process.kill()
        process.wait()
        for _ in range(100):
            if not any(tmp_path.iterdir()):
                break
            time.sleep(0.05)
    assert list(tmp_path.iterdir()) == []


@posix
@pytest.mark.parametrize(("mask", "mode"), [(0o077, 0o700), (0o027, 0o750), (0o002, 0o775)])
def test_the_umask_holds(tmp_path, mask, mode):
    before = os.umask(mask)
    try:
        with atomic.create(tmp_path / "pst") as folder:
            (folder / "x").write_text("x")
    finally:
        os.umask(before)
    assert (tmp_path / "pst").stat().st_mode & 0o777 == mode
    assert (tmp_path / "pst" / "x").stat().st_mode & 0o777 == mode & 0o666


@pytest.fixture
def mounted(tmp_path):
    """A folder that is a mount point, of 1 MiB."""
    out = tmp_path / "volume"
    out.mkdir()
    mount = shutil.which("mount")
    if not mount or subprocess.run([mount, "-t", "tmpfs", "-o", "size=1m", "x", str(out)], check=False).returncode:
        pytest.skip("mounting needs root")
    yield out
    subprocess.run(["umount", str(out)], check=True)


def test_a_mount_point_is_filled_where_it_is_and_what_was_left_in_it_is_swept(mounted, tmp_path):
    (mounted / ".volume.partial-abcd1234").mkdir()
    with atomic.create(mounted) as folder:
        assert folder.stat().st_dev == mounted.stat().st_dev
        (folder / "manifest.json").write_text("{}")
        (folder / "data").mkdir()
        (folder / "data" / "x").write_text("x")
    assert {path.name for path in mounted.iterdir()} == {"manifest.json", "data"}
    scratch.put(mounted / "certificate.json", b"{}")
    assert {path.name for path in mounted.iterdir()} == {"manifest.json", "data", "certificate.json"}
    assert [path.name for path in tmp_path.iterdir()] == ["volume"]


def test_a_full_mount_point_is_said_and_left_empty(mounted):
    with (
        pytest.raises(Unavailable, match=r"volume: the disk is full \(0\.0 MiB free"),
        atomic.create(mounted) as folder,
    ):
        (folder / "x").write_bytes(bytes(2**21))
    assert list(mounted.iterdir()) == []


@posix
def test_a_folder_that_something_came_into_meanwhile_is_left_alone(tmp_path):
    with pytest.raises(BadInput, match="holds something by now"), atomic.create(tmp_path / "pst"):
        (tmp_path / "pst" / "mine").write_text("mine")
    assert [path.name for path in tmp_path.rglob("*")] == ["pst", "mine"]


def test_a_file_in_the_way_is_said(tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises((BadInput, Unavailable), match="file"), atomic.create(tmp_path / "file" / "pst"):
        pass


@pytest.mark.parametrize("content", [None, b"{}", b"not json", b'{"format": 99}'])
def test_a_folder_that_is_no_dataset_is_one_clear_error(tmp_path, content):
    if content is not None:
        (tmp_path / "manifest.json").write_bytes(content)
    with pytest.raises(BadInput, match=r"manifest\.json"):
        store.open(tmp_path)


def test_rows_out_of_order_are_a_mistake_of_ours():
    with pytest.raises(ValueError, match="order"):
        list(store._in_order([{"item_id": "b"}, {"item_id": "a"}]))
