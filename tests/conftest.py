"""Made scenes: boxes that are their own masks, small enough to work out by hand."""

import importlib.util
import json
import os
import sys
from functools import cache
from pathlib import Path

if "PYTEST_XDIST_WORKER" in os.environ:  # as many processes as cores: more threads would only wait for each other
    os.environ.setdefault("OMP_NUM_THREADS", "1")

import numpy as np
import pytest
from filelock import FileLock
from PIL import Image
from pycocotools import mask as coco_mask

from pstgen.core.records import Instance, Item, Region, Scene

COLOURS = ((220, 30, 30), (30, 60, 220), (40, 160, 60), (240, 220, 40))


def _thing(category, x, y=0, width=20, height=20, *, id=0, within=(100, 100), **more):  # noqa: A002
    across, down = within
    pixels = np.zeros((down, across), np.uint8, order="F")
    pixels[int(y) : int(y + height), int(x) : int(x + width)] = 1
    return Instance(
        id=id or int(1 + x + 1000 * y),
        category=category,
        region=Region(x=x, y=y, width=width, height=height),
        area=float(width * height),
        rle=coco_mask.encode(pixels)["counts"],
        **more,
    )


def _scene(*instances, id="world/1", width=100, height=100, complete=True, **more):  # noqa: A002
    categories = more.pop("categories", tuple(sorted({t.category for t in instances} | {"cup", "dog", "chair"})))
    return Scene(
        id=id,
        source="world",
        path="",
        width=width,
        height=height,
        categories=categories,
        instances=instances,
        complete=complete,
        **more,
    )


@pytest.fixture(scope="session")
def thing():
    """A box of one category that is its own mask."""
    return _thing


@pytest.fixture(scope="session")
def scene():
    """A scene of such things, 100 x 100 unless told."""
    return _scene


@pytest.fixture(scope="session")
def kitchen():
    """A cup on the left, a dog on the right."""
    return _scene(_thing("cup", 0, 10), _thing("dog", 70, 10))


@cache
def _tiny_vlms():
    file = Path(__file__).with_name("tiny_vlms") / "__init__.py"
    spec = importlib.util.spec_from_file_location("tiny_vlms", file, submodule_search_locations=[str(file.parent)])
    sys.modules["tiny_vlms"] = module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def pytest_generate_tests(metafunc):
    """A test that takes an `architecture` is run for each."""
    if "architecture" in metafunc.fixturenames:
        metafunc.parametrize("architecture", sorted(_tiny_vlms().ARCHITECTURES))


@pytest.fixture(scope="session")
def tiny_vlms():
    """The package that builds them."""
    return _tiny_vlms()


@pytest.fixture(scope="session")
def tiny_folder(tiny_vlms, tmp_path_factory):
    """The folder of one of them, which nobody changes."""

    @cache
    def folder(name):
        return tiny_vlms.build(name, tmp_path_factory.mktemp("tiny") / name)

    return folder


@pytest.fixture(scope="session")
def tiny_llava(tmp_path_factory):
    """A folder with a tiny random LLaVA in Hugging Face format."""
    spec = importlib.util.spec_from_file_location("tiny_llava", Path(__file__).with_name("tiny_llava.py"))
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module.build(tmp_path_factory.mktemp("tiny") / "llava")


@pytest.fixture(scope="session")
def llava(tiny_llava):
    """A LLaVA of random weights that looks at 4 x 4 patches."""
    from pstgen.models.huggingface import Model

    return Model(str(tiny_llava), "cpu")


@pytest.fixture(scope="session")
def photographs():
    """Writes photographs, 120 x 90, in COCO's layout: a cup at the left or the right, and in two of three a dog opposite."""
    return _photographs


def _photographs(folder, split, numbers, *, pictures=True, captions=True, prefix="", complete=False):
    """numbers: image ids; prefix: of the images' names, the split's where none is told. Returns the annotation file."""
    rows = {"images": [], "annotations": [], "captions": []}
    for n in numbers:
        name = f"{prefix or split}-{n}.png"
        rng = np.random.default_rng(n)
        pixels = np.full((90, 120, 3), 128, np.uint8)
        mirrored = int(rng.integers(2))
        for category in (1, 2) if n % 3 else (1,):
            x = (8, 74)[mirrored ^ (category - 1)] + int(rng.integers(6))
            y = (50, 6)[category - 1] + int(rng.integers(4))
            pixels[y : y + 30, x : x + 30] = COLOURS[int(rng.integers(len(COLOURS)))]
            thing = {
                "id": 10 * n + category,
                "image_id": n,
                "category_id": category,
                "bbox": [x, y, 30, 30],
                "area": 900,
            }
            outline = [x, y, x + 30, y, x + 30, y + 30, x, y + 30]
            rows["annotations"].append({**thing, "iscrowd": 0, "segmentation": [outline]})
        rows["images"].append({"id": n, "file_name": name, "width": 120, "height": 90})
        rows["captions"].append({"id": n, "image_id": n, "caption": "A cup and a dog." if n % 3 else "A cup."})
        if pictures:
            (folder / split).mkdir(parents=True, exist_ok=True)
            Image.fromarray(pixels).save(folder / split / name)
    file = folder / "annotations" / f"instances_{split}.json"
    file.parent.mkdir(parents=True, exist_ok=True)
    kinds = [{"id": 1, "name": "cup"}, {"id": 2, "name": "dog"}, {"id": 3, "name": "chair"}]
    told = {"images": rows["images"], "annotations": rows["annotations"], "categories": kinds}
    file.write_text(json.dumps({**told, "info": {"complete": complete}}))
    if captions:
        file.with_name(f"captions_{split}.json").write_text(json.dumps({"annotations": rows["captions"]}))
    return file


def _made_once(tmp_path_factory, name, make):
    """A folder that `make` fills for all processes of a run: whoever comes first makes it, the others wait."""
    alone = "PYTEST_XDIST_WORKER" not in os.environ
    base = tmp_path_factory.getbasetemp() if alone else tmp_path_factory.getbasetemp().parent
    with FileLock(base / f"{name}.lock"):
        if not (base / name).exists():
            make(base / f"{name}.draft")
            (base / f"{name}.draft").rename(base / name)
    return base / name


@pytest.fixture(scope="session")
def sound_set(tmp_path_factory):
    """A small sound set of the world, its certificate beside it; nobody writes into it."""
    from pstgen.build import build
    from pstgen.core.config import VerifyConfig, build_config
    from pstgen.verify import verify

    def make(out):
        many = {
            "scenes": 500,
            "size": 64,
            "candidates": 150,
            "wordings": 3,
            "pairs_per_kind": 3,
            "min_options_share": 0.0,
        }
        build(build_config(source="world", prior_base="world", out=out, **many))
        assert [problem for finding in verify(VerifyConfig(folder=out)) for problem in finding.problems] == []

    return _made_once(tmp_path_factory, "sound", make)


@pytest.fixture(scope="session")
def small_set(tmp_path_factory):
    """Thirty pairs or so of the world, judged by no model and not verified; nobody writes into it."""
    from pstgen.build import build
    from pstgen.core.config import build_config

    def make(out):
        few = {"scenes": 120, "size": 64, "candidates": 40, "wordings": 1}
        build(build_config(source="world", prior_base="world", out=out, **few))

    return _made_once(tmp_path_factory, "small", make)


STRESS_PAIRS = 24  # of `stress_set`: six of each of two families, in neutral and in leading words


def _stress_items():
    """A red cup and a blue one of each number, asked about in the same words."""
    for n in range(STRESS_PAIRS):
        neutral = f"What colour is cup {n}?"
        framed = f"Cup {n} is blue, isn't it? {neutral}"
        for letter, role, answer in (("a", "stress", "red"), ("b", "control", "blue")):
            yield Item(
                item_id=f"p{n:02}-{letter}", pair_id=f"p{n:02}", role=role, scene_id=f"world/{n}{letter}", image="",
                family=("colour", "pointing")[n % 2], form="of", about=("cup",), frame=("neutral", "leading")[n // 2 % 2],
                question=(neutral, framed)[n // 2 % 2], neutral=neutral, options=("red", "blue", "green"), answer=answer,
                lure="blue",
            )  # fmt: skip


@pytest.fixture(scope="session")
def stress_set(tmp_path_factory):
    """The folder of a set of painted pictures, 32 x 32, written and sealed; nobody writes into it."""
    from pstgen.dataset import store
    from pstgen.dataset.rows import Row
    from pstgen.scenes.png import encode

    folder = tmp_path_factory.mktemp("stress") / "pst"
    folder.mkdir()
    rows = []
    for item in _stress_items():
        pixels = np.full((32, 32, 3), len(rows), np.uint8)
        pixels[8:24, 8:24] = {"red": COLOURS[0], "blue": COLOURS[1]}[item.answer]
        rows.append(
            Row(item=item, scene=_scene(id=item.scene_id, width=32, height=32), image=encode(pixels), suffix=".png")
        )
    counted = {name: {} for name in ("libraries", "settings", "origin", "judges", "funnel", "unknown", "unmade")}
    written = store.write_rows(folder, rows)
    store.seal(folder, store.Manifest(format=1, pstgen="0.1.0", items=written, refused=[], **counted))
    return folder
