"""Perceptual targets: what scenes show on a grid of patches, and what controls make of it."""

from collections import Counter
from dataclasses import replace

import cv2
import numpy as np
import pytest
import torch

from pstgen.core.records import Keypoint
from pstgen.models.perceptual_losses import FACTORS, JOINTS, UNKNOWN, Perception
from pstgen.scenes import pixels
from pstgen.scenes.truth.colour import NAMES as COLOURS
from pstgen.training import grid_targets
from pstgen.training.batches import Targets

CELLS = 4
NAMES = [
    *("nose", "left_eye", "right_eye", "left_ear", "right_ear", "left_shoulder", "right_shoulder", "left_elbow"),
    *("right_elbow", "left_wrist", "right_wrist", "left_hip", "right_hip", "left_knee", "right_knee", "left_ankle"),
    "right_ankle",
]


@pytest.fixture(scope="session")
def scenes(course):
    return [course.lesson(n).scene for n in range(len(course))]


def grid(scene, cells=CELLS):
    return grid_targets.grid(scene, cells, scene.categories)


def posed(**seen):
    """A person's 17 joints; those that are named are seen at (x, y), the others not labelled."""
    return tuple(Keypoint(name=n, x=seen[n][0], y=seen[n][1], visibility=2) if n in seen else
                 Keypoint(name=n, x=0, y=0, visibility=0) for n in NAMES)  # fmt: skip


def column(factor):
    return FACTORS.index(factor)


def test_a_region_covers_as_much_as_its_mask(scenes):
    """Oracle: the masks, counted in pixels."""
    counted = 0
    for scene in scenes:
        patch = (scene.width / CELLS) ** 2
        for n, thing in enumerate(scene.instances):
            mask = pixels.mask(thing, scene)
            cover = grid(scene).cover[n]
            assert cover.sum() * patch == pytest.approx(mask.sum(), rel=1e-4)
            cells = mask.reshape(CELLS, scene.height // CELLS, CELLS, -1).mean((1, 3))
            assert np.allclose(cover.reshape(CELLS, CELLS), cells, atol=1e-5)
            counted += 1
    assert counted > len(scenes)


def test_every_code_is_one_of_its_factor(scenes):
    sizes = grid_targets.sizes(scenes[0].categories)
    known = Counter()
    for scene in scenes:
        for codes in grid(scene).codes:
            for factor, code in zip(FACTORS, codes, strict=True):
                assert UNKNOWN <= code < sizes[factor]
                known[factor] += code != UNKNOWN
    assert set(+known) == set(FACTORS)


def test_codes_say_what_a_thing_is(scene, thing):
    room = scene(thing("dog", 50, 75, 22, 22, colour="red", depth=3.5), thing("cup", 0, 0, 5, 5))
    dog, cup = grid(room).codes
    assert dog[:5].tolist() == [room.categories.index("dog"), COLOURS.index("red"), 2, 4 * 3 + 2, 2]
    assert dog[column("keypoint")] == UNKNOWN
    assert cup[column("size")] == 0
    assert cup[column("position")] == 0
    assert cup[[column("colour"), column("depth"), column("keypoint")]].tolist() == [UNKNOWN] * 3


def test_a_thing_of_unknown_colour_shows_an_unknown_colour_and_a_known_category(scene, thing):
    shown = grid(scene(thing("dog", 0, 0, 50, 50), thing("cup", 50, 50, 50, 50, colour="blue"))).shown
    shown = shown.reshape(CELLS, CELLS, 2)
    names = ("chair", "cup", "dog")
    assert (shown[:2, :2] == [1 + names.index("dog"), UNKNOWN]).all()
    assert (shown[2:, 2:] == [1 + names.index("cup"), 1 + COLOURS.index("blue")]).all()
    assert (shown[:2, 2:] == 0).all()


def test_a_patch_shows_the_thing_that_covers_most_of_it(scene, thing):
    room = scene(thing("dog", 0, 0, 10, 25), thing("cup", 10, 0, 15, 25), thing("chair", 75, 75, 10, 10))
    shown = grid(room).shown[:, 0]
    assert shown[0] == 1 + room.categories.index("cup")
    assert shown[15] == 0  # a chair of 16 % of the patch is too little


def test_the_centre_of_a_thing_is_in_one_cell(scenes):
    for scene in scenes:
        told = grid(scene).centre
        where = {}
        for one in scene.instances:
            cell = int(one.region.centre_y * CELLS / scene.height) * CELLS + int(
                one.region.centre_x * CELLS / scene.width
            )
            where[cell] = 1 + scene.categories.index(one.category)
        assert {n: told[n] for n in np.flatnonzero(told)} == where


def test_a_crowd_and_a_thing_without_a_mask_are_no_regions(scene, thing):
    room = scene(thing("dog", 0, 0, crowd=True), replace(thing("dog", 50, 0), rle=b""), thing("cup", 50, 50))
    assert grid(room).codes[:, 0].tolist() == [room.categories.index("cup")]


def test_a_scene_of_nothing_has_a_target_that_teaches_nothing(scene):
    told = grid(scene())
    assert (told.codes == UNKNOWN).all()
    assert not told.shown.any()
    assert not told.centre.any()


def test_depth_is_the_log_of_metres_of_its_patch(scene, tmp_path):
    millimetres = np.repeat(np.repeat(np.arange(1, 17, dtype=np.uint16).reshape(4, 4) * 1000, 25, 0), 25, 1)
    millimetres[:25, 25:50] = 0
    cv2.imwrite(str(tmp_path / "depth.png"), millimetres)
    told = grid(scene(depth_path=str(tmp_path / "depth.png"))).depth
    assert np.isnan(told[1])
    assert np.allclose(np.delete(told, 1), np.delete(np.log(np.arange(1, 17)), 1), atol=1e-6)


def test_depth_is_looked_up_in_the_middle_of_a_patch(scene, tmp_path):
    millimetres = np.full((100, 100), 9000, np.uint16)
    millimetres[12, 12] = millimetres[13, 13] = millimetres[12, 13] = millimetres[13, 12] = 2000
    cv2.imwrite(str(tmp_path / "depth.png"), millimetres)
    told = np.exp(grid(scene(depth_path=str(tmp_path / "depth.png"))).depth)
    assert told[0] == pytest.approx(2, rel=1e-5)


def test_joints_are_in_the_patch_where_they_are_seen(scene, thing):
    person = thing("person", 0, 0, 80, 80, keypoints=posed(nose=(60, 10), left_wrist=(10, 60)))
    told = grid(scene(person))
    assert np.argwhere(told.joints == 1).tolist() == [[2, 0], [8, 9]]
    regions = told.codes[:, column("keypoint")]
    assert regions.tolist() == [UNKNOWN, 0, 9]
    assert (told.codes[1:, :-1] == UNKNOWN).all()
    assert [cover.argmax() for cover in told.cover[1:]] == [2, 8]
    assert told.cover[1:].sum() == 2


def test_a_hidden_joint_is_no_region_to_be_seen(scene, thing):
    hidden = Keypoint(name="nose", x=10, y=10, visibility=1)
    told = grid(scene(thing("person", 0, 0, 80, 80, keypoints=(hidden, *posed()[1:]))))
    assert (told.codes[:, column("keypoint")] == UNKNOWN).all()


def test_a_person_without_joints_leaves_all_other_joints_of_the_image_unknown(scene, thing):
    posing = thing("person", 0, 0, 40, 40, keypoints=posed(nose=(10, 10)))
    assert not np.isnan(grid(scene(posing)).joints[:, 0]).any()
    beside = grid(scene(posing, thing("person", 50, 50))).joints
    assert np.argwhere(~np.isnan(beside)).tolist() == [[0, 0]]  # where one is seen, one is
    assert not np.isnan(grid(scene(thing("dog", 50, 50))).joints).any()


def test_a_joint_that_nobody_labelled_is_unknown(scene, thing):
    told = grid(scene(thing("person", 0, 0, 80, 80, keypoints=posed(nose=(10, 10)))))
    assert not (told.joints[:, 9] == 0).any()


def test_what_is_in_a_crowd_is_unknown_and_no_backdrop(scene, thing):
    told = grid(scene(thing("person", 0, 0, 50, 50, crowd=True)))
    assert told.shown[0].tolist() == [UNKNOWN, UNKNOWN]
    assert np.isnan(told.joints).all()


def test_missing_targets_of_one_image_do_not_spoil_the_loss_of_a_batch(scene, thing, scenes):
    """No depth, a person without joints, a thing of unknown colour, and a scene of nothing, beside a whole one."""
    categories = (*scenes[0].categories,)
    room = scene(thing("person", 50, 50), thing("dog", 0, 0), categories=categories)
    batch = grid_targets.gather(
        [grid_targets.grid(one, CELLS, categories) for one in (room, scene(categories=categories), scenes[0])]
    )
    assert batch.depth[:2].isnan().all()
    assert batch.joints[0].isnan().all()
    features = torch.randn(3, CELLS**2, 8, generator=torch.Generator().manual_seed(0)).requires_grad_()
    torch.manual_seed(0)
    told = Perception(8, grid_targets.sizes(categories))(features, batch)
    sum(told.values()).backward()
    assert all(part.isfinite() and part > 0 for part in told.values())
    assert features.grad.isfinite().all()


def test_a_batch_knows_whose_region_each_is(scenes):
    some = [grid(one) for one in scenes[:3]]
    batch = grid_targets.gather(some)
    assert Counter(batch.sample.tolist()) == {n: len(one.codes) for n, one in enumerate(some)}
    for n, one in enumerate(some):
        assert np.array_equal(batch.cover[batch.sample == n], one.cover)
        assert np.array_equal(batch.shown[n], one.shown)


def test_random_targets_tell_nothing_of_the_image_but_how_much_there_is(scenes):
    """Not even which things there are somewhere: their names, misplaced, would still teach."""
    agree, known = 0, 0
    for scene in scenes:
        told = grid(scene)
        drawn = grid_targets.corrupted(told, told, "random", scene.id, scene.categories)
        assert np.array_equal(drawn.cover, told.cover)
        assert np.array_equal(drawn.codes == UNKNOWN, told.codes == UNKNOWN)
        for name in ("shown", "centre"):
            mine, theirs = (getattr(one, name) for one in (told, drawn))
            assert (mine > 0).sum() == (theirs > 0).sum()
        seen, said = set(told.shown[:, 0]) - {0}, set(drawn.shown[:, 0]) - {0}
        agree += len(seen & said)
        known += len(said)
    things = np.mean([len(set(grid(scene).shown[:, 0]) - {0}) for scene in scenes])
    assert known > 20
    assert agree / known < 3 * things / len(scenes[0].categories)  # as often as by chance, and not always


def test_random_targets_of_a_scene_are_the_same_whenever_it_is_seen(scenes):
    told, categories = grid(scenes[0]), scenes[0].categories
    one, again, other = (grid_targets.corrupted(told, told, "random", draw, categories) for draw in ("a", "a", "b"))
    assert all(np.array_equal(mine, theirs, equal_nan=True) for mine, theirs in zip(one, again, strict=True))
    assert not np.array_equal(one.shown, other.shown)


def test_shuffled_masks_are_another_scenes_under_our_codes(scene, thing):
    ours = grid(scene(thing("dog", 0, 0, 25, 25), thing("dog", 50, 0, 25, 25), thing("cup", 25, 0, 25, 25)))
    theirs = grid(scene(thing("chair", 50, 50, 50, 25), thing("chair", 0, 75, 25, 25)))
    told = grid_targets.corrupted(ours, theirs, "shuffled", "", ())
    assert np.array_equal(told.codes, ours.codes)
    assert np.array_equal(told.cover, theirs.cover[[0, 1, 0]])
    for name in ("shown", "centre", "depth", "joints"):
        assert np.array_equal(getattr(told, name), getattr(theirs, name), equal_nan=True)


def test_nothing_is_done_to_true_targets(scenes):
    told = grid(scenes[0])
    assert grid_targets.corrupted(told, grid(scenes[1]), "", scenes[0].id, ()) is told


@pytest.mark.parametrize("how", ["random", "shuffled"])
def test_a_controls_batch_differs_from_the_true_one_and_fits_it(course, how):
    lessons, after = [course.lesson(n) for n in range(4)], course.lesson(4)
    true, false = (Targets(CELLS, after.scene.categories, corrupt).of(lessons, after) for corrupt in ("", how))
    assert [one.shape for one in true] == [one.shape for one in false]
    assert torch.equal(true.sample, false.sample)
    assert not torch.equal(true.shown, false.shown)
    assert torch.equal(true.codes, false.codes) == (how == "shuffled")
    assert torch.equal(true.cover, false.cover) == (how == "random")
    assert false.joints.shape == (4, CELLS**2, JOINTS)


def test_a_batch_of_one_has_another_scenes_masks_too(course):
    lessons, after = [course.lesson(0)], course.lesson(1)
    true, false = (Targets(CELLS, after.scene.categories, corrupt).of(lessons, after) for corrupt in ("", "shuffled"))
    assert not torch.equal(true.cover, false.cover)
