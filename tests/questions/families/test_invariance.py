"""What no family's answer may depend on, and what a mirror must turn round; on scenes of the world."""

from dataclasses import replace

import msgspec
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
    configs = [
        build_config(source="world", scenes=n, size=128, typicality=share, seed=5)
        for n, share in ((40, 0.3), (80, 0.85))
    ]
    return [scene for config in configs for scene in source.scenes(config, lambda _: True, Refusals())]


def told(family, scene):
    """(form, words, mark) → answer, of what is known."""
    facts = plugins.load("families", family).ask(scene)
    return {(f.form, f.about, f.mark): f.truth.answer for f in facts if f.truth.known}


def answers(known):
    """(form, words, answer), wherever the mark is: of the places that would serve, the scene's name draws it."""
    return {(form, about, answer) for (form, about, _), answer in known.items()}


def agree(pairs, *, share):
    """Answers known of both are the same, and most answers are known of both; (one, other) for each scene.

    Most in each scene. Where questions are about a mark, a few pixels decide whether a place serves, and with it all the
    scene's questions: there, most in all scenes together.
    """
    counts = []
    for one, other in pairs:
        common = one.keys() & other.keys()
        assert all(one[key] == other[key] for key in common)
        marked = any(mark for _, _, mark in (*one, *other))
        counts.append((len(answers(one) & answers(other)), max(len(answers(one)), len(answers(other))), marked))
    assert all(same >= share * most for same, most, marked in counts if not marked)
    assert sum(same for same, _, _ in counts) >= share * sum(most for _, most, _ in counts) > 0


@pytest.mark.parametrize("family", FAMILIES)
def test_names_of_instances_and_their_order_do_not_matter(scenes, family):
    for scene in scenes:
        things = tuple(replace(thing, id=1000 - thing.id) for thing in reversed(scene.instances))
        assert told(family, replace(scene, instances=things)) == told(family, scene)


@pytest.mark.parametrize("family", FAMILIES)
def test_the_name_of_the_scene_draws_the_place_of_a_mark_and_nothing_else(scenes, family):
    for scene in scenes:
        before, after = told(family, scene), told(family, replace(scene, id="other/1"))
        assert answers(after) == answers(before)
        if not any(mark for _, _, mark in before):
            assert after == before


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
            keypoints=tuple(msgspec.structs.replace(j, x=2 * j.x, y=2 * j.y) for j in thing.keypoints),
        )

    pairs = []
    for scene in scenes:
        things = tuple(large(thing, scene) for thing in scene.instances)
        double = told(family, replace(scene, width=2 * scene.width, height=2 * scene.height, instances=things))
        halved = {
            (form, about, mark and (round(mark[0] / 2, 1), round(mark[1] / 2, 1))): answer
            for (form, about, mark), answer in double.items()
        }
        before = told(family, scene)
        pairs.append((before, {key: halved[key] for key in halved if (key[0], key[1]) in {k[:2] for k in before}}))
    agree(pairs, share=0.75)


@pytest.mark.parametrize("family", FAMILIES)
def test_a_mirror_turns_round_sides_and_hands_and_nothing_else(scenes, family):
    def turned(key, answer, width):
        form, about, mark = key
        if mark:
            mark = (round(width - mark[0], 1), mark[1])
        if family in {"pose", "visibility"} or (family, form) == ("combination", "look"):
            about = tuple(" ".join(SWAP.get(word, word) for word in part.split(" ")) for part in about)
        return (form, about, mark), SWAP.get(answer, answer)

    pairs = []
    for scene in scenes:
        reverse = replace(scene, instances=tuple(mirrored(thing, scene) for thing in scene.instances))
        expected = dict(turned(key, answer, scene.width) for key, answer in told(family, scene).items())
        pairs.append((told(family, reverse), expected))
    agree(pairs, share=0.9)
