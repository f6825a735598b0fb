"""Edits: what they must leave alone, what they must change, and that both twins are edited."""

from collections import Counter
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from pycocotools import mask as coco_mask

from pstgen.core import plugins
from pstgen.core.config import build_config, with_settings
from pstgen.core.records import origin
from pstgen.core.report import Refusals, Report
from pstgen.pairs import edits, image_ops
from pstgen.pairs.context import PairContext
from pstgen.pairs.twins import mirror, move, paste, recolour, remove
from pstgen.questions.facts import known
from pstgen.questions.priors import count, counts
from pstgen.scenes import pixels
from pstgen.scenes.sources import world as source
from pstgen.scenes.truth import layout

EDITS = ("mirror", "move", "paste", "recolour", "remove")
CONFIG = build_config(source="world", scenes=120, size=128, typicality=0.85)


@pytest.fixture(scope="module")
def scenes():
    return list(source.scenes(CONFIG, lambda _: True, Refusals()))


@pytest.fixture(scope="module")
def context(tmp_path_factory):
    """A prior of many scenes: it has seen enough of any two things to be sure whether and where they usually are together."""
    many = with_settings(CONFIG, scenes=800, families=("count", "existence", "relation", "pose", "visibility"))
    few = with_settings(CONFIG, families=("colour",))
    tally = Counter()
    for config in (many, few):
        scenes = source.scenes(config, lambda _: True, Refusals())
        tally += count(fact for _, facts in known(scenes, config, Report()) for fact in facts)
    return PairContext(counts.fit(tally), CONFIG, tmp_path_factory.mktemp("context"))


@pytest.fixture(scope="module")
def pairs(scenes, context):
    """Edit → its pairs over all scenes."""
    makers = {name: plugins.load("twins", name).open(context) for name in EDITS}
    told = list(known(scenes, CONFIG, Report()))
    return {
        name: [pair for scene, facts in told for pair in maker.take(maker.look(scene, facts))]
        for name, maker in makers.items()
    }


def first(scenes, edit, *, on=edits.subjects):
    """The first edit that can be made: scene, thing, both versions."""
    chance = np.random.default_rng(0)
    for scene in scenes:
        for thing in on(scene):
            try:
                return scene, thing, edit(scene, thing, chance)
            except image_ops.Refused:
                continue
    raise AssertionError


@pytest.mark.parametrize("name", EDITS)
def test_neither_version_has_its_usual_answer_or_role(pairs, name):
    """What is unusual is seen, shadows tell a mirror: an answer that goes with them would need no question."""
    answers, roles = Counter(), Counter()
    for pair in pairs[name]:
        first, second = (next(f for f in pair.facts if f.scene_id == scene.id) for scene in pair.scenes)
        answers[first.form] += 1 if str(first.truth.answer) < str(second.truth.answer) else -1
        roles[first.form] += 1 if first is pair.control else -1
    assert max(map(abs, [*answers.values(), *roles.values()])) <= edits.LEAD


@pytest.mark.parametrize("name", EDITS)
def test_an_edit_gives_pairs_of_one_scene_with_labels_asked_anew(pairs, name):
    assert len(pairs[name]) >= 5
    for pair in pairs[name]:
        assert pair.twin == name
        assert len({origin(fact.scene_id) for fact in pair.facts}) == 1
        assert pair.lure in pair.options
        for fact in pair.facts:
            scene = next(scene for scene in pair.scenes if scene.id == fact.scene_id)
            assert fact in list(plugins.load("families", fact.family).ask(scene))


@pytest.mark.parametrize("name", EDITS)
def test_the_files_name_does_not_tell_which_version_it_is(pairs, name):
    """Of two versions the one that answers as expected comes first about as often as last."""
    first = [pair.control.scene_id < pair.stress[0].scene_id for pair in pairs[name]]
    assert 0 < sum(first) < len(first)


@pytest.mark.parametrize("name", ["paste", "recolour", "remove", "move"])
def test_both_twins_are_edited(pairs, scenes, name):
    images = {scene.id: pixels.image(scene) for scene in scenes}
    for pair in pairs[name]:
        for scene in pair.scenes:
            changed = (pixels.image(scene) != images[origin(scene.id)]).any(-1).mean()
            assert 0 < changed < 0.25


@pytest.mark.parametrize("name", EDITS)
def test_masks_boxes_and_areas_of_the_versions_agree(pairs, name):
    for scene in (scene for pair in pairs[name][:10] for scene in pair.scenes):
        for thing in scene.instances:
            code = {"size": [scene.height, scene.width], "counts": thing.rle}
            assert coco_mask.area(code) == thing.area
            box = [thing.region.x, thing.region.y, thing.region.width, thing.region.height]
            assert coco_mask.toBbox(code).tolist() == box


def test_each_version_lacks_one_thing_of_another_kind_and_nothing_else_changes(scenes):
    scene, thing, (gone, sham) = first(scenes, remove.edit)
    image = pixels.image(scene)
    assert thing in sham.instances
    for version in (gone, sham):
        (missing,) = set(scene.instances) - set(version.instances)
        mask = pixels.mask(missing, scene)
        assert (version.image[mask] != image[mask]).any(-1).mean() > 0.8
        for other in version.instances:
            inside = pixels.mask(other, scene)
            if not image_ops._holds(other, missing):
                assert (version.image[inside] == image[inside]).all()


def test_a_new_colour_stays_inside_its_mask_and_is_the_one_that_is_said(scenes):
    scene, thing, (dyed, sham) = first(scenes, recolour.edit, on=recolour.coloured)
    new = next(other for other in dyed.instances if other.id == thing.id).colour
    mask, image = pixels.mask(thing, scene), pixels.image(scene)
    assert (dyed.image[~mask] == image[~mask]).all()
    assert (sham.image[mask] == image[mask]).all()
    lab = recolour.cv2.cvtColor(dyed.image[mask][None].astype(np.float32) / 255, recolour.cv2.COLOR_RGB2LAB)[0]
    goal = recolour.colour.focal(new)
    turn = np.degrees(np.arctan2(*lab.mean(0)[:0:-1]) - np.arctan2(*goal[:0:-1]))
    assert abs((turn + 180) % 360 - 180) < 25


def test_a_mirror_swaps_sides_and_hands_and_twice_is_nothing(scenes):
    scene = next(scene for scene in scenes if any(thing.keypoints for thing in scene.instances))
    person = next(thing for thing in scene.instances if thing.keypoints)
    turned = mirror.mirrored(person, scene)
    assert mirror.mirrored(turned, scene) == person
    at, was = ({j.name: j for j in thing.keypoints} for thing in (turned, person))
    seen = [name for name in was if was[name].visibility and "left" in name]
    for name in seen:
        assert at[name.replace("left", "right")].x == scene.width - 1 - was[name].x


def test_no_mirror_where_something_bears_letters(scenes):
    lettered = [scene for scene in scenes if any(thing.text for thing in scene.instances)]
    assert lettered
    for scene in lettered:
        with pytest.raises(image_ops.Refused, match="text"):
            mirror.edit(scene, scene.instances[0], np.random.default_rng(0))


def test_what_is_moved_stands_in_either_half_and_was_moved_in_both(scenes):
    scene, thing, versions = first(scenes, move.edit)
    found = [next(other for other in version.instances if other.id == thing.id) for version in versions]
    assert [layout.half(moved, scene, "horizontal").answer for moved in found] == ["left", "right"]
    assert all(moved.region.x != thing.region.x and moved.area == thing.area for moved in found)


def test_what_is_pasted_is_a_kind_that_the_scene_lacks_in_each_version_another(pairs, scenes):
    by_id = {scene.id: scene for scene in scenes}
    for pair in pairs["paste"]:
        before = by_id[origin(pair.scenes[0].id)]
        new = [{t.category for t in scene.instances} - {t.category for t in before.instances} for scene in pair.scenes]
        assert all(len(kinds) == 1 for kinds in new)
        assert new[0] != new[1]


def test_a_thing_without_room_around_it_is_refused(scene, thing):
    around = [thing("dog", x, y, id=10 * x + y) for x, y in ((60, 40), (20, 40), (40, 20), (40, 60))]
    tight = scene(thing("cup", 40, 40, id=1), *around)
    with pytest.raises(image_ops.Refused, match="another thing"):
        image_ops.hole(tight.instances[0], tight)


def test_a_hole_that_leaves_a_seam_or_a_smear_is_refused():
    rng = np.random.default_rng(0)
    rough = rng.integers(0, 255, (80, 80, 3), np.uint8)
    gap = np.zeros((80, 80), bool)
    gap[30:50, 30:50] = True
    smooth = rough.copy()
    smooth[gap] = 128
    assert image_ops.seen(smooth, gap)
    plain = np.full((80, 80, 3), 120, np.uint8) + rng.integers(0, 3, (80, 80, 3), np.uint8)
    assert image_ops.seen(image_ops.filled(plain, gap), gap) == ""
    spot = plain.copy()
    spot[gap] = 250
    assert "border" in image_ops.seen(spot, gap)


def test_no_depth_is_claimed_where_something_was_painted(scenes):
    scene, thing, (gone, _) = first(scenes, remove.edit)
    assert (gone.depth[pixels.mask(thing, scene)] == 0).all()


def test_donors_are_cut_from_earlier_scenes_only(scenes, context):
    maker = paste.open(context)
    assert list(maker.take(maker.look(scenes[0], ()))) == []
    assert all(donor.scene_id == scenes[0].id for donor in maker.donors)
    assert Path(context.work).is_dir()


def test_a_mirror_of_a_scene_of_which_nothing_is_expected_is_not_drawn_and_counted_as_such(
    scenes, context, monkeypatch
):
    """Its words suggest nothing, so no pair could come of it."""
    blank = PairContext(counts.fit({}), CONFIG, context.work, Counter())
    maker = mirror.open(blank)
    monkeypatch.setattr(type(maker.procedure), "attempts", lambda *_: pytest.fail("it was drawn"))
    told = [(scene, facts) for scene, facts in known(scenes[:30], CONFIG, Report()) if maker.fits(scene, facts)]
    assert told
    assert [pair for scene, facts in told for pair in maker.take(maker.look(scene, facts))] == []
    assert blank.refused == {("mirror", "nothing is expected of what it would change"): len(told)}


def test_a_mirror_gives_the_same_pairs_as_if_every_scene_were_drawn(scenes, context, monkeypatch):
    def made():
        maker = mirror.open(replace(context, refused=Counter()))
        passing = known(scenes, CONFIG, Report())
        return [pair.pair_id for scene, facts in passing for pair in maker.take(maker.look(scene, facts))]

    some = made()
    monkeypatch.setattr(edits.Edited, "_misleads", lambda *_: True)
    assert made() == some
    assert some


def test_images_are_written_of_those_edits_alone_of_which_a_pair_can_come(scenes, context, tmp_path):
    maker = mirror.open(replace(context, refused=Counter(), work=tmp_path))
    found = [attempt for scene, facts in known(scenes, CONFIG, Report()) for attempt in maker.look(scene, facts)]
    made = [attempt for attempt in found if attempt.scenes]
    pairing = [attempt for attempt in made if maker._pairs(attempt)]
    assert 0 < len(pairing) < len(made)
    assert {path for path in map(str, tmp_path.iterdir()) if not path.endswith(".depth.png")} == {
        scene.path for attempt in pairing for scene in attempt.scenes
    }
