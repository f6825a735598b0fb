"""Promises of the built-in world."""

import json
from hashlib import sha256
from pathlib import Path

import cv2
import msgspec
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pstgen.core.config import PLACES, WorldConfig, build_config, with_settings
from pstgen.core.records import Unavailable
from pstgen.core.report import Refusals
from pstgen.scenes import pixels
from pstgen.scenes.sources import world
from pstgen.scenes.world import files
from pstgen.scenes.world.draw import draw
from pstgen.scenes.world.people import JOINTS
from pstgen.scenes.world.plan import Plan, Thing, kinds, plan
from pstgen.scenes.world.scenes import VERSION, scene

COCO_IDS = {"person": 1, "car": 3, "stop sign": 13, "dog": 18, "banana": 52, "chair": 62, "tv": 72, "teddy bear": 88}


def plan_of(category, **fields):
    """A plan with a single thing."""
    kind = kinds()[category]
    lift = {"sky": 2.1, "wall": 1.6}.get(kind.where, 0.0)
    thing = Thing(category=category, **{"colour": kind.colours[0], "x": 0.5, "depth": 3.0, "lift": lift, **fields})
    return Plan(seed=0, index=0, place=kind.places[0], light=1.0, warmth=0.0, things=(thing,))


def test_there_are_at_least_24_categories_with_the_ids_of_coco():
    assert len(kinds()) >= 24
    assert {name: kinds()[name].id for name in COCO_IDS} == COCO_IDS


@settings(max_examples=25, deadline=None)
@given(st.integers(0, 2**31), st.integers(0, 10**6), st.floats(0, 1), st.sampled_from([64, 100, 128, 192]))
def test_a_scene_is_the_same_whenever_it_is_drawn_and_its_masks_are_what_is_visible(seed, index, typicality, size):
    planned = plan(seed, index, typicality)
    assert planned == plan(seed, index, typicality)
    (drawn, drawing), again = scene(planned, size, None, None), draw(planned, size)
    assert (drawing.image == again.image).all()
    assert (drawing.depth == again.depth).all()
    for thing in drawn.instances:
        visible, whole = pixels.mask(thing, drawn), pixels.mask(thing, drawn, full=True)
        assert (visible == (drawing.owner == thing.id)).all()
        assert not (visible & ~whole).any()
        assert thing.area == visible.sum() > 0
        rows, columns = np.nonzero(visible)
        assert (thing.region.x, thing.region.y) == (columns.min(), rows.min())
        assert (thing.region.right, thing.region.bottom) == (columns.max() + 1, rows.max() + 1)
        assert (drawing.depth[visible] == round(1000 * planned.things[thing.id - 1].depth)).all()
        for joint in thing.keypoints:
            in_sight = drawing.owner[int(joint.y), int(joint.x)] == thing.id
            assert joint.visibility != 2 or in_sight


def test_the_version_is_raised_whenever_a_scene_changes():
    """Caches and manifests go by `VERSION` alone; whoever changes a scene raises it and writes the new hash here."""
    digest = sha256()
    for index in range(20):
        record, drawing = scene(plan(0, index, 0.85), 128, Path("image"), Path("depth"))
        for content in (drawing.image.tobytes(), drawing.depth.tobytes(), msgspec.json.encode(record)):
            digest.update(content)
    assert (VERSION, digest.hexdigest()) == (2, "04dbd3a7f7267b4d75487e8acb9d50b7fb04c08e466baf9481e9f1d857e8ba3d")


@pytest.mark.parametrize("category", kinds())
def test_every_category_is_drawn_in_each_of_its_colours(category):
    drawn = [draw(plan_of(category, colour=colour), 96) for colour in kinds()[category].colours]
    assert all(len(drawing.instances) == 1 and drawing.instances[0].area > 60 for drawing in drawn)
    assert len({drawing.image.tobytes() for drawing in drawn}) == len(drawn)
    assert len({drawing.owner.tobytes() for drawing in drawn}) == 1


def test_a_person_has_the_seventeen_joints_of_coco_its_left_on_our_right():
    (person,) = draw(plan_of("person"), 128).instances
    assert tuple(joint.name for joint in person.keypoints) == JOINTS
    at = {joint.name: joint for joint in person.keypoints}
    assert at["left_shoulder"].x > at["right_shoulder"].x
    assert at["nose"].y < at["left_hip"].y < at["left_ankle"].y
    assert all(joint.visibility == 2 for joint in person.keypoints)


def test_what_stands_before_a_person_hides_joints_which_stay_labelled():
    person, car = plan_of("person").things[0], plan_of("car", depth=2.4).things[0]
    street = Plan(seed=0, index=0, place="street", light=1.0, warmth=0.0, things=(person, car))
    joints = {joint.name: joint.visibility for joint in draw(street, 128).instances[0].keypoints}
    assert joints["left_ankle"] == 1
    assert joints["nose"] == 2


def test_joints_outside_the_picture_are_not_labelled():
    (person,) = draw(plan_of("person", x=0.0), 128).instances
    assert {joint.visibility for joint in person.keypoints} == {0, 2}


def test_the_nearer_thing_hides_the_farther_one_and_is_larger():
    near, far = plan_of("dog", depth=2.5).things[0], plan_of("dog", depth=4.5).things[0]
    both = draw(Plan(seed=0, index=0, place="meadow", light=1.0, warmth=0.0, things=(far, near)), 128)
    assert both.instances[1].area > 2 * both.instances[0].area


def test_typicality_is_the_share_of_typical_choices():
    def typical(share):
        things = [thing for n in range(400) for thing in plan(5, n, share).things]
        return np.mean([thing.colour == kinds()[thing.category].colours[0] for thing in things])

    assert typical(1.0) == 1.0
    assert typical(0.0) < 0.35
    assert typical(0.0) < typical(0.5) < typical(0.9)


def people(typicality, scenes=300):
    """Every person of so many scenes, with how those who are in such company usually hold their arms."""
    for n in range(scenes):
        things = plan(7, n, typicality).things
        usual = [kinds()[thing.category].arms for thing in things if kinds()[thing.category].arms]
        yield from ((thing, usual) for thing in things if thing.category == "person")


def test_where_all_is_typical_people_hold_their_arms_as_suits_their_company():
    suited = [(person.arms, usual) for person, usual in people(1.0) if usual]
    assert len(suited) > 50
    assert len({arms for arms, _ in suited}) > 3
    assert all(arms == usual[0] for arms, usual in suited)


def test_people_in_no_such_company_hold_their_arms_as_their_style_has_it():
    alone = [person for person, usual in people(1.0) if not usual]
    assert alone
    assert all(person.arms is None for person in alone)


def test_typicality_is_the_share_of_people_whose_arms_suit_their_company():
    def suited(typicality):
        return np.mean([person.arms is not None for person, usual in people(typicality) if usual])

    assert suited(0.0) == 0
    assert suited(0.5) == pytest.approx(0.5, abs=0.1)


@pytest.mark.parametrize(("arms", "left", "right"), [(("up", "down"), -1, 1), (("down", "up"), 1, -1), (("up", "up"), -1, -1), (("down", "down"), 1, 1)])  # fmt: skip
def test_an_arm_that_is_up_is_above_its_own_shoulder_and_nearly_straight(arms, left, right):
    """Left and right are the person's."""
    (person,) = draw(plan_of("person", arms=arms), 128).instances
    at = {joint.name: np.array((joint.x, joint.y)) for joint in person.keypoints}
    for side, sign, pose in (("left", left, arms[0]), ("right", right, arms[1])):
        shoulder, elbow, wrist = (at[f"{side}_{joint}"] for joint in ("shoulder", "elbow", "wrist"))
        assert np.sign(wrist[1] - shoulder[1]) == np.sign(elbow[1] - shoulder[1]) == sign
        upper, lower = shoulder - elbow, wrist - elbow
        cosine = upper @ lower / np.linalg.norm(upper) / np.linalg.norm(lower)
        assert cosine < np.cos(np.radians(165)) or pose != "up"


def test_captions_name_what_is_there_and_not_everything():
    incomplete = 0
    for n in range(100):
        drawn, _ = scene(plan(3, n, 0.5), 64, None, None)
        assert len(drawn.captions) == 2
        assert all(caption[0].isupper() and caption.endswith(".") for caption in drawn.captions)
        text = " ".join(drawn.captions).lower()
        incomplete += any(thing.category not in text for thing in drawn.instances)
    assert incomplete > 20


def test_the_written_files_are_the_same_bytes_for_the_same_seed(tmp_path):
    for name in ("a", "b"):
        (tmp_path / name).mkdir()
        files.write(WorldConfig(n=6, size=64, seed=3), tmp_path / name)
    a, b = ({p.relative_to(tmp_path / n): p.read_bytes() for p in (tmp_path / n).rglob("*.*")} for n in ("a", "b"))
    assert a == b
    assert len(a) == 6 + 6 + 3


def test_the_files_are_cocos_and_say_that_they_are_synthetic(tmp_path):
    files.write(WorldConfig(n=5, size=64), tmp_path)
    instances = json.loads((tmp_path / "annotations" / "instances_world.json").read_text())
    assert "synthetic" in instances["info"]["description"]
    assert len(instances["images"]) == 5
    depth = cv2.imread(str(tmp_path / instances["images"][0]["depth_file"]), cv2.IMREAD_UNCHANGED)
    assert depth.dtype == np.uint16
    assert depth.shape == (64, 64)


def test_the_source_reads_from_its_cache_what_it_drew(tmp_path, monkeypatch):
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    config = build_config(source="world", scenes=5, size=64)

    def read():
        return list(world.scenes(config, lambda name: name != "world/2", Refusals()))

    first = read()
    assert [drawn.id for drawn in first] == ["world/0", "world/1", "world/3", "world/4"]
    stamps = {path: path.stat().st_mtime_ns for path in tmp_path.rglob("*.png")}
    assert read() == first
    assert {path: path.stat().st_mtime_ns for path in tmp_path.rglob("*.png")} == stamps
    assert pixels.image(first[0]).shape == (64, 64, 3)
    assert pixels.depth(first[0]).dtype == np.uint16


def test_a_scene_is_the_same_to_the_last_digit_whether_it_was_just_drawn_or_was_in_the_cache(tmp_path, monkeypatch):
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    config = build_config(source="world", scenes=40, size=64)
    cold, warm = ([repr(drawn) for drawn in world.scenes(config, lambda _: True, Refusals())] for _ in range(2))
    assert any("Keypoint" in text for text in cold)
    assert cold == warm
    assert not list(tmp_path.rglob(".drafts-*"))


def damaged(file, how):
    """Damage a file of the cache as a disk or a killed copy does."""
    code = file.read_bytes()
    match how:
        case "cut":
            file.write_bytes(code[: len(code) // 2])
        case "flipped":
            file.write_bytes(code[:-20] + bytes([code[-20] ^ 1]) + code[-19:])
        case "empty":
            file.write_bytes(b"")
        case _:
            file.unlink()


@pytest.mark.parametrize("how", ["cut", "flipped", "empty", "gone"])
@pytest.mark.parametrize("name", ["1.png", "1.depth.png", "1.scene.json"])
def test_a_cache_that_was_damaged_heals_itself_and_says_so(tmp_path, monkeypatch, caplog, name, how):
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    config = build_config(source="world", scenes=3, size=64)
    first = list(world.scenes(config, lambda _: True, Refusals()))
    whole = {path: path.read_bytes() for path in tmp_path.rglob("*.*") if path.is_file()}
    (file,) = tmp_path.rglob(name)
    damaged(file, how)
    assert list(world.scenes(config, lambda _: True, Refusals())) == first
    assert {path: path.read_bytes() for path in tmp_path.rglob("*.*") if path.is_file()} == whole
    assert ("damaged scenes drawn anew: 1" in caplog.text) == ((name, how) != ("1.scene.json", "gone"))
    caplog.clear()
    assert list(world.scenes(config, lambda _: True, Refusals())) == first
    assert caplog.text == ""


def test_a_cache_that_was_moved_is_read_where_it_is(tmp_path, monkeypatch):
    config = build_config(source="world", scenes=2, size=64)
    for name in ("a", "b"):
        monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / name))
        drawn = list(world.scenes(config, lambda _: True, Refusals()))
        assert all(Path(path).is_file() for one in drawn for path in (one.path, one.depth_path))
        if name == "a":
            (tmp_path / "a").rename(tmp_path / "b")


def test_a_cache_that_cannot_be_written_is_an_error(tmp_path, monkeypatch):
    (tmp_path / "cache").write_text("a file, not a folder")
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    with pytest.raises(Unavailable, match="XDG_CACHE_HOME"):
        next(world.scenes(build_config(source="world"), lambda _: True, Refusals()))


def test_scenes_of_one_place_are_all_there_and_what_belongs_there_is_typical_of_them():
    streets = [plan(3, n, 1.0, "street") for n in range(60)]
    assert {planned.place for planned in streets} == {"street"}
    kinds_seen = {thing.category for planned in streets for thing in planned.things}
    assert {"car", "traffic light", "stop sign"} <= kinds_seen
    assert "oven" not in kinds_seen


def test_a_place_that_is_drawn_stays_as_it_was():
    drawn = [plan(3, n, 0.8) for n in range(30)]
    assert {planned.place for planned in drawn} == set(PLACES)
    assert all(plan(3, planned.index, 0.8, planned.place) == planned for planned in drawn)


def test_streets_are_kept_apart_from_other_scenes_and_said_in_the_origin(tmp_path, monkeypatch):
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    anywhere = build_config(source="world", scenes=3, size=64)
    streets = with_settings(anywhere, place="street")
    first, second = (list(world.scenes(config, lambda _: True, Refusals())) for config in (anywhere, streets))
    assert [scene.id for scene in first] == [scene.id for scene in second]
    assert [scene.path for scene in first] != [scene.path for scene in second]
    assert world.origin(streets)["place"] == "street"
    assert "place" not in world.origin(anywhere)
    assert world.defaults(streets).questions.prior_base == "none"
