"""Faces are blurred in both twins of a pair alike, but for what the question is about; labels and `verify` still hold."""

import json
from collections import Counter
from dataclasses import replace
from pathlib import Path

import msgspec
import numpy as np
import pytest
from PIL import Image

from pstgen import build
from pstgen.core.config import RebuildConfig, VerifyConfig, WorldConfig, build_config
from pstgen.core.records import Item, Keypoint, Pair
from pstgen.core.report import Refusals
from pstgen.dataset import blurring, store
from pstgen.scenes import pixels, privacy, sources
from pstgen.scenes.world import files
from pstgen.verification import checks, trust
from pstgen.verify import Rebuild

JOINTS = {
    "nose": (50, 24),
    "left_eye": (54, 20),
    "right_eye": (46, 20),
    "left_shoulder": (70, 50),
    "left_elbow": (75, 40),
    "left_wrist": (55, 25),
}


def person(scene_thing, *, id=1, joints=JOINTS):  # noqa: A002
    seen = tuple(Keypoint(name=name, x=x, y=y, visibility=2) for name, (x, y) in joints.items())
    return replace(scene_thing("person", 30, 5, 45, 90), id=id, keypoints=seen)


@pytest.fixture
def photograph(thing, scene, tmp_path):
    """A photograph of noise with a person, and other things as they are given."""

    def make(*others, number=1, people=None):
        shown = (person(thing),) if people is None else people
        path = tmp_path / f"{number}.png"
        Image.fromarray(np.random.default_rng(number).integers(0, 256, (100, 100, 3), dtype=np.uint8)).save(path)
        of = scene(*shown, *others, id=f"val2017/{number}", complete=False)
        return replace(of, source="coco", path=str(path))

    return make


def item(scene, family="existence", about=("cup",), evidence=(), **more):
    fields = {"form": "at all", "frame": "neutral", "question": "?", "neutral": "?", "twin": "matched", "lure": "yes"}
    return Item(
        **{
            **fields,
            "item_id": f"x-{scene.id}",
            "pair_id": "x",
            "role": "control",
            "scene_id": scene.id,
            "image": "",
            "family": family,
            "about": about,
            "options": ("yes", "no"),
            "answer": "yes",
            "difficulty": 1.0,
            "evidence": evidence,
            **more,
        }
    )


def changed(scene, **about):
    """(H, W) bool: where the picture of an item is not the scene's."""
    shown = blurring.image(item(scene, **about), scene)
    return (shown != pixels.image(scene)).any(axis=2) if shown is not None else np.zeros((100, 100), bool)


def test_a_face_is_blurred_whether_or_not_the_person_is_in_question(photograph):
    scene = photograph()
    without, within = changed(scene), changed(scene, about=("person",), evidence=(1,))
    assert without[18:26, 45:55].mean() > 0.9
    assert np.array_equal(without, within)


def test_a_question_about_the_nose_leaves_the_face_of_the_person_in_question_alone(photograph, thing):
    other = person(thing, id=2, joints={"nose": (10, 80), "left_eye": (13, 77), "right_eye": (7, 77)})
    scene = photograph(people=(person(thing), other))
    asked = changed(scene, family="visibility", about=("person", "nose"), evidence=(1,))
    assert not asked[10:35, 40:60].any()
    assert asked[78:82, 8:12].mean() > 0.9


def test_an_arm_in_question_stays_sharp_in_front_of_the_face(photograph):
    """The wrist is at the chin."""
    scene = photograph()
    asked = changed(scene, family="pose", about=("person", "left", "kite"), evidence=(1,))
    assert not asked[25, 54:58].any()
    assert changed(scene)[25, 54:58].all()
    assert asked[18:22, 42:48].all()


@pytest.mark.parametrize("masked", [True, False])
def test_a_small_thing_in_question_stays_sharp_and_one_that_is_not_does_not(photograph, thing, masked):
    cup = thing("cup", 48, 18, 8, 6, id=7)
    scene = photograph(cup if masked else replace(cup, rle=b""))
    inside = np.s_[18:24, 48:56]
    assert not changed(scene, evidence=(7,))[inside].any()
    assert changed(scene)[inside].mean() > 0.9


def test_a_thing_that_is_larger_than_the_face_does_not_uncover_it(photograph, thing):
    """A driver in a car, whose mask holds the driver's face."""
    scene = photograph(thing("car", 0, 0, 100, 90, id=7))
    assert np.array_equal(changed(scene, about=("car",), evidence=(7,)), changed(scene))


@pytest.mark.parametrize("which", ["no joints", "a crowd", "the world"])
def test_where_no_face_is_known_the_picture_stays_as_it_is(photograph, thing, which):
    bare = replace(person(thing), keypoints=(), crowd=which == "a crowd")
    scene = photograph() if which == "the world" else photograph(people=(bare,))
    if which == "the world":
        scene = replace(scene, source="world")
    assert blurring.image(item(scene), scene) is None


def pair_of(first, second, **more):
    return Pair((replace(item(first, **more), role="stress"),), item(second, **more))


def test_both_twins_get_a_png_as_soon_as_one_of_them_shows_a_face(photograph, thing, tmp_path, monkeypatch):
    monkeypatch.setattr(blurring, "_is_same", lambda *_: True)
    face, none = photograph(), photograph(people=(thing("cup", 60, 60, id=3),), number=2)
    gallery = {scene.id: scene for scene in (face, none)}
    pairs = [pair_of(face, none), pair_of(none, none)]
    with_face, without = blurring.blur(pairs, gallery, tmp_path, 1, Counter())
    files = [each.image for each in with_face.items]
    assert all(Path(file).read_bytes().startswith(b"\x89PNG") for file in files)
    assert not np.array_equal(pixels.read(files[0]), pixels.image(face))
    assert np.array_equal(pixels.read(files[1]), pixels.image(none))
    assert [each.image for each in without.items] == ["", ""]


def test_a_photograph_is_blurred_once_for_all_items_that_blur_the_same(photograph, thing, tmp_path, monkeypatch):
    monkeypatch.setattr(blurring, "_is_same", lambda *_: True)
    scene = photograph(thing("cup", 48, 18, 8, 6, id=7), thing("dog", 2, 80, 15, 15, id=8))
    pairs = [pair_of(scene, scene), pair_of(scene, scene, evidence=(8,)), pair_of(scene, scene, evidence=(7,))]
    first, second, third = (
        pair.control.image for pair in blurring.blur(pairs, {scene.id: scene}, tmp_path, 1, Counter())
    )
    assert first == second != third


def test_a_pair_whose_answer_is_not_known_any_more_is_dropped_and_counted(photograph, tmp_path):
    """Nothing of the kind is asked of such a scene."""
    scene, dropped = photograph(), Counter()
    assert blurring.blur([pair_of(scene, scene)], {scene.id: scene}, tmp_path, 1, dropped) == []
    assert dropped == {("existence", blurring.CHANGED): 1}


def test_how_many_faces_are_blurred_and_of_whom_none_is_known_is_said(photograph, thing):
    scene = photograph(people=(person(thing), replace(person(thing, id=2), keypoints=())))
    line = blurring.summary([scene, photograph(number=2)])
    assert line.startswith("2 faces are blurred in 2 pictures that may be shown; of 1 other people")
    assert blurring.summary([replace(scene, source="world")]) == blurring.WORLD


LICENCES = [
    {"id": 1, "name": "Attribution License", "url": "http://creativecommons.org/licenses/by/2.0/"},
    {"id": 2, "name": "Attribution-NoDerivs License", "url": "http://creativecommons.org/licenses/by-nd/2.0/"},
]


@pytest.fixture(scope="module")
def annotated(tmp_path_factory):
    """Drawings in COCO's layout, of people among other things; every fifth may not be changed."""
    root = tmp_path_factory.mktemp("drawn")
    files.write(WorldConfig(n=150, size=64), root)
    file = root / "annotations" / "instances_world.json"
    table = json.loads(file.read_text())
    table["licenses"] = LICENCES
    for row in table["images"]:
        row["license"] = 1 if row["id"] % 5 else 2
    file.write_text(json.dumps(table))
    return file


FEW = {
    "wordings": 2,
    "candidates": 120,
    "edited": 4,
    "prior_base": "world",
    "judges": ("prior",),
    "families": ("existence", "pose", "visibility"),
    "pairs_per_scene": 10,
    "pairs_per_kind": 5,
    "max_family_share": 1.0,
    "max_direction_share": 1.0,
    "min_options_share": 0.0,
}


@pytest.fixture(scope="module")
def built(annotated, tmp_path_factory):
    """A set of them with blurred faces, of pictures that may be changed."""
    out = tmp_path_factory.mktemp("built") / "pst"
    config = build_config(annotations=annotated, blur_faces=True, licenses=("cc-by",), out=out, **FEW)
    build.build(config)
    return store.open(out)


def verified(dataset, annotated, name):
    return checks.load(name).examine(dataset, VerifyConfig(folder=dataset.folder, annotations=annotated))


def resealed(dataset, folder, **changes):
    """A copy of the set whose manifest says something else of its source."""
    for file in (file for file in dataset.folder.rglob("*") if file.is_file() and file.name != "manifest.json"):
        copy = folder / file.relative_to(dataset.folder)
        copy.parent.mkdir(parents=True, exist_ok=True)
        copy.write_bytes(file.read_bytes())
    settings = dataset.manifest.settings
    changed_settings = {**settings, "source": {**settings["source"], **changes}}
    store.seal(folder, msgspec.structs.replace(dataset.manifest, settings=changed_settings))
    return store.open(folder)


def test_a_set_with_blurred_faces_is_sound_and_is_built_again_to_the_byte(built, annotated):
    faces = [row for row in built.rows() if blurring.hidden(row.item, row.scene)[0]]
    assert faces
    assert {row.suffix for row in faces} == {".png"}
    for name in ("labels", "targets", "cells", "manifest", "source", "file_probe"):
        assert verified(built, annotated, name).problems == ()
    assert "(0 " not in verified(built, annotated, "source").summary
    assert Rebuild(RebuildConfig(annotations=annotated)).examine(built, VerifyConfig()).problems == ()


def test_the_set_shows_blurred_pixels_and_its_targets_are_those_of_the_annotations(built, annotated):
    config = build_config(annotations=annotated)
    originals = {scene.id: scene.path for scene in sources.load("coco").scenes(config, lambda _: True, Refusals())}
    plain = [row for row in built.rows() if not row.item.mark and not row.item.label and row.item.twin == "matched"]
    assert plain
    for row in plain:
        found, _ = blurring.hidden(row.item, row.scene)
        original = pixels.read(originals[row.scene.id])
        shown = pixels.decode(row.image)
        if found:
            where = privacy.covered(found, row.scene.width, row.scene.height)
            assert (shown != original).any(axis=2)[where].mean() > 0.3
            assert np.array_equal(shown[~where], original[~where])


def test_a_manifest_that_says_otherwise_of_blurred_faces_is_noticed(built, annotated, tmp_path):
    other = resealed(built, tmp_path, blur_faces=False)
    assert any("its picture is not" in problem for problem in verified(other, annotated, "source").problems)


def test_a_manifest_that_says_otherwise_of_licences_is_noticed(built, annotated, tmp_path):
    assert built.manifest.settings["source"]["licenses"] == [LICENCES[0]["url"]]
    other = resealed(built, tmp_path, licenses=[LICENCES[1]["url"]])
    (problem,) = verified(other, annotated, "manifest").problems
    assert problem.startswith(f"manifest.json: the licences are {LICENCES[1]['url']}, of some rows")


def test_pictures_of_other_licences_are_left_out_by_name(built):
    assert {row.scene.licence for row in built.rows()} == {LICENCES[0]["url"]}
    reasons = Counter(row["reason"] for row in built.manifest.refused)
    assert set(reasons) == {f"its licence is none of --licenses: {LICENCES[1]['url']}"}
    assert 15 < sum(reasons.values()) <= 30


def test_what_nobody_can_see_of_blurred_faces_is_taken_on_trust(built):
    said = " ".join(trust.taken_on_trust(built, []))
    assert "faces are blurred" in said
