"""Linear probes: a model whose encoder knows where its patches are, one that does not, and the eye on scenes of the world."""

import copy
from dataclasses import replace
from pathlib import Path

import pytest

from pstgen.core import resources
from pstgen.core.config import build_config
from pstgen.core.records import Unavailable
from pstgen.core.report import Refusals
from pstgen.dataset import targets
from pstgen.dataset.rows import Row
from pstgen.evaluation.metrics import probes
from pstgen.models import from_scratch
from pstgen.models.huggingface import Model
from pstgen.scenes import sources


def rows(painted, pairs, number):
    """A square each, here and there."""
    items = [item for item in pairs(number) if item.role == "stress"]
    return [painted(item, at=(8 * (n % 4), 8 * (n // 4 % 4)), side=4 + 4 * (n % 2)) for n, item in enumerate(items)]


def test_a_place_is_read_only_where_the_encoder_has_one(llava, painted, pairs):
    some, knowing = rows(painted, pairs, 120), copy.copy(llava)
    knowing.model = copy.deepcopy(llava.model)
    from_scratch.add_position_codes(knowing.model.model.vision_tower, 1.0)
    knows, does_not = (probes.score(model, some).figures for model in (knowing, llava))
    assert min(knows[f"encoder/{target}"] for target in ("column", "row")) > 0.9
    assert max(does_not[f"encoder/{target}"] for target in ("column", "row")) < 0.2
    assert set(knows) >= {f"{stage}/{target}" for stage in probes.STAGES for target in ("column", "row", "size")}


def test_what_no_scene_tells_is_absent_with_the_reason(llava, painted, pairs):
    scores = probes.score(llava, rows(painted, pairs, 40))
    assert "fewer than" in scores.absent["encoder/depth"]
    assert "fewer than" in scores.absent["language/number"]  # there is one thing in every image
    assert not scores.figures.keys() & scores.absent.keys()


def test_no_scene_is_read_by_a_map_that_was_fitted_to_it(llava, painted, pairs):
    """Of edits of one scene none is left to fit to."""
    edits = [
        replace(row, scene=replace(row.scene, id=f"world/1+edit-{n}")) for n, row in enumerate(rows(painted, pairs, 40))
    ]
    assert probes.score(llava, edits).figures == {}


def test_a_model_of_another_kind_is_refused_in_words(llava, painted, pairs):
    other = copy.copy(llava)
    other.model = copy.deepcopy(llava.model)
    other.model.config.model_type = "qwen3_vl"
    with pytest.raises(Unavailable, match="qwen3_vl"):
        probes.score(other, rows(painted, pairs, 4))


def test_the_eye_knows_where_how_large_and_how_far(item):
    config = build_config(source="world", scenes=60, size=64, vlm="none", typicality=0.0)
    scenes = sources.load("world").scenes(config, lambda _: True, Refusals())
    some = [
        Row(item=item(f"{n:02}", f"p{n}"), scene=scene, image=Path(scene.path).read_bytes(), suffix=".png",
            targets=(targets.load("depth").render(scene, ()),))
        for n, scene in enumerate(scenes)
    ]  # fmt: skip
    figures = probes.score(Model(str(resources.model_folder("eye")), "cpu"), some).figures
    assert figures["encoder/column"] > 0.5
    assert min(figures[f"{stage}/{target}"] for stage in probes.STAGES for target in ("row", "depth")) > 0.5
