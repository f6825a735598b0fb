"""Other formats than COCO's: the same things, written as each format has them, are read as the same scenes."""

import csv
import json
import shutil

import datasets
import numpy as np
import pytest
import yaml
from click.testing import CliRunner
from PIL import Image

from pstgen.cli import main
from pstgen.core.config import build_config
from pstgen.core.records import BadInput
from pstgen.core.report import Refusals
from pstgen.scenes import coco_files, formats
from pstgen.scenes.sources import coco

NAMES = ("cup", "person", "traffic light")
SIZES = {"a": (60, 40), "b": (80, 50), "c": (64, 64)}  # width, height of each picture
BOXES = {  # by picture: (class, x, y, width, height)
    "a": [(0, 6, 4, 12, 10), (1, 30, 10, 15, 20)],
    "b": [(2, 40, 5, 8, 25)],
    "c": [],
}
JOINTS = ("left eye", "right eye")


@pytest.fixture(autouse=True)
def _anew(tmp_path, monkeypatch):
    """Nothing of an earlier file, and a cache of one's own."""
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    for cached in (coco_files.read, coco_files._repaired, formats.read):
        cached.cache_clear()


def picture(file, name):
    file.parent.mkdir(parents=True, exist_ok=True)
    width, height = SIZES[name]
    Image.fromarray(np.random.default_rng(ord(name)).integers(0, 255, (height, width, 3), np.uint8)).save(file)


def as_coco(root, xywh=lambda *box: list(box)):
    for name in SIZES:
        picture(root / f"{name}.png", name)
    images = [{"id": n, "file_name": f"{name}.png", "width": w, "height": h} for n, (name, (w, h)) in enumerate(SIZES.items())]  # fmt: skip
    rows = [
        {"id": 10 * n + k, "image_id": n, "category_id": box[0], "bbox": xywh(*box[1:])}
        for n, name in enumerate(SIZES)
        for k, box in enumerate(BOXES[name])
    ]
    categories = [{"id": n, "name": name} for n, name in enumerate(NAMES)]
    file = root / "coco.json"
    file.write_text(json.dumps({"images": images, "annotations": rows, "categories": categories}))
    return file


def voc_object(number, x, y, width, height, extra=""):
    box = f"<xmin>{x + 1}</xmin><ymin>{y + 1}</ymin><xmax>{x + width}</xmax><ymax>{y + height}</ymax>"
    return f"<object><name>{NAMES[number]}</name>{extra}<bndbox>{box}</bndbox></object>"


def as_voc(root, extra=""):
    for name, (width, height) in SIZES.items():
        picture(root / "JPEGImages" / f"{name}.png", name)
        things = "".join(voc_object(*box, extra=extra) for box in BOXES[name])
        size = f"<size><width>{width}</width><height>{height}</height><depth>3</depth></size>"
        file = root / "Annotations" / f"{name}.xml"
        file.parent.mkdir(exist_ok=True)
        file.write_text(f"<annotation><filename>{name}.png</filename>{size}{things}</annotation>")
    return root


def yolo_line(name, number, x, y, width, height):
    across, down = SIZES[name]
    return f"{number} {(x + width / 2) / across} {(y + height / 2) / down} {width / across} {height / down}"


def as_yolo(root, line=yolo_line, **more):
    for name in SIZES:
        picture(root / "images" / "val" / f"{name}.png", name)
        labels = root / "labels" / "val" / f"{name}.txt"
        labels.parent.mkdir(parents=True, exist_ok=True)
        labels.write_text("".join(f"{line(name, *box)}\n" for box in BOXES[name]))
    file = root / "data.yaml"
    file.write_text(yaml.safe_dump({"val": "images/val", "names": list(NAMES), **more}))
    return file


def as_open_images(root):
    with (root / "validation-annotations-bbox.csv").open("w", newline="") as opened:
        rows = csv.writer(opened)
        rows.writerow(["ImageID", "Source", "LabelName", "Confidence", "XMin", "XMax", "YMin", "YMax", "IsOccluded", "IsTruncated", "IsGroupOf", "IsDepiction", "IsInside"])  # fmt: skip
        for name, (across, down) in SIZES.items():
            picture(root / f"{name}.jpg", name)
            for number, x, y, width, height in BOXES[name]:
                shares = (x / across, (x + width) / across, y / down, (y + height) / down)
                rows.writerow([name, "xclick", f"/m/{number}", 1, *shares, 0, 0, 0, 0, 0])
    classes = "".join(f"/m/{n},{name.capitalize()}\n" for n, name in enumerate(NAMES))
    (root / "class-descriptions-boxable.csv").write_text(classes)
    return root


def hub_rows(xywh=lambda *box: list(box)):
    for name in SIZES:
        objects = {"bbox": [xywh(*box[1:]) for box in BOXES[name]], "category": [box[0] for box in BOXES[name]]}
        yield {"image": str(name), "objects": objects}


def as_hub(root, save=lambda data, root: data.save_to_disk(root)):
    rows = list(hub_rows())
    for row in rows:
        picture(root / "pictures" / f"{row['image']}.png", row["image"])
        row["image"] = str(root / "pictures" / f"{row['image']}.png")
    objects = {"bbox": [[datasets.Value("float32")]], "category": [datasets.ClassLabel(names=list(NAMES))]}
    features = datasets.Features({"image": datasets.Image(), "objects": objects})
    save(datasets.Dataset.from_list(rows, features=features), root / "set")
    return root / "set"


def as_parquet(root):
    def save(data, folder):
        folder.mkdir()
        embedded = data.map(lambda row: row)  # with the pictures' bytes, as a push to the hub has them
        embedded.to_parquet(folder / "validation-00000-of-00001.parquet")

    return as_hub(root, save)


WRITERS = {
    "voc": as_voc, "yolo": as_yolo, "open_images": as_open_images, "huggingface": as_hub, "parquet": as_parquet,
}  # fmt: skip


def scenes(path, **settings):
    """What is read there: by picture's size (category, box rounded, crowd), and what was refused."""
    refused = Refusals()
    config = build_config(annotations=path, **settings)
    assert [entry for entry in coco.index(config) if not entry.at_hand] == []
    read = list(coco.scenes(config, lambda _: True, refused))
    return read, [f"{row.record} {row.reason}" for row in refused.records]


def contents(read):
    return sorted(
        ((scene.width, scene.height), sorted(
            (thing.category, *(round(n) for n in (thing.region.x, thing.region.y, thing.region.width, thing.region.height)), thing.crowd)
            for thing in scene.instances
        )) for scene in read
    )  # fmt: skip


@pytest.fixture
def expected(tmp_path):
    folder = tmp_path / "coco"
    folder.mkdir()
    return contents(scenes(as_coco(folder))[0])


@pytest.mark.parametrize("name", WRITERS)
def test_the_same_things_are_the_same_scenes(tmp_path, expected, name):
    root = tmp_path / name
    root.mkdir()
    read, refused = scenes(WRITERS[name](root))
    assert refused == []
    if name == "open_images":  # pictures without a box are not in its files
        expected = [content for content in expected if content[1]]
    assert contents(read) == expected


@pytest.mark.parametrize("name", WRITERS)
def test_inspect_reads_it_and_writes_nothing_beside_it(tmp_path, name):
    root = tmp_path / name
    root.mkdir()
    path = WRITERS[name](root)
    before = sorted(root.rglob("*"))
    done = CliRunner().invoke(main, ["inspect", "--annotations", str(path), "--json", "--prior-share", "0"])
    assert done.exit_code == 0, done.output
    found = json.loads(done.stdout)
    assert {kind["category"] for kind in found["kinds"]} == set(NAMES)
    assert found["things"] == 3
    assert sorted(root.rglob("*")) == before


# ---------------------------------------------------------------------------------------------------------- Pascal VOC


def test_of_a_difficult_thing_presence_alone_is_known(tmp_path):
    read, _ = scenes(as_voc(tmp_path, "<difficult>1</difficult>"))
    assert all(thing.crowd for scene in read for thing in scene.instances)


def test_a_segmented_picture_gives_masks(tmp_path):
    as_voc(tmp_path)
    numbers = np.zeros((40, 60), np.uint8)
    numbers[4:14, 6:18] = 1
    numbers[10:30, 30:44] = 2
    numbers[:, 59] = 255
    (tmp_path / "SegmentationObject").mkdir()
    Image.fromarray(numbers).save(tmp_path / "SegmentationObject" / "a.png")
    read, refused = scenes(tmp_path)
    assert {thing.category: thing.area for thing in read[0].instances} == {"cup": 120, "person": 280}
    assert refused == []


def test_a_list_of_names_gives_a_split(tmp_path):
    as_voc(tmp_path)
    listed = tmp_path / "ImageSets" / "Main" / "val.txt"
    listed.parent.mkdir(parents=True)
    listed.write_text("a\nc\n")
    for path, split in ((listed, "val2017"), (tmp_path, "val")):
        read, _ = scenes(path, split=split)
        assert [(scene.width, scene.height) for scene in read] == [SIZES["a"], SIZES["c"]]


def test_a_bad_file_costs_its_picture_and_is_named(tmp_path):
    as_voc(tmp_path)
    bomb = '<!DOCTYPE a [<!ENTITY x "lol">]><annotation><filename>&x;</filename></annotation>'
    (tmp_path / "Annotations" / "a.xml").write_text(bomb)
    (tmp_path / "Annotations" / "b.xml").write_text("<annotation><size>")
    read, refused = scenes(tmp_path)
    assert [(scene.width, scene.height) for scene in read] == [SIZES["c"]]
    assert [line.split(" ")[0] for line in refused] == ["a.xml", "b.xml"]


# ---------------------------------------------------------------------------------------------------------------- YOLO


def test_an_outline_is_a_mask(tmp_path):
    def outline(name, number, x, y, width, height):
        across, down = SIZES[name]
        points = ((x, y), (x + width, y), (x + width, y + height), (x + width / 2, y + height), (x, y + height))
        return f"{number} " + " ".join(f"{a / across} {b / down}" for a, b in points)

    read, refused = scenes(as_yolo(tmp_path, outline))
    assert [thing.area for scene in read for thing in scene.instances] == [120, 300, 200]
    assert refused == []


def test_boxes_that_are_turned_are_no_masks(tmp_path):
    def turned(name, number, x, y, width, height):
        across, down = SIZES[name]
        points = ((x, y), (x + width, y), (x + width, y + height), (x, y + height))
        return f"{number} " + " ".join(f"{a / across} {b / down}" for a, b in points)

    read, _ = scenes(as_yolo(tmp_path, turned))
    assert [thing.rle for scene in read for thing in scene.instances] == [b""] * 3


def test_joints_have_the_names_that_the_file_gives(tmp_path):
    def posed(name, number, x, y, width, height):
        across, down = SIZES[name]
        return (
            f"{yolo_line(name, number, x, y, width, height)} {x / across} {y / down} 2 {(x + 4) / across} {y / down} 1"
        )

    read, refused = scenes(
        as_yolo(tmp_path, posed, kpt_shape=[2, 3], kpt_names={number: list(JOINTS) for number in range(3)})
    )
    joints = [[(j.name, round(j.x), round(j.y), j.visibility) for j in thing.keypoints] for scene in read for thing in scene.instances]  # fmt: skip
    assert joints[0] == [("left eye", 6, 4, 2), ("right eye", 10, 4, 1)]
    assert refused == []


def test_a_bad_line_costs_itself(tmp_path):
    file = as_yolo(tmp_path)
    labels = tmp_path / "labels" / "val" / "a.txt"
    labels.write_text(labels.read_text() + "0 0.5 0.5\nnan nan nan nan nan\n7 0.5 0.5 0.1 0.1\n")
    read, refused = scenes(file)
    assert [len(scene.instances) for scene in read] == [2, 1, 0]
    assert [line.partition(" has")[0].partition(" is")[0] for line in refused] == [
        "a.txt, line 3", "a.txt, line 4", "annotation a.png:5",
    ]  # fmt: skip


@pytest.mark.parametrize("said", ["../valid/images", ["valid/images"], "list.txt"])
def test_pictures_stand_where_the_file_says(tmp_path, said):
    as_yolo(tmp_path)
    (tmp_path / "valid").mkdir()
    shutil.move(tmp_path / "images" / "val", tmp_path / "valid" / "images")
    shutil.move(tmp_path / "labels" / "val", tmp_path / "valid" / "labels")
    (tmp_path / "list.txt").write_text("".join(f"valid/images/{name}.png\n" for name in SIZES))
    (tmp_path / "data.yaml").write_text(yaml.safe_dump({"valid": said, "names": dict(enumerate(NAMES))}))
    assert sum(len(scene.instances) for scene in scenes(tmp_path)[0]) == 3


# --------------------------------------------------------------------------------------------------------- Open Images


def test_what_people_did_not_find_is_absent_and_of_the_rest_nothing_is_known(tmp_path):
    root = as_open_images(tmp_path)
    (root / "validation-annotations-human-imagelabels.csv").write_text(
        "ImageID,Source,LabelName,Confidence\na,verification,/m/2,0\na,verification,/m/0,1\nb,machine,/m/1,0.4\n"
    )
    first, second = scenes(root)[0]
    assert set(first.categories) == set(NAMES)
    assert set(second.categories) == {"traffic light"}
    assert [thing.category for thing in first.instances if thing.crowd] == ["cup"]  # there may be more of them


def test_of_a_group_no_number_is_known(tmp_path):
    root = as_open_images(tmp_path)
    file = root / "validation-annotations-bbox.csv"
    file.write_text(file.read_text().replace("0,0,0,0,0", "0,0,1,0,0"))
    assert all(thing.crowd for scene in scenes(root)[0] for thing in scene.instances)


# ------------------------------------------------------------------------------------------------------- Hugging Face


def test_columns_that_are_missing_are_named(tmp_path):
    datasets.Dataset.from_list([{"picture": 1}]).save_to_disk(tmp_path / "set")
    with pytest.raises(BadInput, match="columns picture; `image` and `objects` are needed"):
        formats.read(tmp_path / "set", "", None)


def test_boxes_by_two_corners_are_refused(tmp_path):
    def to_corners(row):
        boxes = [[x, y, x + width, y + height] for x, y, width, height in row["objects"]["bbox"]]
        return {"objects": {**row["objects"], "bbox": boxes}}

    with pytest.raises(BadInput, match="two corners"):
        scenes(as_hub(tmp_path, lambda data, folder: data.map(to_corners).save_to_disk(folder)))


# ------------------------------------------------------------------------------------------------------------- folders


def test_a_folder_of_no_known_format_says_which_there_are(tmp_path):
    as_coco(tmp_path)
    with pytest.raises(BadInput, match=r"no known format \(huggingface, open_images, voc, yolo\).*coco\.json"):
        formats.of(tmp_path)
