"""What strangers lay out as VOC, YOLO, Open Images or a data set: one line, a counted refusal, never a hang."""

import os

import datasets
import pytest
from PIL import Image

from pstgen.core.config import build_config
from pstgen.core.records import BadInput
from pstgen.core.report import Refusals
from pstgen.scenes import coco_files, formats
from pstgen.scenes.sources import coco

BOX = "<bndbox><xmin>{}</xmin><ymin>1</ymin><xmax>20</xmax><ymax>9</ymax></bndbox>"
VOC = "<annotation><filename>a.png</filename><size><width>{0}</width><height>30</height></size><object><name>cup</name>{1}</object></annotation>"  # fmt: skip


@pytest.fixture(autouse=True)
def _anew(tmp_path, monkeypatch):
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    for cached in (coco_files.read, coco_files._repaired, formats.read):
        cached.cache_clear()


def read(path):
    """Scenes and refusals, or the line that is printed."""
    refused = Refusals()
    try:
        scenes = list(coco.scenes(build_config(annotations=path), lambda _: True, refused))
    except BadInput as error:
        return [], [str(error)]
    return scenes, [f"{row.record} {row.reason}" for row in refused.records]


def voc(folder, text):
    (folder / "Annotations").mkdir(parents=True)
    (folder / "JPEGImages").mkdir()
    Image.new("RGB", (40, 30), "red").save(folder / "JPEGImages" / "a.png")
    (folder / "Annotations" / "a.xml").write_text(text)
    return folder


@pytest.mark.parametrize("number", ["inf", "nan", "1e308", "-1e308", "x", ""])
def test_a_number_of_voc_that_is_none_costs_its_thing(tmp_path, number):
    scenes, refused = read(voc(tmp_path / "voc", VOC.format(40, BOX.format(number))))
    assert all(thing.crowd or thing.region.right <= 80 for scene in scenes for thing in scene.instances)
    assert refused or scenes


@pytest.mark.parametrize("name", ["../../secret.png", "/etc/passwd", "a\0.png"])
def test_a_name_of_voc_leads_nowhere_else(tmp_path, name):
    (tmp_path / "secret.png").write_bytes(b"")
    text = VOC.format(40, BOX.format(1)).replace("a.png", name.replace("\0", "&#0;"))
    scenes, refused = read(voc(tmp_path / "voc", text))
    assert all(str(tmp_path / "voc") in scene.path for scene in scenes)
    assert scenes or refused


@pytest.mark.parametrize("place", ["Annotations/a.xml", "JPEGImages/a.png"])
def test_a_pipe_is_not_waited_for(tmp_path, place):
    folder = voc(tmp_path / "voc", VOC.format(40, BOX.format(1)))
    (folder / place).unlink()
    os.mkfifo(folder / place)
    scenes, refused = read(folder)
    assert not scenes
    assert refused


@pytest.mark.parametrize(
    "text",
    [
        "names: &a [*a, *a]",
        "[" * 100_000,
        "names: {0: cup}\nval: [[[[images]]]]",
        "names: 7\nval: images",
        "names: [cup]\nval: ../../../../etc",
        "names: [cup]\nkpt_names: 3\nval: images",
    ],
)
def test_a_yaml_file_of_yolo_may_say_anything(tmp_path, text):
    (tmp_path / "images").mkdir()
    Image.new("RGB", (40, 30), "red").save(tmp_path / "images" / "a.png")
    (tmp_path / "data.yaml").write_text(text)
    scenes, refused = read(tmp_path / "data.yaml")
    assert scenes or refused


@pytest.mark.parametrize(
    "line", ["0 1e308 1e308 1e308 1e308", "0 -5 -5 9 9", "9" * 5000, "0 .5 .5 .1 .1 " * 5000, "\x00"]
)
def test_a_line_of_yolo_may_say_anything(tmp_path, line):
    for folder in ("images", "labels"):
        (tmp_path / folder).mkdir()
    Image.new("RGB", (40, 30), "red").save(tmp_path / "images" / "a.png")
    (tmp_path / "labels" / "a.txt").write_text(line)
    (tmp_path / "data.yaml").write_text("names: [cup]\nval: images\n")
    (scene,), refused = read(tmp_path / "data.yaml")
    assert refused or all(0 <= thing.region.x <= 40 for thing in scene.instances)


def test_a_table_of_open_images_may_hold_anything(tmp_path):
    rows = ["ImageID,LabelName,XMin,XMax,YMin,YMax", "a,/m/1,inf,nan,0,1", "a,/m/1,x,1,0,1", "a,/m/1,0.1,0.4,0.1,0.4"]
    (tmp_path / "boxes.csv").write_text("\n".join(rows))
    Image.new("RGB", (40, 30), "red").save(tmp_path / "a.jpg")
    (scene,), refused = read(tmp_path / "boxes.csv")
    assert sum(not thing.crowd for thing in scene.instances) == 1
    assert refused
    (tmp_path / "boxes.csv").write_text("ImageID,LabelName,XMin,XMax,YMin,YMax\na,b\n")
    for cached in (coco_files.read, coco_files._repaired, formats.read):
        cached.cache_clear()
    _, (line,) = read(tmp_path / "boxes.csv")
    assert "not a CSV file of Open Images" in line


def test_what_is_no_picture_in_a_data_set_costs_its_row(tmp_path):
    picture = tmp_path / "a.png"
    Image.new("RGB", (40, 30), "red").save(picture)
    eps = b"%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 40 30\n"
    objects = {"bbox": [[1.0, 2.0, 10.0, 12.0]], "category": ["cup"]}
    rows = [{"image": {"bytes": code, "path": None}, "objects": objects} for code in (eps, b"", picture.read_bytes())]
    datasets.Dataset.from_list(rows).to_parquet(tmp_path / "set.parquet")
    scenes, refused = read(tmp_path / "set.parquet")
    assert [(scene.width, scene.height) for scene in scenes] == [(40, 30)]
    assert [line.split(" ")[:2] for line in refused] == [["row", "0"], ["row", "1"]]
    assert scenes[0].path.endswith(".png")
