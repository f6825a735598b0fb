"""The dataset's folder: all of it, or nothing."""

import errno
from pathlib import Path

import pytest

from pstgen.core.records import BadInput, Unavailable
from pstgen.dataset import atomic, store


def test_the_folder_takes_its_place_at_the_end(tmp_path):
    with atomic.create(tmp_path / "deep" / "pst") as folder:
        (folder / "x").write_text("x")
        assert not (tmp_path / "deep" / "pst").exists()
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
