"""What exporters share: files that lie where they should, and words as a chat model is given them."""

import base64
import json
from dataclasses import replace

import pytest

from pstgen.core.records import BadInput
from pstgen.dataset import exported, store


@pytest.fixture(scope="module")
def row(stress_set):
    return next(iter(store.open(stress_set).rows()))


@pytest.mark.parametrize("name", ["../a", "/etc/a", "a/b", "", "a.b", "a\n", "..", "C:a"])
def test_an_item_that_can_name_no_file_is_refused(row, name, tmp_path):
    with pytest.raises(BadInput, match="no file can be called so"):
        exported.write_image(replace(row, item=replace(row.item, item_id=name)), tmp_path)
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize("suffix", ["", "/../x", "..", ".a/b", ".svg"])
def test_a_picture_that_can_name_no_file_is_refused(row, suffix):
    with pytest.raises(BadInput, match="no file can be called so"):
        exported.data_uri(replace(row, suffix=suffix))


def test_a_picture_is_written_byte_by_byte(row, tmp_path):
    assert (tmp_path / exported.write_image(row, tmp_path)).read_bytes() == row.image
    kind, _, code = exported.data_uri(row).partition(";base64,")
    assert kind == f"data:image/{row.suffix[1:]}"
    assert base64.b64decode(code) == row.image


def test_the_letter_is_that_of_the_right_option_in_the_prompt(row):
    assert f"{exported.letter(row.item)}. {row.item.answer}\n" in exported.prompt(row.item)


def test_boxes_lie_within_the_picture(stress_set):
    for row in store.open(stress_set).rows():
        for left, top, right, bottom in exported.boxes(row):
            assert 0 <= left < right <= row.scene.width
            assert 0 <= top < bottom <= row.scene.height


def test_lines_are_documents(tmp_path):
    exported.write_lines(tmp_path / "a.jsonl", [{"a": "é"}, [1]])
    assert [json.loads(line) for line in (tmp_path / "a.jsonl").read_text("utf-8").splitlines()] == [{"a": "é"}, [1]]
