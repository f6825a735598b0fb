"""COCO files as they come: what is malformed is a clear error, or it is left out and recorded."""

import json
import shutil
from pathlib import Path

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
        pixels.PICTURES.clear()
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
    "words in a polygon": ({"segmentation": [[10, 10, "wide", 10, 30, 30]]}, "neither polygons nor run-length"),
    "a huge number": ({"segmentation": [[10, 10, 1e308, 10, 30, 30]]}, "far outside"),
    "a huge polygon": ({"segmentation": [[0, 0, 1e9, 0, 1e9, 1e9]]}, "far outside"),
    "an odd polygon": ({"segmentation": [[1, 2, 3, 4, 5, 6, 7]]}, "7 numbers"),
    "a polygon of two points": ({"segmentation": [[1, 2, 3, 4]]}, "4 numbers"),
    "neither box nor mask": ({"segmentation": [], "bbox": []}, "neither a box nor a mask"),
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
}
ODD = {
    "short keypoints": ({"keypoints": [1, 2]}, "2 keypoint numbers"),
    "an unknown visibility": ({"keypoints": [1, 2, 3]}, "visibility"),
    "keypoints of words": ({"keypoints": ["nose"]}, "not numbers"),
    "another box": ({"bbox": [0, 0, 60, 40]}, "a box that is not that of its mask"),
    "another area": ({"area": 4000}, "an area of 4000, and a mask of 400 pixels"),
}


@pytest.mark.parametrize(("bad", "reason"), MALFORMED.values(), ids=MALFORMED)
def test_a_malformed_annotation_is_recorded_and_makes_its_category_unknown(read, bad, reason):
    categories = [{"id": 1, "name": "cup", "keypoints": ["nose"]}]
    (scene,), refused = read(annotation(id=7, **bad), categories=categories)
    assert len(refused) == 1
    assert "instances_val2017.json: annotation 7" in refused[0]
    assert reason in refused[0]
    assert scene.instances[0].crowd


@pytest.mark.parametrize(("odd", "reason"), ODD.values(), ids=ODD)
def test_what_is_odd_about_an_annotation_is_named_and_the_thing_stays(read, odd, reason):
    categories = [{"id": 1, "name": "cup", "keypoints": ["nose"]}]
    (scene,), refused = read(annotation(id=7, **odd), categories=categories)
    assert len(refused) == 1
    assert reason in refused[0]
    (thing,) = scene.instances
    assert not thing.crowd
    assert (thing.area, thing.region.width, thing.keypoints) == (400, 20, ())


MEANT = {
    "numbers as text": {"id": "7", "image_id": "1", "category_id": 1.0, "area": "400"},
    "null and booleans": {"iscrowd": False, "area": None, "keypoints": None, "color": None},
    "a flat polygon": {"segmentation": SQUARE[0]},
    "text in a polygon": {"segmentation": [[str(number) for number in SQUARE[0]]]},
    "no joints": {"keypoints": []},
    "the colour of a tool": {"color": "#f5b041"},
    "neither box nor area": {"bbox": None, "area": None},
}


@pytest.mark.parametrize("row", MEANT.values(), ids=MEANT)
def test_what_other_tools_write_is_taken_for_what_it_means(read, row):
    (scene,), refused = read(annotation(**row))
    (thing,) = scene.instances
    assert (thing.area, thing.region.x, thing.region.width, thing.crowd, thing.colour) == (400, 10, 20, False, "")
    assert pixels.mask(thing, scene).sum() == 400
    assert not refused


@pytest.mark.parametrize("nothing", [{}, {"segmentation": []}, {"segmentation": None}, {"segmentation": [[]]}])
def test_a_box_alone_is_a_thing_without_a_mask(read, nothing):
    row = {key: value for key, value in annotation().items() if key not in {"segmentation", "area"}} | nothing
    (scene,), refused = read(row)
    (thing,) = scene.instances
    assert (thing.area, thing.region.width, thing.rle, thing.crowd) == (400, 20, b"", False)
    assert not refused


KEYS = {
    "ids that are words": {
        "images": [{"id": "a", "file_name": "1.png", "width": 60, "height": 40}],
        "annotations": [annotation(image_id="a", category_id="the cup")],
        "categories": [{"id": "the cup", "name": "cup"}],
    },
    "info and licences of another kind": {"info": "made by hand", "licenses": None},
    "no size": {"images": [{"id": 1, "file_name": "1.png", "width": None}]},
    "other words for it": {"categories": [{"id": 1, "name": "Cups"}]},
}


@pytest.mark.parametrize("keys", KEYS.values(), ids=KEYS)
def test_a_file_of_another_tool_is_read(read, keys):
    (scene,), refused = read(annotation(), **keys)
    assert (scene.width, scene.height) == (60, 40)
    assert [thing.category for thing in scene.instances] == ["cup"]
    assert not refused


def test_a_licence_may_be_text(read):
    named = {"id": 1, "file_name": "1.png", "width": 60, "height": 40, "license": "CC BY"}
    (scene,), _ = read(annotation(), images=[named])
    assert scene.licence == "CC BY"


def test_a_byte_order_mark_is_no_matter(read):
    read(annotation())
    file = read.folder / "annotations" / "instances_val2017.json"
    file.write_bytes(b"\xef\xbb\xbf" + file.read_bytes())
    coco_files.read.cache_clear()
    (scene,) = coco.scenes(build_config(root=read.folder), lambda _: True, Refusals())
    assert len(scene.instances) == 1


def test_a_row_that_means_nothing_costs_itself_alone(read):
    rows = [annotation(id=1), annotation(id=2, image_id=None), annotation(id=None), annotation(id=4, category_id="no")]
    (scene,), refused = read(*rows)
    assert [thing.id for thing in scene.instances] == [1]
    assert len(refused) == 3
    assert all("which does not exist" in line for line in refused)


def test_every_category_has_joints_of_its_own(read):
    categories = [
        {"id": 1, "name": "cup", "keypoints": ["rim"]},
        {"id": 2, "name": "dog", "keypoints": ["nose", "tail"]},
    ]
    rows = [annotation(keypoints=[1, 2, 2]), annotation(id=2, category_id=2, keypoints=[1, 2, 2, 3, 4, 1])]
    (scene,), refused = read(*rows, categories=categories)
    assert [[joint.name for joint in thing.keypoints] for thing in scene.instances] == [["rim"], ["nose", "tail"]]
    assert not refused


def test_boxes_by_two_corners_are_refused_with_the_remedy(read):
    rows = [annotation(id=n, bbox=[10 + n, 10 + n, 50, 38], segmentation=[]) for n in range(1, 9)]
    with pytest.raises(BadInput, match=r"two corners .* subtract"):
        read(*rows)


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


@pytest.mark.parametrize(
    ("file", "pictures", "name"),
    [
        ("mine.json", ".", "1.png"),
        ("labels.json", "data", "1.png"),
        ("result.json", "images", "images/1.png"),
        ("result.json", "images", "images\\1.png"),
        ("annotations/train.json", "train", "1.png"),
        ("annotations/instances_train.json", "images/train", "1.png"),
        ("annotations/mine.json", "input_images", "1.png"),
        ("mine.json", "images", "/somewhere/else/1.png"),
        ("mine.json", "images", "subset/1.png"),
    ],
)
def test_pictures_are_found_as_tools_lay_them_out(tmp_path, file, pictures, name):
    (tmp_path / pictures).mkdir(parents=True, exist_ok=True)
    shutil.move(picture(tmp_path), tmp_path / pictures / "1.png")
    mine = tmp_path / file
    mine.parent.mkdir(exist_ok=True)
    image = {"id": 1, "file_name": name, "width": 60, "height": 40}
    mine.write_text(json.dumps({"images": [image], "annotations": [], "categories": []}))
    coco_files.read.cache_clear()
    config, refused = build_config(annotations=mine), Refusals()
    (entry,) = coco.index(config)
    (scene,) = coco.scenes(config, lambda _: True, refused)
    assert entry.at_hand
    assert Path(scene.path).samefile(tmp_path / pictures / "1.png")
    assert not refused.records


def test_the_folder_of_the_pictures_may_be_named(read, tmp_path_factory):
    elsewhere = tmp_path_factory.mktemp("elsewhere")
    read(annotation())
    mine = elsewhere / "mine.json"
    shutil.copy(read.folder / "annotations" / "instances_val2017.json", mine)
    assert not coco.index(build_config(annotations=mine))[0].at_hand
    assert coco.index(build_config(annotations=mine, images=read.folder / "val2017"))[0].at_hand
    with pytest.raises(BadInput, match="no such folder"):
        coco.index(build_config(annotations=mine, images=elsewhere / "none"))


def test_categories_may_be_given_names(read, tmp_path):
    categories = [{"id": 1, "name": "class_1"}, {"id": 2, "name": "person"}]
    read(annotation(), categories=categories)
    (line,) = coco.notes(build_config(root=read.folder))
    assert "'class_1'" in line
    assert "--names FILE" in line
    names = tmp_path / "names.yaml"
    names.write_text("class_1: cup\n")
    config = build_config(root=read.folder, names=names)
    (scene,) = coco.scenes(config, lambda _: True, Refusals())
    assert [thing.category for thing in scene.instances] == ["cup"]
    assert not list(coco.notes(config))
    names.write_text("class_2: cup\n")
    coco_files.read.cache_clear()
    with pytest.raises(BadInput, match=r"names\.yaml.*'class_2'"):
        list(coco.notes(config))


def test_lvis_says_what_is_not_there_and_where_not_all_is_annotated(read):
    """Of a category that is neither annotated nor negative, nothing is known."""
    categories = [{"id": n, "name": name} for n, name in enumerate(["cup", "person", "dog", "cat"], 1)]
    image = {"id": 1, "coco_url": "http://example.org/val2017/1.png", "width": 60, "height": 40}
    lvis = image | {"neg_category_ids": [3], "not_exhaustive_category_ids": [2]}
    rows = [annotation(), annotation(id=2, category_id=2)]
    shutil.copytree(read.folder / "val2017", read.folder / "val2017" / "val2017")
    (scene,), refused = read(*rows, categories=categories, images=[lvis])
    assert scene.categories == ("cup", "person", "dog")
    assert [(thing.category, thing.crowd) for thing in scene.instances] == [
        ("cup", False),
        ("person", False),
        ("person", True),
    ]
    assert not refused


def test_a_link_to_a_picture_is_followed(read, tmp_path_factory):
    """As caches lay them out: the hub's, DVC's."""
    kept = tmp_path_factory.mktemp("elsewhere") / "3f2a"
    shutil.copy(read.folder / "val2017" / "1.png", kept)
    (read.folder / "val2017" / "link.png").symlink_to(kept)
    scenes, refused = read(images=[{"id": 1, "file_name": "link.png", "width": 60, "height": 40}])
    assert len(scenes) == 1
    assert not refused


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
        (b'{"images": [{"id": null}], "annotations": [], "categories": []}', "empty"),
        (b'{"images": "many", "annotations": [], "categories": []}', "`images` is missing, or no list"),
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


def test_crowds_everywhere_are_a_habit_of_the_tool(read):
    """Datumaro and CVAT write every mask so."""
    runs = {"size": [40, 60], "counts": [620, 20, 20, 20, 1720]}
    (scene,), refused = read(annotation(iscrowd=1, segmentation=runs), annotation(id=2, iscrowd=1, segmentation=runs))
    assert [thing.crowd for thing in scene.instances] == [False, False]
    assert not refused
    (note,) = coco.notes(build_config(root=read.folder))
    assert "every annotation is marked as a crowd" in note
    (scene,), _ = read(annotation(iscrowd=1, segmentation=runs), annotation(id=2))
    assert [thing.crowd for thing in scene.instances] == [True, False]


def test_a_mask_without_a_pixel_leaves_the_box(read):
    (scene,), refused = read(annotation(segmentation=[[10, 10, 10, 10, 10, 10]]))
    (thing,) = scene.instances
    assert (thing.region.width, thing.rle, thing.crowd) == (20, b"", False)
    assert len(refused) == 1
    assert "only its box was taken" in refused[0]


@pytest.mark.parametrize("holes", [[], [[[15, 15], [20, 15], [20, 20]]]])
def test_rings_are_polygons_where_they_have_no_hole(read, holes):
    points = [SQUARE[0][n : n + 2] for n in range(0, 8, 2)]
    (scene,), refused = read(annotation(segmentation=[{"exterior": points, "interiors": holes}]))
    assert scene.instances[0].area == (0 if holes else 400)
    assert [("hole" in line) for line in refused] == [True] * len(holes)
