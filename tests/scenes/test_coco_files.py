"""One hostile thing in a COCO folder costs itself, and is named; what cannot be read at all is one line."""

import json
import os

import numpy as np
import pytest
from PIL import Image

from pstgen.core.config import build_config
from pstgen.core.records import BadInput
from pstgen.core.report import Report
from pstgen.questions import facts
from pstgen.scenes import coco_files, pixels
from pstgen.scenes.sources import coco

SQUARE = [[4, 4, 30, 4, 30, 30, 4, 30]]
ROW = {"image_id": 1, "category_id": 1, "bbox": [4, 4, 26, 26], "area": 676, "segmentation": SQUARE}


@pytest.fixture
def read(tmp_path):
    """Write two pictures of 48 x 48, with a cup each, and read them: (scenes, refusals as lines)."""
    (tmp_path / "annotations").mkdir()
    (tmp_path / "val2017").mkdir()
    for n in (1, 2):
        noise = np.random.default_rng(n).integers(0, 255, (48, 48, 3), np.uint8)
        Image.fromarray(noise).save(tmp_path / "val2017" / f"{n}.png")

    def reading(*, image=(), row=(), **companions):
        images = [{"id": n, "file_name": f"{n}.png", "width": 48, "height": 48} for n in (1, 2)]
        rows = [{"id": n} | ROW | {"image_id": n} for n in (1, 2)]
        images[0].update(image)
        rows[0].update(row)
        instances = {"images": images, "annotations": rows, "categories": [{"id": 1, "name": "cup", "keypoints": ["rim"]}]}  # fmt: skip
        for name, content in {"instances": instances, **companions}.items():
            (tmp_path / "annotations" / f"{name}_val2017.json").write_text(content if isinstance(content, str) else json.dumps(content))  # fmt: skip
        for cached in (coco_files.read, coco_files._repaired, pixels.PICTURES):
            getattr(cached, "cache_clear", getattr(cached, "clear", None))()
        config, report = build_config(root=tmp_path), Report()
        coco.index(config)
        scenes = list(coco.scenes(config, lambda _: True, report.refused))
        list(facts.known(iter(scenes), config, report))
        return scenes, [f"{row.file}: {row.record} {row.reason}" for row in report.refused.records]

    reading.folder = tmp_path
    return reading


@pytest.mark.parametrize(
    ("image", "reason"),
    [
        ({"width": 10**9, "height": 10**9}, ""),
        ({"width": 2**19, "height": 2**19}, "more than 50,000,000 pixels"),
        ({"width": -5, "height": -5}, ""),
        ({"width": 2**31, "height": 2**31}, ""),
        ({"width": 2**70, "height": 1}, ""),
        ({"width": 4000, "height": 4000}, "is 48x48, annotated as 4000x4000"),
        ({"id": 2**63}, "image_id 1, which does not exist"),
        ({"id": 2**70}, "has no id"),
        ({"file_name": "a" * 5000}, "no such image file"),
        ({"depth_file": "val2017/1.png"}, "is not 16 bits a pixel"),
        ({"depth_file": "pipe.png"}, "not a regular file"),
    ],
)
def test_a_hostile_picture_costs_itself(read, image, reason):
    """A size that can be none is that of the file."""
    os.mkfifo(read.folder / "pipe.png")
    scenes, refused = read(image=image)
    assert scenes[-1].id.endswith("2")
    assert any(reason in line for line in refused) or not reason
    assert all((scene.width, scene.height) in {(48, 48), (4000, 4000)} for scene in scenes)


@pytest.mark.parametrize(
    ("row", "reason"),
    [
        ({"bbox": [1e308] * 4, "segmentation": []}, "far outside the image"),
        ({"bbox": [1e308] * 4}, "far outside the image"),
        ({"id": 2**70}, "which does not exist"),
        ({"image_id": "9" * 5000}, "which does not exist"),
        ({"keypoints": [1e308, 3, 2]}, "keypoint far outside"),
        ({"area": 1e308, "segmentation": []}, "the box's was taken"),
        ({"depth": 1e308}, "a depth of 1e+308"),
        ({"segmentation": [[0, 0, 40, 0] * 2000]}, "longer than"),
        ({"bbox": [[[[[]]]]]}, "a box is four numbers"),
        ({"bbox": ["x" * 10**5]}, "a box is four numbers"),
    ],
)
def test_a_hostile_annotation_costs_itself(read, row, reason):
    scenes, refused = read(row=row)
    assert len(scenes) == 2
    assert len(scenes[1].instances) == 1
    assert [reason in line for line in refused] == [True]
    assert len(refused[0]) < 250


def test_a_number_that_no_float_holds_costs_its_row(read):
    read()
    file = read.folder / "annotations" / "instances_val2017.json"
    file.write_text(file.read_text().replace("676", "1e999", 1))
    coco_files.read.cache_clear()
    scenes = list(coco.scenes(build_config(root=read.folder), lambda _: True, Report().refused))
    assert [scene.instances[0].area for scene in scenes] == [676, 676]


COMPANIONS = {
    "a caption of 2^70": ({"captions": {"annotations": [{"image_id": 2**70, "id": 1, "caption": "x"}]}}, "caption 1"),
    "a pose of 2^70": ({"person_keypoints": {"annotations": [{"id": 2**70, "keypoints": []}], "categories": []}}, "pose"),
    "a caption that is a number": ({"captions": {"annotations": [{"image_id": 1, "id": 1, "caption": 7}]}}, "is empty"),
}  # fmt: skip


@pytest.mark.parametrize(("companions", "named"), COMPANIONS.values(), ids=COMPANIONS)
def test_a_hostile_row_beside_the_instances_costs_itself(read, companions, named):
    scenes, refused = read(**companions)
    assert len(scenes) == 2
    assert len(refused) == 1
    assert refused[0].startswith(f"{next(iter(companions))}_val2017.json: ")
    assert named in refused[0]


def test_rows_beside_the_instances_are_taken_for_what_they_mean(read):
    captions = {
        "annotations": [{"image_id": "1", "id": None, "caption": "A cup."}, {"image_id": 2.0, "caption": "Two."}]
    }
    poses = {"annotations": [{"id": "1", "keypoints": [5, 5, 2]}], "categories": None}
    scenes, refused = read(captions=captions, person_keypoints=poses)
    assert [scene.captions for scene in scenes] == [("A cup.",), ("Two.",)]
    assert [len(scene.instances[0].keypoints) for scene in scenes] == [1, 0]
    assert not refused


DEEP = '{"annotations": ' + "[" * 10**5 + "]" * 10**5 + "}"


@pytest.mark.parametrize("name", ["instances", "captions", "person_keypoints"])
@pytest.mark.parametrize("content", [DEEP, "", "[" * 10**5, "7", '{"annotations": 7}'])
def test_a_file_that_cannot_be_read_is_one_line(read, name, content):
    with pytest.raises(BadInput, match=rf"{name}_val2017\.json") as error:
        read(**{name: content})
    assert "\n" not in str(error.value)


@pytest.mark.parametrize("name", ["instances", "captions", "person_keypoints"])
def test_a_pipe_is_no_file_and_is_not_waited_for(read, name):
    read()
    file = read.folder / "annotations" / f"{name}_val2017.json"
    file.unlink(missing_ok=True)
    os.mkfifo(file)
    coco_files.read.cache_clear()
    with pytest.raises(BadInput, match=rf"{name}_val2017\.json: not a regular file"):
        list(coco.scenes(build_config(root=read.folder), lambda _: True, Report().refused))


def test_a_pipe_among_the_pictures_is_not_at_hand(read):
    (read.folder / "val2017" / "1.png").unlink()
    os.mkfifo(read.folder / "val2017" / "1.png")
    scenes, refused = read()
    assert len(scenes) == 1
    assert refused == ["1.png: image 1 no such image file"]
    assert [entry.at_hand for entry in coco.index(build_config(root=read.folder))] == [False, True]


@pytest.mark.parametrize("content", [b"", b"\xff\xfe\xff", b"[" * 10**5, b"- " * 10**5, b"cup: [mug]"])
def test_names_that_cannot_be_read_are_one_line(read, tmp_path, content):
    names = tmp_path / "names.yaml"
    names.write_bytes(content)
    read()
    coco_files.read.cache_clear()
    with pytest.raises(BadInput, match=r"names\.yaml: not a file of names") as error:
        list(coco.notes(build_config(root=read.folder, names=names)))
    assert "\n" not in str(error.value)
