"""Promises of locks and of files of lines: of what several processes add, every line stays."""

import multiprocessing
import os

import pytest

from pstgen.core import locks

pytestmark = pytest.mark.skipif(os.name != "posix", reason="locks")


def test_a_folder_is_held_once_and_given_back(tmp_path):
    with locks.held(tmp_path):
        with pytest.raises(BlockingIOError), locks.held(tmp_path):
            pass
        with pytest.raises(BlockingIOError), locks.held(tmp_path):
            pass
    with locks.held(tmp_path):
        pass


def test_what_is_no_folder_is_not_held(tmp_path):
    (tmp_path / "folder").mkdir()
    (tmp_path / "link").symlink_to(tmp_path / "folder")
    (tmp_path / "file").write_text("")
    for name in ("link", "file", "none"):
        with pytest.raises(OSError, match=name), locks.held(tmp_path / name):
            pass


def add(path, who, count):
    """Add lines one by one, as a process of its own."""
    with locks.open_lines(path) as file:
        for n in range(count):
            locks.append(file, f"{who} {n}\n".encode())


def test_two_processes_lose_no_line(tmp_path):
    path, context = tmp_path / "lines", multiprocessing.get_context("fork")
    path.write_bytes(b"half")
    processes = [context.Process(target=add, args=(path, who, 500)) for who in "ab"]
    for process in processes:
        process.start()
    for process in processes:
        process.join()
    lines = path.read_text().splitlines()
    assert len(lines) == 1000
    assert set(lines) == {f"{who} {n}" for who in "ab" for n in range(500)}


@pytest.mark.parametrize("kind", ["link", "dangling", "pipe", "folder"])
def test_what_is_no_regular_file_is_not_added_to(tmp_path, kind):
    (tmp_path / "mine").write_bytes(b"mine")
    path = tmp_path / "lines"
    match kind:
        case "link":
            path.symlink_to(tmp_path / "mine")
        case "dangling":
            path.symlink_to(tmp_path / "nowhere")
        case "pipe":
            os.mkfifo(path)
        case _:
            path.mkdir()
    with pytest.raises(OSError, match="lines"):
        locks.open_lines(path)
    assert (tmp_path / "mine").read_bytes() == b"mine"
    assert not (tmp_path / "nowhere").exists()
