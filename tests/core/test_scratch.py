"""Promises of temporary folders: none outlasts its process."""

import os
import signal
import subprocess
import sys
import time

import pytest

from pstgen.core import scratch

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


HOLDS = """
import sys, time
from pathlib import Path
from pstgen.core import scratch
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
