"""Promises of temporary folders: none outlasts its process."""

import os
import signal
import subprocess
import sys
import time

import pytest

from pstgen.core import scratch
from pstgen.core.records import Unavailable

posix = pytest.mark.skipif(os.name != "posix", reason="signals")


def gone(path, seconds=5):
    """Does the path vanish in time?"""
    until = time.monotonic() + seconds
    while path.exists() and time.monotonic() < until:
        time.sleep(0.02)
    return not path.exists()


def test_a_folder_is_there_in_the_block_and_gone_after_it_with_all_that_it_holds(tmp_path):
    with scratch.folder("draft-", tmp_path) as folder:
        assert folder.parent == tmp_path
        assert folder.name.startswith("draft-")
        (folder / "a").mkdir()
        (folder / "a" / "b.txt").write_text("b")
    assert list(tmp_path.iterdir()) == []


def test_two_folders_with_the_same_prefix_are_two(tmp_path):
    with scratch.folder("draft-", tmp_path) as first, scratch.folder("draft-", tmp_path) as second:
        assert first != second
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("kind", [ValueError, KeyboardInterrupt, SystemExit])
def test_a_folder_is_gone_after_an_exception_which_propagates(tmp_path, kind):
    with pytest.raises(kind), scratch.folder("draft-", tmp_path) as folder:
        (folder / "a.txt").write_text("a")
        raise kind
    assert list(tmp_path.iterdir()) == []


def test_a_folder_that_was_moved_stays_where_it_is(tmp_path):
    with scratch.folder("draft-", tmp_path) as folder:
        (folder / "a.txt").write_text("a")
        folder.rename(tmp_path / "made")
    assert [path.name for path in tmp_path.iterdir()] == ["made"]


def test_a_folder_that_cannot_be_made_is_an_error(tmp_path):
    with pytest.raises(FileNotFoundError), scratch.folder("draft-", tmp_path / "nowhere"):
        pass


@posix
def test_a_planted_link_is_replaced_and_not_written_through(tmp_path):
    (tmp_path / "mine").write_text("mine")
    (tmp_path / "page.html").symlink_to(tmp_path / "mine")
    scratch.put(tmp_path / "page.html", b"new")
    assert (tmp_path / "mine").read_text() == "mine"
    assert (tmp_path / "page.html").read_text() == "new"
    assert not (tmp_path / "page.html").is_symlink()
    assert {path.name for path in tmp_path.iterdir()} == {"mine", "page.html"}


@posix
def test_a_file_has_the_mode_that_the_umask_leaves_it(tmp_path):
    before = os.umask(0o027)
    try:
        scratch.put(tmp_path / "page.html", b"new")
    finally:
        os.umask(before)
    assert (tmp_path / "page.html").stat().st_mode & 0o777 == 0o640


@pytest.mark.parametrize("name", ["none/page.html", "a" * 300])
def test_a_file_that_cannot_be_written_is_one_line_and_leaves_nothing(tmp_path, name):
    with pytest.raises(Unavailable, match="cannot be written"):
        scratch.put(tmp_path / name, b"new")
    assert list(tmp_path.iterdir()) == []


@posix
def test_folders_that_processes_hold_are_not_swept_and_those_that_none_holds_are(tmp_path):
    (tmp_path / "x-abcd1234").mkdir()
    command = [sys.executable, "-c", HOLDS, "x-", str(tmp_path)]
    with subprocess.Popen(command, stdout=subprocess.PIPE) as process:
        assert process.stdout.readline() == b"ready\n"
        held = {path.name for path in tmp_path.iterdir()}
        assert "x-abcd1234" not in held
        with scratch.folder("x-", tmp_path), scratch.folder("x-", tmp_path):
            assert len(list(tmp_path.iterdir())) == len(held) + 2
        assert {path.name for path in tmp_path.iterdir()} == held
        process.kill()


HOLDS = """
import sys, time
from pathlib import Path
from pstgen.core import scratch
from pstgen.core.records import Unavailable
with scratch.folder(sys.argv[1], Path(sys.argv[2])) as folder, scratch.folder("second-", Path(sys.argv[2])) as second:
    (folder / "a").mkdir()
    (second / "a.txt").write_text("a")
    print("ready", flush=True)
    time.sleep(60)
"""


@posix
@pytest.mark.parametrize("how", [signal.SIGKILL, signal.SIGTERM])
@pytest.mark.parametrize("prefix", ["draft-", "an odd\n'name' \N{GREEK SMALL LETTER PI} "])
def test_every_folder_of_a_killed_process_vanishes_and_no_other(tmp_path, how, prefix):
    (tmp_path / "draft-of-somebody-else").mkdir()
    command = [sys.executable, "-c", HOLDS, prefix, str(tmp_path)]
    with subprocess.Popen(command, stdout=subprocess.PIPE) as process:
        assert process.stdout.readline() == b"ready\n"
        folders = [path for path in tmp_path.iterdir() if path.name != "draft-of-somebody-else"]
        assert len(folders) == 2
        process.send_signal(how)
    assert process.returncode == -how
    assert all(map(gone, folders))
    assert [path.name for path in tmp_path.iterdir()] == ["draft-of-somebody-else"]


@posix
def test_a_folder_that_was_moved_into_place_before_the_kill_stays(tmp_path):
    code = HOLDS.replace("time.sleep(60)", "folder.rename(sys.argv[2] + '/made'); print(flush=True); time.sleep(60)")
    with subprocess.Popen([sys.executable, "-c", code, "x-", str(tmp_path)], stdout=subprocess.PIPE) as process:
        assert process.stdout.readline() + process.stdout.readline() == b"ready\n\n"
        process.kill()
    (second,) = [path for path in tmp_path.iterdir() if path.name != "made"] or [tmp_path / "second"]
    assert gone(second)
    assert (tmp_path / "made" / "a").is_dir()
