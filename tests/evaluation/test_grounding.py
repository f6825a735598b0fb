"""Pairs are grounded where every twin's place is right; what cannot be read is wrong, and chance is what chance reaches."""

import msgspec
import numpy as np
import pytest

from pstgen.core.records import BadInput
from pstgen.dataset import evidence, exported, sealing, store
from pstgen.evaluation import grounding, grounding_targets, stress_result
from pstgen.evaluation.place_answers import PlaceAnswers

SEED = 3


@pytest.fixture(scope="module")
def dataset(small_set):
    return store.open(small_set)


@pytest.fixture(scope="module")
def rows(dataset):
    return list(dataset.rows())


@pytest.fixture(scope="module")
def placed(rows):
    """Those whose answer a place shows."""
    return [row for row in rows if not grounding_targets.left_out(row)]


@pytest.fixture(scope="module")
def measure(dataset, rows):
    def measured(texts, place="point", **more):
        return grounding.result(rows, place, PlaceAnswers("model", texts=texts, **more), dataset.manifest, SEED)

    return measured


def on_target(row, unit=1000):
    """A point on the target, in thousandths of the picture or in pixels."""
    seen = evidence.mask(row)
    y, x = np.argwhere(seen > 0)[len(np.argwhere(seen > 0)) // 2]
    across, down = (seen.shape[1] / unit, seen.shape[0] / unit) if unit else (1, 1)
    return f"[{(x + 0.5) / across:.1f}, {(y + 0.5) / down:.1f}]"


def boxes(row):
    """The target's boxes, in thousandths."""
    sides = (row.scene.width, row.scene.height) * 2
    return str([[1000 * n / side for n, side in zip(box, sides, strict=True)] for box in exported.boxes(row)])


def figures(group):
    return {name: getattr(group, name).share for name in ("pairs", "items", "invalid", "outside")}


def test_who_points_at_the_target_grounds_every_pair(measure, placed):
    found = measure({row.item.item_id: on_target(row) for row in placed})
    assert figures(found.whole) == {"pairs": 1, "items": 1, "invalid": 0, "outside": 0}
    assert found.whole.items.n == len(placed)
    assert found.grounded == dict.fromkeys((row.item.pair_id for row in placed), True)
    assert found.whole.iou is None


def test_one_wrong_twin_loses_the_pair_and_every_point_that_is_named_counts(measure, placed):
    texts = {row.item.item_id: on_target(row) for row in placed}
    first = placed[0].item
    for wrong in ("[0, 0]", f"{texts[first.item_id]} and [0, 0]"):
        found = measure(texts | {first.item_id: wrong})
        assert [pair for pair, right in found.grounded.items() if not right] == [first.pair_id]
        assert found.whole.items.share == pytest.approx(1 - 1 / len(placed))


def test_nonsense_is_invalid_and_wrong_and_never_skipped(measure, placed):
    found = measure({row.item.item_id: "I see it." for row in placed})
    assert figures(found.whole) == {"pairs": 0, "items": 0, "invalid": 1, "outside": 0}
    assert found.whole.pairs.n == len({row.item.pair_id for row in placed})


def test_a_point_outside_the_image_is_wrong_and_said_to_be_outside(measure, placed):
    found = measure({row.item.item_id: "[1500, 200]" for row in placed})
    assert figures(found.whole) == {"pairs": 0, "items": 0, "invalid": 0, "outside": 1}


def test_random_points_reach_what_chance_says(measure, placed):
    """Ten thousand points on each picture are as often right as its target covers it; the figure is their mean."""
    rng = np.random.default_rng(SEED)
    reached = []
    for row in placed[:8]:
        x, y = rng.random((2, 10_000))
        inside = grounding_targets.target(row).inside
        height, width = inside.shape
        reached.append(inside[(y * height).astype(int), (x * width).astype(int)].mean())
    covered = [grounding_targets.target(row).covered for row in placed[:8]]
    assert np.allclose(reached, covered, atol=0.02)
    chance = measure({row.item.item_id: "" for row in placed}).whole.chance["random point"]
    assert chance.items == pytest.approx(np.mean([grounding_targets.target(row).covered for row in placed]))
    by_pair = {}
    for row in placed:
        by_pair[row.item.pair_id] = by_pair.get(row.item.pair_id, 1) * grounding_targets.target(row).covered
    assert chance.pairs == pytest.approx(np.mean(list(by_pair.values())))


def test_the_boxes_of_the_target_are_right_and_a_box_too_few_is_so_much_less(measure, placed):
    texts = {row.item.item_id: boxes(row) for row in placed}
    found = measure(texts, "box")
    assert figures(found.whole) == {"pairs": 1, "items": 1, "invalid": 0, "outside": 0}
    assert found.whole.iou.mean == pytest.approx(1)
    two = next(row for row in placed if len(exported.boxes(row)) == 2)
    alone = measure(texts | {two.item.item_id: boxes(two).partition("], ")[0] + "]]"}, "box")
    assert alone.answers[two.item.item_id].iou == pytest.approx(0.5)


def test_the_whole_image_as_an_answer_reaches_what_chance_says_of_it(measure, placed):
    whole = measure({row.item.item_id: "[0, 0, 1000, 1000]" for row in placed}, "box").whole
    assert whole.iou.mean == pytest.approx(whole.chance["whole image"].iou)
    assert whole.items.share == pytest.approx(whole.chance["whole image"].items)
    assert whole.pairs.share == pytest.approx(whole.chance["whole image"].pairs)
    centre = measure({row.item.item_id: "[250, 250, 750, 750]" for row in placed}, "box").whole
    assert centre.iou.mean == pytest.approx(centre.chance["centre box"].iou)


def test_a_box_that_is_turned_round_has_no_area(measure, placed):
    found = measure({row.item.item_id: "[900, 900, 100, 100]" for row in placed}, "box")
    assert (found.whole.iou.mean, found.whole.invalid.share) == (0, 0)


def test_what_has_no_place_is_counted_by_its_reason_and_a_family_apart(measure, rows, placed):
    found = measure({row.item.item_id: on_target(row) for row in placed})
    assert sum(found.left_out.values()) == len(rows) - len(placed)
    assert set(found.left_out) == {grounding_targets.ABSENCE, grounding_targets.MARKED}
    assert found.items == len(rows)
    families = {group.name: group.items.n for group in found.groups if group.kind == "family"}
    assert families == {name: sum(row.item.family == name for row in placed) for name in families}
    assert "pointing" not in families


def test_a_pair_of_which_a_twin_has_no_place_is_grounded_by_the_other(measure, rows, placed):
    places = {row.item.item_id for row in placed}
    half = {row.item.pair_id for row in rows if row.item.item_id not in places} & {row.item.pair_id for row in placed}
    found = measure({row.item.item_id: on_target(row) for row in placed})
    assert half
    assert half <= found.grounded.keys()


def test_a_twin_without_an_answer_leaves_its_pair_out(measure, placed):
    texts = {row.item.item_id: on_target(row) for row in placed[1:]}
    found = measure(texts)
    assert found.incomplete == 1
    assert placed[0].item.pair_id not in found.grounded
    with pytest.raises(BadInput, match="no pair has an answer to each of its twins"):
        measure({})


def test_a_set_without_any_place_says_so(dataset, rows, placed):
    places = {row.item.item_id for row in placed}
    others = [row for row in rows if row.item.item_id not in places]
    with pytest.raises(BadInput, match=r"no item has a place to be asked for \(.*a mark in the picture"):
        grounding.result(others, "point", PlaceAnswers("model"), dataset.manifest)


def test_pixels_that_are_read_as_thousandths_are_suspected(measure, placed):
    texts = {row.item.item_id: on_target(row, unit=0) for row in placed}
    found = measure(texts)
    assert found.whole.items.share < 0.2
    assert found.other_units["pixels"] == 1
    assert measure(texts, named="pixels").whole.items.share == 1
    assert measure(texts, named="pixels").other_units == {}


def test_pixels_are_those_of_the_picture_as_the_model_sees_it(measure, placed):
    sizes = {row.item.item_id: (2 * row.scene.width, 2 * row.scene.height) for row in placed}
    doubled = {}
    for row in placed:
        x, y = map(float, on_target(row, unit=0)[1:-1].split(", "))
        doubled[row.item.item_id] = f"[{2 * x}, {2 * y}]"
    assert measure(doubled, unit="pixels", sizes=sizes).whole.items.share == 1


def test_a_result_is_written_whole_and_sealed(measure, placed, tmp_path):
    found = measure({row.item.item_id: on_target(row) for row in placed})
    file = tmp_path / "new" / "point.json"
    stress_result.write(file, found)
    written = msgspec.json.decode(file.read_bytes(), type=grounding.GroundingResult)
    assert msgspec.structs.replace(written, seal="") == found
    assert file.read_bytes() == sealing.canonical(written)


def test_a_result_about_places_is_none_about_options(measure, placed, tmp_path):
    stress_result.write(tmp_path / "point.json", measure({row.item.item_id: on_target(row) for row in placed}))
    with pytest.raises(BadInput, match="a result about places"):
        stress_result.read(tmp_path / "point.json")
