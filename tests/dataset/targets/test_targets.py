import numpy as np
import pytest

from pstgen.core import plugins
from pstgen.core.records import Keypoint
from pstgen.dataset.targets import keypoints, mask, region
from pstgen.scenes import pixels


@pytest.mark.parametrize("name", plugins.names("targets"))
def test_a_target_has_the_size_of_its_image_and_is_read_only(scene, thing, name):
    joint = Keypoint(name="nose", x=10, y=10, visibility=2)
    some = scene(thing("person", 0, id=1, within=(80, 60), keypoints=(joint,)), height=60, width=80)
    target = plugins.load("targets", name).render(some, (1,))
    if target is not None:
        assert target.kind == name
        assert target.pixels.shape == (60, 80)
        assert not target.pixels.flags.writeable


def test_the_mask_is_the_union_of_what_is_asked_about(scene, thing):
    some = scene(thing("cup", 0, id=1), thing("cup", 50, id=2), thing("dog", 80, id=3))
    seen = mask.render(some, (1, 2)).pixels == 255
    assert (seen == (pixels.mask(some.instances[0], some) | pixels.mask(some.instances[1], some))).all()


def test_an_absence_has_no_mask_and_the_whole_image_as_its_region(scene, thing):
    some = scene(thing("cup", 0, id=1))
    assert mask.render(some, ()) is None
    assert (region.render(some, ()).pixels == 255).all()


def test_the_region_is_the_boxes(scene, thing):
    drawn = region.render(scene(thing("cup", 10, 20, 30, 40, id=1)), (1,)).pixels
    rows, columns = np.nonzero(drawn)
    assert (rows.min(), rows.max(), columns.min(), columns.max()) == (20, 59, 10, 39)


def test_a_seen_joint_is_brighter_than_a_hidden_one_and_an_unlabelled_one_is_dark(scene, thing):
    joints = tuple(Keypoint(name=str(v), x=30 * v + 5, y=50, visibility=v) for v in (0, 1, 2))
    some = scene(thing("person", 0, 0, 100, 100, id=1, keypoints=joints))
    heat = keypoints.render(some, (1,)).pixels
    assert [int(heat[50, 30 * v + 5]) for v in (0, 1, 2)] == [0, 128, 255]


def test_depth_is_told_only_where_the_source_knows_it(kitchen):
    assert plugins.load("targets", "depth").render(kitchen, ()) is None
