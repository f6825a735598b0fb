"""Copies are found though they were saved again, and scenes that are merely alike are not."""

import io
import os
import shutil
from pathlib import Path

import cv2
import msgspec
import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

from pstgen.core.config import VerifyConfig, build_config
from pstgen.core.records import BadInput, origin
from pstgen.core.report import Refusals
from pstgen.dataset import schema, store
from pstgen.scenes import pixels
from pstgen.scenes.sources import world as source
from pstgen.verification.checks import duplicates

ALIKE = VerifyConfig().alike
COCO = os.environ.get("PSTGEN_COCO_ROOT")


@pytest.fixture(scope="module")
def images():
    config = build_config(source="world", prior_base="world", scenes=150, size=128)
    return [pixels.image(scene) for scene in source.scenes(config, lambda _: True, Refusals())]


def signed(image, form="PNG", **options):
    code = io.BytesIO()
    Image.fromarray(image).save(code, form, **options)
    code.seek(0)
    return duplicates.signature(code)


def differ(one, other):
    return int((one != other).sum())


def copies(image):
    """The same picture, as it goes about the web."""
    half = cv2.resize(image, None, fx=0.5, fy=0.5, interpolation=cv2.INTER_AREA)
    larger = cv2.resize(image, None, fx=1.3, fy=1.3, interpolation=cv2.INTER_CUBIC)
    return [signed(image, "JPEG", quality=30), signed(half), signed(larger), signed(half, "JPEG", quality=50)]


def test_a_copy_that_was_saved_again_or_resized_is_found(images):
    assert max(differ(signed(image), copy) for image in images[::5] for copy in copies(image)) <= ALIKE


def test_unrelated_scenes_of_the_world_are_not(images):
    signs = np.stack([signed(image) for image in images])
    assert {(one, other) for one, other, _ in duplicates.near(signs, signs, ALIKE)} == {
        (n, n) for n in range(len(signs))
    }


@pytest.mark.skipif(not COCO, reason="PSTGEN_COCO_ROOT is not set: no photographs here")
def test_photographs_are_found_in_the_folder_that_they_come_from_and_only_there():
    photographs = sorted(Path(COCO).glob("*2017/*.jpg"))
    signs = np.stack([duplicates.signature(io.BytesIO(path.read_bytes())) for path in photographs])
    assert all(one == other for one, other, _ in duplicates.near(signs, signs, ALIKE))
    assert all(
        differ(sign, copy) <= ALIKE
        for path, sign in zip(photographs[::20], signs[::20], strict=True)
        for copy in copies(pixels.read(str(path)))
    )


@given(st.integers(1, 40), st.integers(1, 40), st.integers(0, 256), st.integers(0, 99))
def test_near_is_what_counting_bits_one_by_one_says(n, m, alike, seed):
    rng = np.random.default_rng(seed)
    one, other = (rng.choice([-1, 1], (rows, duplicates.BITS)).astype(np.int8) for rows in (n, m))
    counted = {(i, j, differ(a, b)) for i, a in enumerate(one) for j, b in enumerate(other) if differ(a, b) <= alike}
    assert set(duplicates.near(one, other, alike)) == counted


def examine(folder, **more):
    return duplicates.examine(store.open(folder), VerifyConfig(folder=folder, **more))


def test_a_folder_that_shares_a_picture_is_named_with_scene_and_file(built, tmp_path):
    row = next(store.open(built).rows())
    (tmp_path / "train" / "deep").mkdir(parents=True)
    Image.open(io.BytesIO(row.image)).save(tmp_path / "train" / "deep" / "7.jpg", quality=60)
    (tmp_path / "train" / "broken.jpg").write_bytes(b"not one")
    (tmp_path / "train" / "notes.txt").write_text("no picture")
    found = examine(built, against=tmp_path / "train")
    assert any(line.startswith(f"scene {row.item.scene_id}: looks like deep/7.jpg") for line in found.problems)
    assert "2 pictures of train, 1 of them not readable (broken.jpg the first)" in found.summary
    assert examine(built, against=tmp_path / "train", duplicates=len(found.problems)).sound


def test_a_folder_that_shares_none_is_sound(built, tmp_path):
    Image.effect_noise((64, 64), 60).save(tmp_path / "noise.png")
    found = examine(built, against=tmp_path)
    assert found.sound
    assert "compared with 1 pictures" in found.summary


def test_coco_ids_are_compared_with_those_of_coco_scenes_alone(built, forge, tmp_path):
    ids = tmp_path / "ids.txt"
    ids.write_text("COCO_train2014_000000000139.jpg\n0042\n80\n")
    assert examine(built, against=ids).sound  # world/80 is no photograph of COCO's
    folder = forge(lambda rows: rows[0].update(source_image_id="val2017/139"))
    assert "scene val2017/139: is in ids.txt" in examine(folder, against=ids).problems


def part_of(built, folder, keep, change=lambda _: None):
    """A sealed set of those rows of `built` that `keep` wants, each changed."""
    shutil.copytree(built, folder, ignore=shutil.ignore_patterns("certificate.*", "manifest.json"))
    shard = next((folder / "data").glob("*.parquet"))
    rows = [cells for cells in pq.read_table(shard).to_pylist() if keep(cells)]
    for cells in rows:
        change(cells)
    pq.write_table(pa.Table.from_pylist(rows, schema=schema.schema(schema.targets())), shard)
    manifest = store.open(built).manifest
    store.seal(folder, msgspec.structs.replace(manifest, items=len(rows), files={}))
    return folder


def halves(built):
    """Names of pairs in two parts that share no scene of the source."""
    first, rest = set(), set()
    pairs = [(pair.pair_id, {origin(item.scene_id) for item in pair.items}) for pair in store.open(built).pairs()]
    scenes = set(pairs[0][1])
    for _ in pairs:  # the scenes that hang together with those of the first pair
        scenes |= {scene for _, shown in pairs if shown & scenes for scene in shown}
    for name, shown in pairs:
        (first if shown & scenes else rest).add(name)
    assert first
    assert rest
    return first, rest


def test_a_set_is_proven_to_share_nothing_with_the_stress_test_that_somebody_trains_on(built, tmp_path):
    first, rest = halves(built)
    test = part_of(built, tmp_path / "test", lambda cells: cells["pair_id"] in first)
    train = part_of(built, tmp_path / "train", lambda cells: cells["pair_id"] in rest)
    found = examine(test, against=train)
    assert found.sound, found.problems
    assert (
        f"(hash {store.open(train).manifest.seal}): no picture, near-duplicate, scene, pair or item in common"
        in found.summary
    )
    assert {found.figures[name] for name in found.figures if name.endswith("/against")} == {0.0}


def test_of_a_set_that_holds_the_same_all_is_shared(built):
    found, items = examine(built, against=built), list(store.open(built).items())
    assert not found.sound
    assert found.figures["scenes/against"] == len({origin(item.scene_id) for item in items})
    assert found.figures["pairs/against"] == len({item.pair_id for item in items})
    assert found.figures["pictures/against"] >= len({item.scene_id for item in items})
    assert found.figures["items/against"] > 0


def test_one_picture_in_common_is_named_with_both_scenes(built, tmp_path):
    first, rest = halves(built)
    leaked = next(row for row in store.open(built).rows() if row.item.pair_id in first)

    def hide(cells):
        if cells["pair_id"] == min(rest):
            cells["image"] = {"bytes": leaked.image, "path": f"x{leaked.suffix}"}

    test = part_of(built, tmp_path / "test", lambda cells: cells["pair_id"] in first)
    train = part_of(built, tmp_path / "train", lambda cells: cells["pair_id"] in rest, hide)
    found = examine(test, against=train)
    assert any(f"scene {leaked.item.scene_id}: its picture is that of scene " in line for line in found.problems)
    assert found.figures["scenes/against"] == 0


def test_a_picture_that_was_saved_again_is_found_in_a_set_too(built, tmp_path):
    first, rest = halves(built)
    leaked = next(row for row in store.open(built).rows() if row.item.pair_id in first)
    again = io.BytesIO()
    Image.open(io.BytesIO(leaked.image)).convert("RGB").save(again, "JPEG", quality=60)

    def hide(cells):
        if cells["pair_id"] == min(rest):
            cells["image"] = {"bytes": again.getvalue(), "path": "x.jpg"}

    test = part_of(built, tmp_path / "test", lambda cells: cells["pair_id"] in first)
    train = part_of(built, tmp_path / "train", lambda cells: cells["pair_id"] in rest, hide)
    found = examine(test, against=train)
    assert any(line.startswith(f"scene {leaked.item.scene_id}: looks like scene ") for line in found.problems)
    assert found.figures["pictures/against"] == 0


def test_one_id_is_one_scene_only_in_one_source(built, tmp_path):
    first, rest = halves(built)
    test = part_of(built, tmp_path / "test", lambda cells: cells["pair_id"] in first)
    train = part_of(built, tmp_path / "train", lambda cells: cells["pair_id"] in rest)
    pair = next(iter(store.open(test).pairs()))
    named = part_of(
        built,
        tmp_path / "named",
        lambda cells: cells["pair_id"] in rest,
        lambda cells: cells.update(source_image_id=pair.control.scene_id),
    )
    assert f"scene {origin(pair.control.scene_id)}: is in named, too" in examine(test, against=named).problems
    manifest = store.open(named).manifest
    other_seed = msgspec.structs.replace(manifest, origin=manifest.origin | {"seed": "12345"}, files={})
    (named / "manifest.json").unlink()
    store.seal(named, other_seed)
    found = examine(test, against=named)
    assert found.sound, found.problems
    assert "were not compared, since the sources differ" in found.summary
    assert examine(test, against=train).sound


def test_a_set_that_was_changed_after_it_was_sealed_proves_nothing(built, folder):
    shard = next((folder / "data").glob("*.parquet"))
    shard.write_bytes(shard.read_bytes()[:-1] + b"x")
    with pytest.raises(BadInput, match=shard.name):
        examine(built, against=folder)


@pytest.mark.parametrize("what", ["nowhere", "empty", "words.txt"])
def test_what_cannot_be_compared_is_an_error_that_names_it(built, tmp_path, what):
    (tmp_path / "empty").mkdir()
    (tmp_path / "words.txt").write_text("no number here")
    with pytest.raises(BadInput, match=what):
        examine(built, against=tmp_path / what)
