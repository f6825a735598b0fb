"""COCO files as they come: what is malformed is a clear error, or it is left out and recorded."""

import json
import shutil

import numpy as np
import pytest
from PIL import Image
from pycocotools import mask as coco_mask
from pycocotools.coco import COCO

from pstgen.core.config import WorldConfig, build_config
from pstgen.core.records import BadInput
from pstgen.core.report import Refusals
from pstgen.scenes import coco_files, pixels, sources
from pstgen.scenes.sources import coco
from pstgen.scenes.world import files

SQUARE = [[10, 10, 30, 10, 30, 30, 10, 30]]


def annotation(**fields):
    row = {"id": 1, "image_id": 1, "category_id": 1, "bbox": [10, 10, 20, 20], "area": 400, "iscrowd": 0}
    return {**row, "segmentation": SQUARE, **fields}


def picture(folder, name="1.png", size=(60, 40), mode="RGB"):
    path = folder / "val2017" / name
    path.parent.mkdir(exist_ok=True)
    noise = np.random.default_rng(0).integers(0, 255, (size[1], size[0], 3), np.uint8)
    Image.fromarray(noise).convert(mode).save(path)
    return path


@pytest.fixture
def read(tmp_path):
    """Write a data set of one image and read it: (scenes, refusals as lines)."""
    (tmp_path / "annotations").mkdir()
    picture(tmp_path)

    def reading(*annotations, captions=None, poses=None, **keys):
        instances = {
            "images": [{"id": 1, "file_name": "1.png", "width": 60, "height": 40}],
            "annotations": list(annotations),
            "categories": [{"id": 1, "name": "cup"}, {"id": 2, "name": "person"}],
            **keys,
        }
        for name, content in {"instances": instances, "captions": captions, "person_keypoints": poses}.items():
            if content:
                (tmp_path / "annotations" / f"{name}_val2017.json").write_text(json.dumps(content))
        refused = Refusals()
        coco_files.read.cache_clear()
        pixels.read.cache_clear()
        scenes = list(pixels.usable(coco.scenes(build_config(root=tmp_path), lambda _: True, refused), refused))
        return scenes, [f"{refusal.file}: {refusal.record} {refusal.reason}" for refusal in refused.records]

    reading.folder = tmp_path
    return reading


def test_a_valid_file_is_read_completely(read):
    (scene,), refused = read(annotation(), captions={"annotations": [{"image_id": 1, "id": 1, "caption": " A cup. "}]})
    (thing,) = scene.instances
    assert (scene.id, scene.width, scene.height, scene.captions) == ("val2017/1", 60, 40, ("A cup.",))
    assert (thing.category, thing.region.x, thing.area, thing.crowd) == ("cup", 10, 400, False)
    assert pixels.mask(thing, scene).sum() == 400
    assert not refused


MALFORMED = {
    "words in a polygon": ({"segmentation": [[10, 10, "nan", 10, 30, 30]]}, "neither polygons nor run-length"),
    "a huge number": ({"segmentation": [[10, 10, 1e308, 10, 30, 30]]}, "far outside"),
    "a huge polygon": ({"segmentation": [[0, 0, 1e9, 0, 1e9, 1e9]]}, "far outside"),
    "an odd polygon": ({"segmentation": [[1, 2, 3, 4, 5, 6, 7]]}, "7 numbers"),
    "a polygon of two points": ({"segmentation": [[1, 2, 3, 4]]}, "4 numbers"),
    "no polygon": ({"segmentation": []}, "has no polygon"),
    "a short run-length code": ({"segmentation": {"size": [40, 60], "counts": [3, 4]}}, "7 pixels"),
    "a long run-length code": ({"segmentation": {"size": [40, 60], "counts": [2400, 1]}}, "2401 pixels"),
    "a negative run": ({"segmentation": {"size": [40, 60], "counts": [2401, -1]}}, "2400 pixels"),
    "a huge run-length size": ({"segmentation": {"size": [2**31, 2**31], "counts": [1]}}, "the image is [40, 60]"),
    "a compressed code of nothing": (
        {"segmentation": {"size": [40, 60], "counts": "\x01"}},
        "invalid characters",
    ),
    "a mask of words": ({"segmentation": "cup"}, "neither polygons nor run-length"),
    "a box of three numbers": ({"bbox": [1, 2, 3]}, "a box is four numbers"),
    "a flat box": ({"bbox": [1, 2, 0, 3]}, "0.0 by 3.0"),
    "short keypoints": ({"keypoints": [1, 2]}, "2 keypoint numbers"),
    "an unknown visibility": ({"keypoints": [1, 2, 3]}, "visibility"),
    "keypoints of words": ({"keypoints": ["nose"]}, "not numbers"),
}


@pytest.mark.parametrize(("bad", "reason"), MALFORMED.values(), ids=MALFORMED)
def test_a_malformed_annotation_is_recorded_and_makes_its_category_unknown(read, bad, reason):
    categories = [{"id": 1, "name": "cup", "keypoints": ["nose"]}]
    (scene,), refused = read(annotation(id=7, **bad), categories=categories)
    assert len(refused) == 1
    assert "instances_val2017.json: annotation 7" in refused[0]
    assert reason in refused[0]
    assert scene.instances[0].crowd


@pytest.mark.parametrize("number", ["NaN", "Infinity", "-Infinity"])
def test_nan_and_infinity_are_not_json_and_the_error_says_so(read, number):
    with pytest.raises(BadInput, match=r"instances_val2017\.json.*NaN and Infinity are not JSON"):
        read(annotation(segmentation=[[10, 10, float(number), 10, 30, 30]]))


def test_annotations_of_unknown_images_and_categories_are_recorded(read):
    (scene,), refused = read(annotation(id=1, image_id=99), annotation(id=2, category_id=42))
    assert not scene.instances
    assert sorted(refused) == [
        "instances_val2017.json: annotation 1 is of image 99, which does not exist",
        "instances_val2017.json: annotation 2 has category 42, which does not exist",
    ]


def test_duplicate_ids_are_recorded_and_the_first_is_taken(read):
    twice = [{"id": 1, "file_name": "1.png", "width": 60, "height": 40}] * 2
    scenes, refused = read(annotation(), annotation(area=1), images=twice)
    assert len(scenes) == 1
    assert scenes[0].instances[0].area == 400
    assert len(refused) == 2
    assert all("occurs twice" in line for line in refused)


@pytest.mark.parametrize(
    "name", ["../secret.png", "/etc/passwd", "..\\secret.png", "C:secret.png", "a/../../secret.png", ""]
)
def test_a_file_name_that_leads_out_of_the_folder_is_refused(read, name):
    picture(read.folder, "../secret.png")
    scenes, refused = read(images=[{"id": 1, "file_name": name, "width": 60, "height": 40}])
    assert not scenes
    assert len(refused) == 1


def test_a_link_that_leads_out_of_the_folder_is_refused(read, tmp_path_factory):
    secret = tmp_path_factory.mktemp("elsewhere") / "secret.png"
    shutil.copy(read.folder / "val2017" / "1.png", secret)
    (read.folder / "val2017" / "link.png").symlink_to(secret)
    scenes, refused = read(images=[{"id": 1, "file_name": "link.png", "width": 60, "height": 40}])
    assert not scenes
    assert "no such image file" in refused[0]


def spoil_missing(path):
    path.unlink()


def spoil_truncated(path):
    path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])


def spoil_size(path):
    Image.new("RGB", (30, 30)).save(path)


def spoil_words(path):
    path.write_text("not an image")


def spoil_cmyk(path):
    Image.new("CMYK", (60, 40)).save(path, format="JPEG")


def spoil_rotated(path):
    exif = Image.Exif()
    exif[0x0112] = 6
    Image.new("RGB", (60, 40)).save(path, format="JPEG", exif=exif)


def spoil_huge(path):
    Image.new("1", (20_000, 10_000)).save(path)


SPOILT = {
    spoil_missing: "no such image file",
    spoil_truncated: "not readable",
    spoil_size: "30x30, annotated as 60x40",
    spoil_words: "not readable",
    spoil_cmyk: "CMYK",
    spoil_rotated: "EXIF",
    spoil_huge: "pixels",
}


@pytest.mark.filterwarnings("ignore::PIL.Image.DecompressionBombWarning")
@pytest.mark.parametrize("spoil", SPOILT, ids=lambda spoil: spoil.__name__.removeprefix("spoil_"))
def test_an_unusable_image_is_recorded_and_left_out(read, spoil):
    spoil(read.folder / "val2017" / "1.png")
    scenes, refused = read(annotation())
    assert not scenes
    assert len(refused) == 1
    assert "1.png: image 1" in refused[0]
    assert SPOILT[spoil] in refused[0]


def test_a_greyscale_image_is_read_as_three_equal_channels(read):
    picture(read.folder, mode="L")
    (scene,), refused = read(annotation())
    image = pixels.image(scene)
    assert image.shape == (40, 60, 3)
    assert (image[..., 0] == image[..., 2]).all()
    assert not refused


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (None, "No such file"),
        (b"", "not a COCO file"),
        (b"[1, 2]", "not a COCO file"),
        (b'{"images": [], "annotations": []}', "categories"),
        (b'{"images": [{"id": "one"}], "annotations": [], "categories": []}', "int"),
        (b"\xff\xfe", "not a COCO file"),
        (b'{"images": [], "annotations": [], "categories": []}', "empty"),
    ],
)
def test_a_file_that_is_not_cocos_is_one_clear_error(tmp_path, content, message):
    file = tmp_path / "mine.json"
    if content is not None:
        file.write_bytes(content)
    coco_files.read.cache_clear()
    with pytest.raises(BadInput, match=message) as error:
        list(coco.scenes(build_config(annotations=file), lambda _: True, Refusals()))
    assert str(file) in str(error.value)


def test_the_users_own_file_needs_neither_keypoints_nor_captions(read):
    read(annotation())
    file = read.folder / "annotations" / "instances_val2017.json"
    mine = read.folder / "val2017" / "mine.json"
    shutil.copy(file, mine)
    (scene,) = coco.scenes(build_config(annotations=mine), lambda _: True, Refusals())
    assert scene.id == "mine/1"
    assert scene.captions == ()


def test_masks_boxes_and_joints_agree_with_pycocotools_to_the_pixel(tmp_path):
    """The world's own files, read by ours and by theirs."""
    files.write(WorldConfig(n=30, size=96), tmp_path)
    theirs, people = (
        COCO(str(tmp_path / "annotations" / f"{name}_world.json")) for name in ("instances", "person_keypoints")
    )
    instances = people_seen = 0
    for scene in coco.scenes(build_config(root=tmp_path, split="world"), lambda _: True, Refusals()):
        for thing in scene.instances:
            row = theirs.anns[thing.id]
            assert (theirs.annToMask(row) == pixels.mask(thing, scene)).all()
            assert coco_mask.toBbox(theirs.annToRLE(row)).tolist() == row["bbox"]
            assert coco_mask.area(theirs.annToRLE(row)) == row["area"] == thing.area
            assert not (pixels.mask(thing, scene) & ~pixels.mask(thing, scene, full=True)).any()
            instances += 1
            if thing.keypoints:
                flat = [number for joint in thing.keypoints for number in (joint.x, joint.y, joint.visibility)]
                assert people.anns[thing.id]["keypoints"] == flat
                assert people.anns[thing.id]["num_keypoints"] == sum(joint.visibility > 0 for joint in thing.keypoints)
                people_seen += 1
    assert instances == len(theirs.anns) > 60
    assert people_seen == len(people.anns) > 3


@pytest.fixture
def nothing_at_hand(tmp_path, monkeypatch):
    monkeypatch.delenv("PSTGEN_COCO_ROOT", raising=False)
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))


@pytest.mark.usefixtures("nothing_at_hand")
def test_without_photographs_the_world_stands_in_and_brings_its_models():
    config = sources.with_defaults(build_config())
    assert config.source.name == "world"
    assert config.judges.lm.endswith("words")
    assert config.judges.vlm.endswith("eye")
    assert (
        sources.with_defaults(build_config(source="world", lm="none", vlm="mine")).judges
        == build_config(lm="none", vlm="mine").judges
    )


@pytest.mark.usefixtures("nothing_at_hand")
def test_train2017_feeds_the_prior_where_its_annotations_are_beside_the_split_and_nothing_else_is_named(tmp_path):
    (tmp_path / "annotations").mkdir()

    def prior_split(**settings):
        return sources.with_defaults(build_config(root=tmp_path, **settings)).questions.prior_split

    assert prior_split() == ""
    train = tmp_path / "annotations" / "instances_train2017.json"
    train.write_text("{}")
    assert prior_split() == "train2017"
    assert prior_split(prior_split="val2014") == "val2014"
    assert prior_split(split="train2017") == prior_split(annotations=train) == prior_split(prior_file=train) == ""
