"""What no family's answer may depend on, and what a mirror must turn round; on scenes of the world."""

from dataclasses import replace

import numpy as np
import pytest

from pstgen.core import plugins
from pstgen.core.config import build_config
from pstgen.core.records import Region
from pstgen.core.report import Refusals
from pstgen.pairs.image_ops import encoded
from pstgen.pairs.twins.mirror import mirrored
from pstgen.scenes import pixels
from pstgen.scenes.sources import world as source

FAMILIES = plugins.names("families")
SWAP = {"left": "right", "right": "left"}


@pytest.fixture(scope="module")
def scenes():
    config = build_config(source="world", scenes=40, size=128, typicality=0.3, seed=5)
    return list(source.scenes(config, lambda _: True, Refusals()))


def told(family, scene):
    """(form, words, mark) → answer, of what is known."""
    facts = plugins.load("families", family).ask(scene)
    return {(f.form, f.about, f.mark): f.truth.answer for f in facts if f.truth.known}


def agree(one, other, *, share):
    """Answers known of both are the same, and most are known of both."""
    common = one.keys() & other.keys()
    assert all(one[key] == other[key] for key in common)
    assert len(common) >= share * max(len(one), len(other))


@pytest.mark.parametrize("family", FAMILIES)
def test_names_of_scene_and_instances_and_their_order_do_not_matter(scenes, family):
    for scene in scenes:
        things = tuple(replace(thing, id=1000 - thing.id) for thing in reversed(scene.instances))
        assert told(family, replace(scene, id="other/1", instances=things)) == told(family, scene)


@pytest.mark.parametrize("family", FAMILIES)
def test_the_images_scale_does_not_matter(scenes, family):
    """Twice as large; small things may become large enough to be asked about."""

    def large(thing, scene):
        box = thing.region
        mask, whole = (np.kron(pixels.mask(thing, scene, full=full), np.ones((2, 2), bool)) for full in (False, True))
        return replace(
            thing,
            rle=encoded(mask),
            full_rle=encoded(whole),
            area=4 * thing.area,
            region=Region(x=2 * box.x, y=2 * box.y, width=2 * box.width, height=2 * box.height),
            keypoints=tuple(replace(j, x=2 * j.x, y=2 * j.y) for j in thing.keypoints),
        )

    for scene in scenes:
        things = tuple(large(thing, scene) for thing in scene.instances)
        double = replace(scene, width=2 * scene.width, height=2 * scene.height, instances=things)
        halved = {
            (form, about, mark and (round(mark[0] / 2, 1), round(mark[1] / 2, 1))): answer
            for (form, about, mark), answer in told(family, double).items()
        }
        before = told(family, scene)
        common = before.keys() & halved.keys()
        assert all(before[key] == halved[key] for key in common)
        assert len(common) >= 0.75 * len(before)


@pytest.mark.parametrize("family", FAMILIES)
def test_a_mirror_turns_round_sides_and_hands_and_nothing_else(scenes, family):
    def turned(key, answer, width):
        form, about, mark = key
        if mark:
            mark = (round(width - mark[0], 1), mark[1])
        if family in {"pose", "visibility"} or (family, form) == ("combination", "look"):
            about = tuple(" ".join(SWAP.get(word, word) for word in part.split(" ")) for part in about)
        return (form, about, mark), SWAP.get(answer, answer)

    for scene in scenes:
        reverse = replace(scene, instances=tuple(mirrored(thing, scene) for thing in scene.instances))
        expected = dict(turned(key, answer, scene.width) for key, answer in told(family, scene).items())
        agree(told(family, reverse), expected, share=0.9 if family != "pointing" else 0.7)
