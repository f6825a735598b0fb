"""What is drawn into pictures must leave free what is asked about, and be the same for all twins."""

from dataclasses import replace

import numpy as np
import pytest

from pstgen.core.records import Item, Pair
from pstgen.questions import visual_prompts
from pstgen.scenes import pixels, png


@pytest.fixture
def item():
    words = {"family": "colour", "form": "of", "about": ("cup",), "frame": "label", "question": "?", "neutral": "?"}
    told = {"options": ("red", "blue"), "answer": "red", "lure": "blue", "evidence": (1,), "label": "The cup is blue"}
    return Item(item_id="a-stress", pair_id="a", role="stress", scene_id="1", image="", **words, **told)


def test_a_mark_leaves_its_own_point_free():
    image = np.random.default_rng(0).integers(0, 255, (100, 140, 3), np.uint8)
    drawn = visual_prompts.marked(image, (70.5, 40.2))
    assert (drawn[39:42, 69:72] == image[39:42, 69:72]).all()
    changed = np.argwhere((drawn != image).any(-1))
    assert np.abs(changed - (40.2, 70.5)).max() < 10


def test_a_label_changes_one_strip_and_is_read_from_side_to_side():
    image = np.full((128, 128, 3), 200, np.uint8)
    drawn = visual_prompts.labelled(image, "The banana is green and very ripe", top=True)
    rows = (drawn != image).any((1, 2))
    assert rows[:10].all()
    assert not rows[60:].any()
    assert np.ptp(drawn[:20].astype(int)) > 100


def test_an_image_that_cannot_be_written_is_an_error(item, tmp_path):
    png.write(tmp_path / "a.png", np.full((128, 128, 3), 200, np.uint8))
    written = visual_prompts.file(str(tmp_path / "a.png"), item, tmp_path)
    assert pixels.read(written).shape == (128, 128, 3)
    with pytest.raises(OSError, match="none"):
        visual_prompts.file(str(tmp_path / "a.png"), item, tmp_path / "none")


def alone(item):
    return Pair((item,), item)


def test_a_label_goes_where_it_hides_nothing_in_question(item, scene, thing):
    above, below = scene(thing("cup", 40, 0, id=1)), scene(thing("cup", 40, 80, id=1))
    assert visual_prompts.end_for_label(alone(item), [above, above]) is False
    assert visual_prompts.end_for_label(alone(item), [below, below]) is True
    assert visual_prompts.end_for_label(alone(item), [above, below]) is None
    assert visual_prompts.end_for_label(alone(replace(item, evidence=())), [above, above]) is not None


def test_a_label_hides_no_mark(item, scene, thing):
    there = scene(thing("cup", 40, 40, id=1))
    assert visual_prompts.end_for_label(alone(replace(item, mark=(50.0, 8.0))), [there, there]) is False
    assert visual_prompts.end_for_label(alone(replace(item, mark=(50.0, 92.0))), [there, there]) is True
