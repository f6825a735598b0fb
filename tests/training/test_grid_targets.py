"""Perceptual targets: what scenes show on a grid of cells, and what controls make of it."""

from collections import Counter
from dataclasses import replace

import cv2
import numpy as np
import pytest
import torch

from pstgen.core.records import Keypoint
from pstgen.models.perceptual_losses import FACTORS, JOINTS, UNKNOWN, PerceptionHeads
from pstgen.scenes import pixels
from pstgen.scenes.truth.colour import NAMES as COLOURS
from pstgen.training import grid_targets
from pstgen.training.batches import TargetBuilder

CELLS = 4
NAMES = [
    *("nose", "left_eye", "right_eye", "left_ear", "right_ear", "left_shoulder", "right_shoulder", "left_elbow"),
    *("right_elbow", "left_wrist", "right_wrist", "left_hip", "right_hip", "left_knee", "right_knee", "left_ankle"),
    "right_ankle",
]


@pytest.fixture(scope="session")
def scenes(examples):
    return [example.scene for example in examples]


def grid(scene, cells=CELLS):
    return grid_targets.from_scene(scene, cells, scene.categories)


def posed(**seen):
    """A person's 17 joints; those that are named are visible at (x, y), the others not labelled."""
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
            cover = grid(scene).coverage[n]
            assert cover.sum() * patch == pytest.approx(mask.sum(), rel=1e-4)
            cells = mask.reshape(CELLS, scene.height // CELLS, CELLS, -1).mean((1, 3))
            assert np.allclose(cover.reshape(CELLS, CELLS), cells, atol=1e-5)
            counted += 1
    assert counted > len(scenes)


def test_every_code_is_one_of_its_factor(scenes):
    sizes = grid_targets.code_counts(scenes[0].categories)
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
    labels = grid(scene(thing("dog", 0, 0, 50, 50), thing("cup", 50, 50, 50, 50, colour="blue"))).labels
    labels = labels.reshape(CELLS, CELLS, 2)
    names = ("chair", "cup", "dog")
    assert (labels[:2, :2] == [1 + names.index("dog"), UNKNOWN]).all()
    assert (labels[2:, 2:] == [1 + names.index("cup"), 1 + COLOURS.index("blue")]).all()
    assert (labels[:2, 2:] == 0).all()


def test_a_cell_shows_the_thing_that_covers_most_of_it(scene, thing):
    room = scene(thing("dog", 0, 0, 10, 25), thing("cup", 10, 0, 15, 25), thing("chair", 75, 75, 10, 10))
    labels = grid(room).labels[:, 0]
    assert labels[0] == 1 + room.categories.index("cup")
    assert labels[15] == 0  # a chair of 16 % of the cell is too little


def test_the_centre_of_a_thing_is_in_one_cell(scenes):
    for scene in scenes:
        centres, expected = grid(scene).centres, {}
        for thing in scene.instances:
            row = int(thing.region.centre_y * CELLS / scene.height)
            column = int(thing.region.centre_x * CELLS / scene.width)
            expected[row * CELLS + column] = 1 + scene.categories.index(thing.category)
        assert {n: centres[n] for n in np.flatnonzero(centres)} == expected


def test_a_crowd_and_a_thing_without_a_mask_are_no_regions(scene, thing):
    room = scene(thing("dog", 0, 0, crowd=True), replace(thing("dog", 50, 0), rle=b""), thing("cup", 50, 50))
    assert grid(room).codes[:, 0].tolist() == [room.categories.index("cup")]


def test_an_empty_scene_has_a_target_that_teaches_nothing(scene):
    empty = grid(scene())
    assert (empty.codes == UNKNOWN).all()
    assert not empty.labels.any()
    assert not empty.centres.any()


def test_depth_is_the_log_of_metres_of_its_cell(scene, tmp_path):
    millimetres = np.repeat(np.repeat(np.arange(1, 17, dtype=np.uint16).reshape(4, 4) * 1000, 25, 0), 25, 1)
    millimetres[:25, 25:50] = 0
    cv2.imwrite(str(tmp_path / "depth.png"), millimetres)
    depth = grid(scene(depth_path=str(tmp_path / "depth.png"))).depth
    assert np.isnan(depth[1])
    assert np.allclose(np.delete(depth, 1), np.delete(np.log(np.arange(1, 17)), 1), atol=1e-6)


def test_depth_is_looked_up_in_the_middle_of_a_cell(scene, tmp_path):
    millimetres = np.full((100, 100), 9000, np.uint16)
    millimetres[12, 12] = millimetres[13, 13] = millimetres[12, 13] = millimetres[13, 12] = 2000
    cv2.imwrite(str(tmp_path / "depth.png"), millimetres)
    metres = np.exp(grid(scene(depth_path=str(tmp_path / "depth.png"))).depth)
    assert metres[0] == pytest.approx(2, rel=1e-5)


def test_joints_are_in_the_cell_where_they_are_seen(scene, thing):
    person = thing("person", 0, 0, 80, 80, keypoints=posed(nose=(60, 10), left_wrist=(10, 60)))
    targets = grid(scene(person))
    assert np.argwhere(targets.joints == 1).tolist() == [[2, 0], [8, 9]]
    regions = targets.codes[:, column("keypoint")]
    assert regions.tolist() == [UNKNOWN, 0, 9]
    assert (targets.codes[1:, :-1] == UNKNOWN).all()
    assert [cover.argmax() for cover in targets.coverage[1:]] == [2, 8]
    assert targets.coverage[1:].sum() == 2


def test_a_hidden_joint_is_no_region_to_be_seen(scene, thing):
    hidden = Keypoint(name="nose", x=10, y=10, visibility=1)
    targets = grid(scene(thing("person", 0, 0, 80, 80, keypoints=(hidden, *posed()[1:]))))
    assert (targets.codes[:, column("keypoint")] == UNKNOWN).all()


def test_a_person_without_joints_leaves_all_other_joints_of_the_image_unknown(scene, thing):
    posing = thing("person", 0, 0, 40, 40, keypoints=posed(nose=(10, 10)))
    assert not np.isnan(grid(scene(posing)).joints[:, 0]).any()
    beside = grid(scene(posing, thing("person", 50, 50))).joints
    assert np.argwhere(~np.isnan(beside)).tolist() == [[0, 0]]  # where one is seen, one is
    assert not np.isnan(grid(scene(thing("dog", 50, 50))).joints).any()


def test_a_joint_that_nobody_labelled_is_unknown(scene, thing):
    targets = grid(scene(thing("person", 0, 0, 80, 80, keypoints=posed(nose=(10, 10)))))
    assert not (targets.joints[:, 9] == 0).any()


def test_what_is_in_a_crowd_is_unknown_and_not_backdrop(scene, thing):
    targets = grid(scene(thing("person", 0, 0, 50, 50, crowd=True)))
    assert targets.labels[0].tolist() == [UNKNOWN, UNKNOWN]
    assert np.isnan(targets.joints).all()


def test_missing_targets_of_one_image_do_not_spoil_the_loss_of_a_batch(scene, thing, scenes):
    """No depth, a person without joints, a thing of unknown colour, and a scene of nothing, beside a whole one."""
    categories = (*scenes[0].categories,)
    room = scene(thing("person", 50, 50), thing("dog", 0, 0), categories=categories)
    mixed = (room, scene(categories=categories), scenes[0])
    batch = grid_targets.collate([grid_targets.from_scene(each, CELLS, categories) for each in mixed])
    assert batch.depth[:2].isnan().all()
    assert batch.joints[0].isnan().all()
    features = torch.randn(3, CELLS**2, 8, generator=torch.Generator().manual_seed(0)).requires_grad_()
    torch.manual_seed(0)
    parts = PerceptionHeads(8, grid_targets.code_counts(categories))(features, batch)
    sum(parts.values()).backward()
    assert all(part.isfinite() and part > 0 for part in parts.values())
    assert features.grad.isfinite().all()


def test_a_batch_knows_whose_region_each_is(scenes):
    grids = [grid(scene) for scene in scenes[:3]]
    batch = grid_targets.collate(grids)
    assert Counter(batch.sample.tolist()) == {n: len(targets.codes) for n, targets in enumerate(grids)}
    for n, targets in enumerate(grids):
        assert np.array_equal(batch.coverage[batch.sample == n], targets.coverage)
        assert np.array_equal(batch.labels[n], targets.labels)


def test_random_targets_say_nothing_of_the_image_but_how_much_there_is(scenes):
    """Not even which things there are somewhere: their names, misplaced, would still teach."""
    agree, known = 0, 0
    for scene in scenes:
        true = grid(scene)
        drawn = grid_targets.corrupt(true, true, "random", scene.id, scene.categories)
        assert np.array_equal(drawn.coverage, true.coverage)
        assert np.array_equal(drawn.codes == UNKNOWN, true.codes == UNKNOWN)
        for name in ("labels", "centres"):
            assert (getattr(true, name) > 0).sum() == (getattr(drawn, name) > 0).sum()
        true_kinds, drawn_kinds = set(true.labels[:, 0]) - {0}, set(drawn.labels[:, 0]) - {0}
        agree += len(true_kinds & drawn_kinds)
        known += len(drawn_kinds)
    things = np.mean([len(set(grid(scene).labels[:, 0]) - {0}) for scene in scenes])
    assert known > 20
    assert agree / known < 3 * things / len(scenes[0].categories)  # as often as by chance, and not always


def test_random_targets_of_a_scene_are_the_same_whenever_it_is_seen(scenes):
    true, categories = grid(scenes[0]), scenes[0].categories
    first, again, other = (grid_targets.corrupt(true, true, "random", draw, categories) for draw in ("a", "a", "b"))
    assert all(np.array_equal(a, b, equal_nan=True) for a, b in zip(first, again, strict=True))
    assert not np.array_equal(first.labels, other.labels)


def test_shuffled_masks_are_another_scenes_under_our_codes(scene, thing):
    ours = grid(scene(thing("dog", 0, 0, 25, 25), thing("dog", 50, 0, 25, 25), thing("cup", 25, 0, 25, 25)))
    theirs = grid(scene(thing("chair", 50, 50, 50, 25), thing("chair", 0, 75, 25, 25)))
    shuffled = grid_targets.corrupt(ours, theirs, "shuffled", "", ())
    assert np.array_equal(shuffled.codes, ours.codes)
    assert np.array_equal(shuffled.coverage, theirs.coverage[[0, 1, 0]])
    for name in ("labels", "centres", "depth", "joints"):
        assert np.array_equal(getattr(shuffled, name), getattr(theirs, name), equal_nan=True)


def test_nothing_is_done_to_true_targets(scenes):
    true = grid(scenes[0])
    assert grid_targets.corrupt(true, grid(scenes[1]), "", scenes[0].id, ()) is true


def batch_of(corruption, batch, after):
    return TargetBuilder(CELLS, after.scene.categories, corruption).build(batch, after)


@pytest.mark.parametrize("how", ["random", "shuffled"])
def test_a_controls_batch_differs_from_the_true_one_and_fits_it(examples, how):
    true, false = (batch_of(corruption, [examples[n] for n in range(4)], examples[4]) for corruption in ("", how))
    assert [part.shape for part in true] == [part.shape for part in false]
    assert torch.equal(true.sample, false.sample)
    assert not torch.equal(true.labels, false.labels)
    assert torch.equal(true.codes, false.codes) == (how == "shuffled")
    assert torch.equal(true.coverage, false.coverage) == (how == "random")
    assert false.joints.shape == (4, CELLS**2, JOINTS)


def test_a_batch_of_one_has_another_scenes_masks_too(examples):
    true, false = (batch_of(corruption, [examples[0]], examples[1]) for corruption in ("", "shuffled"))
    assert not torch.equal(true.coverage, false.coverage)
