"""Promises about the tree itself: its shape, its figures, and that what it says of itself is there."""

import importlib.util
import re
import subprocess
import sys
from pathlib import Path

import pytest

from pstgen.core import plugins, resources
from pstgen.core.records import BadInput

ROOT = Path(__file__).parents[1]
SOURCES = sorted((ROOT / "pstgen").rglob("*.py"))
PAGES = [
    ROOT / "README.md",
    ROOT / "SECURITY.md",
    *sorted((ROOT / "docs").rglob("*.md")),
    ROOT / "benchmarks" / "gpu" / "README.md",
]
FILE = re.compile(
    r"(?<![\w/*{-])(?:[\w-]+/)*[\w-]+\.py\b|(?<![\w/*{.-])(?:pstgen|templates|data_sources|tests|docs|benchmarks|examples)/[\w/-]+\.\w+"
)
LINK = re.compile(r"\]\((?!http|#)([^)#\s]+)")
TESTED_IN = {  # modules whose tests stand elsewhere: the file or folder that has them
    "scenes/picture_features": "verification/checks/test_image_probe.py",
    "cli/__init__": "test_cli.py",
    "cli/shared": "cli/test_build.py",
    "cli/versions": "dataset/test_difference.py",
    "core/callable_module": "test_examples.py",
    "core/config": "cli/test_build.py",
    "core/memo": "scenes",
    "core/plugins": "test_plugins.py",
    "core/reasons": "cli/test_build.py",
    "core/records": "test_contracts.py",
    "core/report": "cli/test_build.py",
    "core/resources": "test_house.py",
    "dataset/atomic": "dataset/test_store.py",
    "dataset/rationale": "dataset/test_store.py",
    "dataset/rendering": "test_build.py",
    "dataset/rows": "dataset/test_store.py",
    "dataset/sampling": "cli/test_build.py",
    "dataset/schema": "dataset/test_store.py",
    "dataset/sealing": "dataset/test_store.py",
    "cli/inspect_tables": "cli/test_inspection.py",
    "evaluation/inference": "test_train_eval.py",
    "evaluation/report/curves": "evaluation/report/test_plots.py",
    "evaluation/report/style": "evaluation/report/test_plots.py",
    "models/answerer": "training/systems/test_systems.py",
    "models/from_scratch": "training/test_stages.py",
    "models/hooks": "evaluation/metrics/test_attention.py",
    "models/huggingface": "models/judges/test_judges.py",
    "models/journal": "models/engines/test_local.py",
    "models/witnesses": "models/test_detector.py",
    "pairs/context": "pairs/twins/test_matched.py",
    "pairs/edits": "pairs/twins/test_edits.py",
    "pairs/image_ops": "pairs/twins/test_edits.py",
    "questions/benchmarks/gqa": "questions/benchmarks/test_files.py",
    "questions/benchmarks/gqa_programs": "questions/benchmarks/test_synthetic.py",
    "questions/benchmarks/vqa_v2": "questions/benchmarks/test_files.py",
    "questions/comparison": "questions/families/test_depth.py",
    "scenes/coco_files": "scenes/sources/test_coco.py",
    "scenes/coco_format": "scenes/sources/test_coco.py",
    "scenes/coco_repair": "scenes/sources/test_coco.py",
    "scenes/coco_things": "scenes/sources/test_coco.py",
    "scenes/corners": "scenes/sources/test_coco.py",
    "scenes/folders": "scenes/sources/test_coco.py",
    "scenes/masks": "scenes/sources/test_coco.py",
    "scenes/pixels": "scenes/sources/test_coco.py",
    "verification/giveaways": "verification/test_attack_page.py",
    "verification/choices": "verification/readers/test_readers.py",
    "verification/forest": "verification/attackers/test_attackers.py",
    "verification/likelihood": "verification/attackers/test_models.py",
    "verification/trust": "verification/test_forged.py",
    "verification/wellformed": "verification/test_forged.py",
    "verification/tables": "verification/readers/test_readers.py",
    "scenes/truth/contact": "questions/families/test_overlap.py",
    "scenes/truth/layout": "questions/families/test_relation.py",
    "scenes/truth/number": "questions/families/test_count.py",
    "scenes/truth/presence": "questions/families/test_existence.py",
    "scenes/truth/skeleton": "questions/families/test_pose.py",
    "training/encoder_stage": "training/test_stages.py",
    "training/joint_stage": "training/test_stages.py",
    "training/modeling": "training/test_llava.py",
    "training/trainer": "training/test_stages.py",
    "training/world_batches": "training/test_world_models.py",
    "training/world_examples": "training/test_world_models.py",
    "verification/agreement": "verification/test_annotations.py",
    "verify": "verification/test_certificate.py",
}


def look():
    """benchmarks/look.py as a module."""
    spec = importlib.util.spec_from_file_location("look", ROOT / "benchmarks" / "look.py")
    module = sys.modules["look"] = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.mark.parametrize("figure", look().figures(), ids=lambda figure: figure.name)
def test_a_figure_of_the_tree_holds(figure):
    assert figure.holds, f"{figure.value:g}; see `make look`"


def test_every_module_has_its_tests():
    """Its own file in the same place, one of its folder (of plug-ins, whose contract is tested together), or a line above."""
    tests, missing = ROOT / "tests", []
    for path in SOURCES:
        module = path.relative_to(ROOT / "pstgen").with_suffix("")
        beside = [
            tests / module.parent / f"test_{module.name}.py",
            tests / module.parent / f"test_{module.parent.name}.py",
        ]
        elsewhere = TESTED_IN.get(str(module))
        plugin = f"pstgen.{str(module.parent).replace('/', '.')}" in plugins.FOLDERS.values()
        if elsewhere:
            assert (tests / elsewhere).exists(), elsewhere
        elif module.name not in {"__init__", "__main__"} and not plugin and not any(file.is_file() for file in beside):
            missing.append(str(module))
    assert missing == []


@pytest.mark.parametrize("page", [*PAGES, *SOURCES], ids=lambda path: str(path.relative_to(ROOT)))
def test_every_file_that_is_named_is_there(page):
    """In pages by their links, and in pages, docstrings and comments by their names; x.py stands for any."""
    text = page.read_text()
    names = set(FILE.findall(text)) if page.suffix == ".md" else {name for name in FILE.findall(text) if "/" in name}
    places = (ROOT, ROOT / "pstgen", page.parent, ROOT / "benchmarks", ROOT / "docs", ROOT / "examples", ROOT / "tests")
    missing = [name for name in names if not any((place / name).exists() for place in places)]
    missing = [name for name in missing if not re.search(r"(^|/)(test_)?x\.\w+$", name)]
    if page.suffix == ".md":
        missing += [link for link in LINK.findall(text) if not (page.parent / link).exists()]
    assert missing == []


@pytest.mark.parametrize("name", plugins.names("families"))
def test_a_family_has_its_templates(name):
    assert name in {Path(file.name).stem for file in resources.folder("templates").iterdir()}


def test_an_unknown_name_says_what_there_is():
    with pytest.raises(BadInput, match="relation"):
        plugins.load("families", "relations")


@pytest.mark.parametrize("name", resources.FOLDERS)
def test_data_folders_are_found(name):
    assert any(file.name.endswith(".yaml") for file in resources.folder(name).iterdir())


@pytest.mark.parametrize(
    ("modules", "unwanted"),
    [
        ("pstgen", {"numpy", "torch", "transformers", "sklearn", "click"}),
        ("pstgen.cli, pstgen.build, pstgen.verify", {"torch", "transformers", "sklearn"}),
        ("pstgen.verification.attackers.blinded_tuned, pstgen.models.judges.vlm", {"torch", "transformers"}),
    ],
)
def test_nothing_heavy_is_imported_before_it_is_needed(modules, unwanted):
    code = f"import sys, {modules}; print({unwanted} & set(sys.modules))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "set()"


def test_the_roads_are_called_by_the_packages_name():
    import pstgen

    assert callable(pstgen.build)
    assert callable(pstgen.verify)
    with pytest.raises(AttributeError, match="demolish"):
        _ = pstgen.demolish


def test_dependencies_point_one_way():
    """import-linter's contracts of pyproject.toml hold."""
    lint = Path(sys.executable).with_name("lint-imports")
    result = subprocess.run([lint, "--no-cache"], capture_output=True, text=True, check=False)
    assert result.returncode == 0, result.stdout
