"""What tools of the field read of an exported set is what the set holds: WebDataset, pycocotools, Label Studio, FiftyOne."""

import io
import json
import tarfile
from dataclasses import replace

import numpy as np
import pytest
from PIL import Image
from pycocotools.coco import COCO

from pstgen.core.records import BadInput, Item, Keypoint
from pstgen.dataset import exporters, limbs, schema, store, targets
from pstgen.dataset.rows import Row
from pstgen.scenes import pixels
from pstgen.scenes.png import encode

ARM = ("left_shoulder", "left_elbow", "left_wrist")


def _row(number, letter, answer, scene, **more):
    """A stress twin that is called a, or a control twin that is called b."""
    item = Item(
        item_id=f"p{number}-{letter}", pair_id=f"p{number}", role="stress" if letter == "a" else "control",
        scene_id=scene.id, image="", form="of", frame="neutral", question="Is “it” there?", neutral="Is “it” there?",
        options=("yes", "no"), answer=answer, lure="no", **{"family": "existence", "about": ("cup",), **more},
    )  # fmt: skip
    rng = np.random.default_rng(number)
    image = encode(rng.integers(0, 255, (scene.height, scene.width, 3), np.uint8))
    mask = targets.render("mask", item, scene)
    return Row(
        item=item, scene=scene, image=image, suffix=".png", targets=(mask,) if mask else (), chain=f"so {answer}"
    )


@pytest.fixture(scope="module")
def dataset(tmp_path_factory, thing, scene):
    """Pairs about a cup beside a marked point, an arm of a person, and a dog of which the box alone is known; controls are absences."""
    size = {"width": 80, "height": 60}
    joints = tuple(Keypoint(name=name, x=30 + 5 * n, y=20, visibility=2 - n // 2) for n, name in enumerate(ARM))
    others = (Keypoint(name="nose", x=30, y=5, visibility=2), Keypoint(name="left_knee", x=0, y=0, visibility=0))
    cup = thing("cup", 5, 7, 20, 10, id=3, within=(80, 60))
    person = thing("person", 20, 2, 30, 50, id=4, within=(80, 60), keypoints=(*others, *joints))
    dog = replace(thing("dog", 50, 5, 20, 30, id=5, within=(80, 60)), rle=b"")
    shown = scene(cup, person, dog, id="world/1", licence="http://creativecommons.org/licenses/by/2.0/", **size)
    empty = scene(id="world/2", licence="CC0-1.0", **size)
    rows = [
        _row(1, "a", "yes", shown, evidence=(3,), mark=(40.0, 30.0)),
        _row(1, "b", "no", empty, mark=(40.0, 30.0)),
        _row(2, "a", "yes", shown, evidence=(4,), family="pose", about=("person", "left")),
        _row(2, "b", "no", empty),
        _row(3, "a", "yes", shown, evidence=(5,)),
        _row(3, "b", "no", empty),
    ]
    folder = tmp_path_factory.mktemp("formats")
    counted = {name: {} for name in ("libraries", "settings", "judges", "funnel", "unknown", "unmade")}
    written, origin = store.write_rows(folder, rows), {"name": "made by hand"}
    store.seal(folder, store.Manifest(format=1, pstgen="0.1.0", items=written, origin=origin, refused=[], **counted))
    return store.open(folder)


@pytest.fixture
def export(dataset, tmp_path):
    def to(name):
        exporters.load(name).write(dataset, tmp_path)
        return tmp_path

    return to


@pytest.fixture
def many_shards(monkeypatch):
    """Shards of at most 80 kB, of which a pair takes two fifths."""
    monkeypatch.setattr(exporters.load("webdataset"), "SHARD_BYTES", 80_000)


def test_coco_gives_every_mask_box_and_area(export, dataset):
    coco = COCO(export("coco") / "annotations.json")
    images = {image["item_id"]: image for image in coco.dataset["images"]}
    for row in dataset.rows():
        image = images[row.item.item_id]
        found = coco.loadAnns(coco.getAnnIds(imgIds=image["id"]))
        focused = limbs.focus(row.item, row.scene)
        wanted = [thing for thing in focused.instances if thing.id in row.item.evidence]
        assert [coco.cats[each["category_id"]]["name"] for each in found] == [thing.category for thing in wanted]
        for each, thing in zip(found, wanted, strict=True):
            assert each["bbox"] == [thing.region.x, thing.region.y, thing.region.width, thing.region.height]
            if thing.rle:
                assert (coco.annToMask(each) == pixels.mask(thing, focused)).all()
                assert each["area"] == coco.annToMask(each).sum()
            else:
                assert each["segmentation"] == []


def test_coco_has_the_pictures_their_questions_and_their_licences(export, dataset):
    folder = export("coco")
    coco = COCO(folder / "annotations.json")
    licences = {licence["id"]: licence for licence in coco.dataset["licenses"]}
    for image, row in zip(coco.dataset["images"], dataset.rows(), strict=True):
        assert (folder / "images" / image["file_name"]).read_bytes() == row.image
        assert (image["question"], image["answer"], image["lure"]) == (row.item.question, row.item.answer, "no")
        assert licences[image["license"]]["name"] == row.scene.licence
    assert {licence["url"] for licence in licences.values()} == {"", "http://creativecommons.org/licenses/by/2.0/"}


def test_coco_has_the_joints_in_question_under_the_names_of_their_category(export):
    coco = COCO(export("coco") / "annotations.json")
    (person,) = coco.loadCats(coco.getCatIds(catNms=["person"]))
    (found,) = coco.loadAnns(coco.getAnnIds(catIds=[person["id"]]))
    assert person["keypoints"] == ["nose", "left_knee", *ARM]
    assert found["keypoints"] == [0, 0, 0, 0, 0, 0, 30, 20, 2, 35, 20, 2, 40, 20, 1]
    assert found["num_keypoints"] == 3


@pytest.mark.filterwarnings("ignore")
def test_webdataset_gives_picture_facts_and_mask_of_every_item(export, dataset):
    webdataset = pytest.importorskip("webdataset")
    shards = sorted(map(str, export("webdataset").glob("*.tar")))
    samples = list(webdataset.WebDataset(shards, shardshuffle=False).decode("rgb8"))
    for sample, row, cells in zip(samples, dataset.rows(), dataset.cells(), strict=True):
        assert sample["__key__"] == row.item.item_id
        assert (sample["png"] == pixels.decode(row.image)).all()
        assert sample["json"] == {name: cells[name] for name in schema.LIGHT}
        masks = [target.pixels for target in row.targets if target.kind == "mask"]
        assert ("mask.png" in sample) == bool(masks)
        assert all((sample["mask.png"][..., 0] == mask).all() for mask in masks)


@pytest.mark.usefixtures("many_shards")
def test_shards_hold_whole_pairs_the_sets_own_bytes_and_no_more_than_they_may(export, dataset):
    shards = sorted(export("webdataset").iterdir())
    assert [shard.name for shard in shards] == [f"pst-{n:06}.tar" for n in range(len(shards))]
    assert len(shards) == 2
    found, pairs = {}, []
    for shard in shards:
        assert shard.stat().st_size <= 80_000
        with tarfile.open(shard) as archive:
            members = {member.name: archive.extractfile(member).read() for member in archive}
            assert {member.mtime for member in archive} == {0}
        found |= members
        pairs.append({name.partition("-")[0] for name in members})
    assert pairs == [{"p1", "p2"}, {"p3"}]
    assert all(found[f"{row.item.item_id}.png"] == row.image for row in dataset.rows())
    assert json.loads(found["p1-a.json"])["question"] == "Is “it” there?"
    assert Image.open(io.BytesIO(found["p1-a.mask.png"])).getbbox() == (5, 7, 25, 17)


def test_label_studio_has_a_task_of_every_item_with_answer_outline_and_mark(export, dataset):
    folder = export("label_studio")
    tasks = {task["data"]["item_id"]: task for task in json.loads((folder / "tasks.json").read_text(encoding="utf-8"))}
    assert list(tasks) == [row.item.item_id for row in dataset.rows()]
    for row in dataset.rows():
        task = tasks[row.item.item_id]
        assert (folder / task["data"]["image"].partition("?d=")[2]).read_bytes() == row.image
        results = {result["type"]: result["value"] for result in task["predictions"][0]["result"]}
        assert results["choices"] == {"choices": [row.item.answer]}
        assert ("polygonlabels" in results) == bool(row.item.evidence)
        assert ("keypointlabels" in results) == bool(row.item.mark)
    answer, outline, mark = tasks["p1-a"]["predictions"][0]["result"]
    corners = {(100 * (x + 0.5) / 80, round(100 * (y + 0.5) / 60, 4)) for x in (5, 24) for y in (7, 16)}
    assert set(map(tuple, outline["value"]["points"])) == corners
    assert (mark["value"]["x"], mark["value"]["y"]) == (50, 50)
    assert answer["from_name"] == "answer"


@pytest.mark.filterwarnings("ignore")
def test_label_studio_itself_takes_the_interface_the_tasks_and_the_predictions(export):
    interfaces = pytest.importorskip("label_studio_sdk.label_interface")
    folder = export("label_studio")
    interface = interfaces.LabelInterface((folder / "label_config.xml").read_text(encoding="utf-8"))
    interface.validate()
    for task in json.loads((folder / "tasks.json").read_text(encoding="utf-8")):
        assert interface.validate_task({"data": task["data"]})
        assert interface.validate_prediction(task["predictions"][0], return_errors=True) == []


def test_fiftyone_has_a_sample_of_every_item_with_answer_lure_and_outlines(export, dataset):
    folder = export("fiftyone")
    assert json.loads((folder / "metadata.json").read_text(encoding="utf-8"))["media_type"] == "image"
    samples = json.loads((folder / "samples.json").read_text(encoding="utf-8"))["samples"]
    for sample, row in zip(samples, dataset.rows(), strict=True):
        assert (folder / sample["filepath"]).read_bytes() == row.image
        assert (sample["answer"]["label"], sample["lure"]["label"]) == (row.item.answer, row.item.lure)
        assert len(sample["evidence"]["polylines"]) == len(row.item.evidence)
    by_id = {sample["item_id"]: sample for sample in samples}
    (cup,) = by_id["p1-a"]["evidence"]["polylines"]
    corners = {(round((x + 0.5) / 80, 6), round((y + 0.5) / 60, 6)) for x in (5, 24) for y in (7, 16)}
    assert cup["label"] == "cup"
    assert {tuple(point) for part in cup["points"] for point in part} == corners
    assert [joint["label"] for joint in by_id["p2-a"]["joints"]["keypoints"]] == list(ARM)


@pytest.mark.filterwarnings("ignore")
def test_fiftyone_itself_reads_the_folder(export, dataset):
    importers = pytest.importorskip("fiftyone.utils.data.importers")
    with importers.LegacyFiftyOneDatasetImporter(dataset_dir=str(export("fiftyone"))) as samples:
        for sample, row in zip(samples, dataset.rows(), strict=True):
            assert (sample.item_id, sample.answer.label) == (row.item.item_id, row.item.answer)
            assert len(sample.evidence.polylines) == len(row.item.evidence)
            assert len(sample.joints.keypoints) == (3 if row.item.family == "pose" else 0)


@pytest.mark.parametrize("name", ["webdataset", "coco", "label_studio", "fiftyone", "gallery"])
def test_an_item_whose_name_leads_out_of_the_folder_is_refused_before_anything_is_written_there(
    name, dataset, tmp_path, monkeypatch
):
    rows = [replace(row, item=replace(row.item, item_id="../x")) for row in dataset.rows()]
    monkeypatch.setattr(store.Dataset, "rows", lambda _: iter(rows))
    monkeypatch.setattr(store.Dataset, "scores", lambda _: iter(()))
    (tmp_path / "out").mkdir()
    with pytest.raises(BadInput, match="no file can be called so"):
        exporters.load(name).write(dataset, tmp_path / "out")
    assert [path.name for path in tmp_path.iterdir()] == ["out"]
