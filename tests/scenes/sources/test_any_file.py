"""Whatever is changed in an annotation file, it is read, or what is wrong is named: never a traceback."""

import copy
import json
import os
from contextlib import suppress

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from PIL import Image

from pstgen.core.config import build_config
from pstgen.core.records import BadInput
from pstgen.core.report import Report
from pstgen.questions import facts
from pstgen.scenes import coco_files
from pstgen.scenes.sources import coco

FUZZ = int(os.environ.get("PSTGEN_FUZZ", "0"))  # examples that are drawn anew; by default the same ones
EXAMPLES = FUZZ or 500
POLYGON = [[4, 4, 30, 4, 30, 30, 4, 30]]
ROW = {
    "id": 1,
    "image_id": 1,
    "category_id": 1,
    "bbox": [4, 4, 26, 26],
    "area": 676,
    "iscrowd": 0,
    "segmentation": POLYGON,
}
VALID = {
    "info": {"complete": True},
    "licenses": [{"id": 1, "name": "CC0"}],
    "images": [{"id": n, "file_name": f"{n}.png", "width": 48, "height": 48, "license": 1} for n in (1, 2)],
    "annotations": [
        ROW,
        ROW | {"id": 2, "category_id": 2, "segmentation": {"size": [48, 48], "counts": [0, 1200, 1104]}},
        ROW
        | {"id": 3, "image_id": 2, "category_id": 2, "keypoints": [9, 9, 2, 20, 20, 1], "color": "red", "depth": 2.5},
    ],
    "categories": [{"id": 1, "name": "cup"}, {"id": 2, "name": "person", "keypoints": ["nose", "left_wrist"]}],
}
ODD = st.one_of(
    st.none(), st.booleans(), st.integers(), st.floats(allow_nan=False, allow_infinity=False), st.text(max_size=6),
    st.sampled_from(["1", "true", [], {}, [[]], [1, 2], [[1, 2, 3]], -1, 0, 1e300, 2**70, "../x.png", "a\\\\b.png", {"size": [1, 1], "counts": "x"}]),
)  # fmt: skip


def places(value, path=()):
    """Every place in a JSON value."""
    keys = value.keys() if isinstance(value, dict) else range(len(value)) if isinstance(value, list) else ()
    for key in keys:
        yield (*path, key)
        yield from places(value[key], (*path, key))


PLACES = list(places(VALID))


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    made = tmp_path_factory.mktemp("any")
    for n in (1, 2):
        pixels = np.random.default_rng(n).integers(0, 255, (48, 48, 3), np.uint8)
        Image.fromarray(pixels).save(made / f"{n}.png")
    return made


@settings(
    max_examples=EXAMPLES,
    derandomize=not FUZZ,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
    deadline=None,
)
@given(st.lists(st.tuples(st.sampled_from(PLACES), st.none() | ODD.map(lambda odd: [odd])), min_size=1, max_size=3))
def test_a_changed_file_is_read_or_refused_in_one_line(folder, changes):
    """changes: places, and what stands there instead; None takes it away."""
    changed = copy.deepcopy(VALID)
    for place, instead in changes:
        with suppress(KeyError, IndexError, TypeError):  # an earlier change took the place away
            *above, key = place
            inner = changed
            for step in above:
                inner = inner[step]
            if instead:
                inner[key] = copy.deepcopy(instead[0])  # the same list, put into itself, has no end
            else:
                del inner[key]
    file, report = folder / "mine.json", Report()
    file.write_text(json.dumps(changed))
    coco_files.read.cache_clear()
    coco_files._repaired.cache_clear()
    config = build_config(annotations=file)
    with suppress(BadInput):
        entries = coco.index(config)
        scenes = list(coco.scenes(config, lambda _: True, report.refused))
        list(coco.notes(config))
        known = list(facts.known(scenes, config, report))
        named = {refusal.record for refusal in report.refused.records if refusal.record.startswith("image")}
        assert len(known) + len(named) >= len(entries)
