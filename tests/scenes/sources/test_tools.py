"""Files that annotation tools wrote of the same drawn scenes, laid out as the tools do: each is read whole, and gives pairs.

make.py beside them wrote them, VERSIONS.json says with which version of which tool, and which are layouts made by hand.
"""

import importlib.util
import json
import shutil
from collections import Counter
from pathlib import Path
from typing import NamedTuple

import pytest
from PIL import Image

from pstgen.build import build, prior_alone
from pstgen.cli.inspection import inspect
from pstgen.core.config import build_config
from pstgen.core.records import Region
from pstgen.core.report import Refusals
from pstgen.dataset import store
from pstgen.questions import prior_file, prior_scenes
from pstgen.scenes.sources import coco
from pstgen.scenes.world import files

FILES = Path(__file__).parents[2] / "files" / "tools"
LAYOUTS = {  # where a tool, or who uses it, puts the file, and the folder of the pictures
    "supervision": ("annotations.json", "images"),
    "datumaro": ("annotations/instances_default.json", "images/default"),
    "fiftyone": ("labels.json", "data"),
    "sahi": ("coco.json", "."),
    "labelme2coco": ("labelme/dataset.json", "labelme"),
    "globox": ("coco.json", "images"),
    "label_studio": ("result.json", "images"),
    "pylabel": ("dataset.json", "images"),
    "pycocotools": ("annotations/instances_val2017.json", "val2017"),
    "lvis": ("annotations/lvis_v1_val.json", "val2017"),
    "kwcoco": ("data.kwcoco.json", "images"),
    "darwin": ("output.json", "images"),
    "segments": ("export_coco-instance_me_toys_v1.json", "segments/me_toys/v1"),
    "imantics": ("coco.json", "images"),
    "roboflow": ("train/_annotations.coco.json", "train"),
    "cvat": ("annotations/instances_default.json", "images/default"),
    "via": ("via_project_coco.json", "."),
    "mmpose": ("annotations/ap10k-train-split1.json", "data"),
    "detectron2": ("datasets/toys.json", "datasets/toys"),
}
NAMED = {"segments"}  # the folder of their pictures is not looked for there, and must be named
BOXES = {"globox", "roboflow", "mmpose"}  # have no masks
OF_BOXES = {"fiftyone", "via"}  # give for a mask the area of its box, which is named
EMPTY = {"fiftyone": 3}  # masks that the tool thinned until no pixel was left
FEWEST = 8  # tools whose own code wrote a file
LARGEST = 60_000  # bytes of a file
SEEN = 50  # pixels of a thing whose place is compared
SAME = 0.5  # IoU of two boxes of one thing
BROKEN = 1  # things of several parts, of which tools that take one outline have too little


def make():
    """make.py as a module; what it needs of the tools it imports later."""
    spec = importlib.util.spec_from_file_location("make", FILES / "make.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


MAKE = make()


class Thing(NamedTuple):
    """As it was drawn."""

    kind: str
    region: Region
    area: int


class Drawn(NamedTuple):
    """The scenes as they were drawn, each a list of things, and the folder of their pictures."""

    folder: Path
    scenes: list[list[Thing]]

    @property
    def things(self):
        return Counter(thing.kind for scene in self.scenes for thing in scene)


class Laid(NamedTuple):
    """The file of a tool, its pictures where they belong. settings: that name them."""

    tool: str
    settings: dict[str, Path]


@pytest.fixture(scope="module")
def drawn(tmp_path_factory):
    folder = tmp_path_factory.mktemp("drawn")
    files.write(MAKE.WORLD, folder)
    told = json.loads((folder / "annotations" / "instances_world.json").read_text())
    names = {row["id"]: row["name"] for row in told["categories"]}
    scenes = [[] for _ in told["images"]]
    for row in told["annotations"]:
        region = Region(**dict(zip(("x", "y", "width", "height"), row["bbox"], strict=True)))
        scenes[row["image_id"]].append(Thing(names[row["category_id"]], region, row["area"]))
    return Drawn(folder / "world", scenes)


@pytest.fixture(scope="module", params=LAYOUTS)
def laid(request, drawn, tmp_path_factory):
    """Each tool's file in turn."""
    tool, root = request.param, tmp_path_factory.mktemp(request.param)
    file, pictures = (root / place for place in LAYOUTS[tool])
    for folder in (file.parent, pictures):
        folder.mkdir(parents=True, exist_ok=True)
    shutil.copy(FILES / f"{tool}.json", file)
    for row in json.loads(file.read_text())["images"]:
        name = Path(row.get("file_name") or row["coco_url"]).name
        Image.open(drawn.folder / f"{MAKE.number(name):012}.png").save(pictures / name)
    return Laid(tool, {"annotations": file} | ({"images": pictures} if tool in NAMED else {}))


@pytest.fixture(scope="module")
def expected(tmp_path_factory):
    """What one expects, counted on other scenes of the world: so every scene of a tool gives items."""
    file = tmp_path_factory.mktemp("prior") / "prior.json"
    config = build_config(source="world", scenes=200, size=64, seed=7, prior_share=0.95)
    _, observed, share = prior_alone(config)
    prior_file.write(file, observed.tally, observed.scenes, prior_scenes.fitted_on(config, share))
    return {"prior_file": file, "prior_base": "none"}


def overlap(a, b):
    """Intersection over union of two boxes."""
    across = max(0, min(a.right, b.right) - max(a.x, b.x))
    shared = across * max(0, min(a.bottom, b.bottom) - max(a.y, b.y))
    return shared / (a.width * a.height + b.width * b.height - shared)


def test_of_every_file_it_is_known_what_wrote_it():
    versions = json.loads((FILES / "VERSIONS.json").read_text())
    assert versions.keys() == LAYOUTS.keys() == {file.stem for file in FILES.glob("*.json")} - {"VERSIONS"}
    assert sum(version != "by hand" for version in versions.values()) >= FEWEST
    assert all(file.stat().st_size < LARGEST for file in FILES.glob("*.json"))


def test_inspect_counts_every_thing(laid, drawn, expected):
    found = inspect(build_config(**laid.settings, **expected))
    assert found.scenes == {"that feed the prior": 0, "for items": len(drawn.scenes)}
    assert Counter({kind.category: kind.things for kind in found.kinds if kind.things}) == drawn.things
    assert found.masks == (0 if laid.tool in BOXES else found.things - EMPTY.get(laid.tool, 0))
    posed = {
        row["name"] for row in json.loads(laid.settings["annotations"].read_text())["categories"] if "keypoints" in row
    }
    assert found.joints == sum(drawn.things[kind] for kind in posed)
    assert laid.tool in OF_BOXES or not found.left_out
    assert found.pairs


def test_every_thing_is_where_it_was_drawn(laid, drawn):
    lost = 0
    for scene in coco.scenes(build_config(**laid.settings), lambda _: True, Refusals()):
        things = drawn.scenes[MAKE.number(scene.path)]
        assert len(scene.instances) == len(things)
        for thing in things:
            same = [other.region for other in scene.instances if other.category == thing.kind]
            lost += thing.area >= SEEN and max(overlap(thing.region, region) for region in same) < SAME
    assert lost <= BROKEN + EMPTY.get(laid.tool, 0)


def test_a_build_writes_pairs(laid, expected, tmp_path):
    """Judged by the prior alone, which is quick: judges see the words, not the file."""
    out = tmp_path / "pst"
    named = {"judges": ("prior",), "lm": "none", "vlm": "none"}
    report = build(build_config(**laid.settings, **expected, **named, out=out, edited=0))
    kept = report.stations["kept"].total()
    assert kept > 0
    assert len({item.pair_id for item in store.open(out).items()}) == kept
