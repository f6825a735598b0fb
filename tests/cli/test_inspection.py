"""`pstgen inspect` says what a source holds and what can be asked of it, and writes nothing."""

import json

import pytest
from click.testing import CliRunner

from pstgen.cli import main
from pstgen.cli.inspection import inspect
from pstgen.core.config import WorldConfig, build_config
from pstgen.scenes import coco_files
from pstgen.scenes.world import files

THINGS = ("existence", "count", "colour", "relation", "pointing")


@pytest.fixture(scope="module")
def annotations(tmp_path_factory):
    """The world in COCO's layout, of which nothing is known to be complete: as photographs without captions."""
    root = tmp_path_factory.mktemp("world")
    files.write(WorldConfig(n=60, size=96), root)
    return root / "annotations" / "instances_world.json"


@pytest.fixture
def changed(annotations):
    """A copy of the file with its rows changed, beside it."""

    def change(name, edit):
        rows = json.loads(annotations.read_text())
        for row in rows["annotations"]:
            edit(row)
        file = annotations.with_name(f"{name}.json")
        file.write_text(json.dumps(rows))
        return file

    return change


def look(file, images=None):
    coco_files.read.cache_clear()
    return inspect(build_config(annotations=file, images=images, families=THINGS, prior_base="world"))


def test_what_is_there_is_counted_as_the_file_has_it(annotations):
    rows = json.loads(annotations.read_text())
    found = look(annotations)
    items = found.scenes["for items"]
    assert items + found.scenes["that feed the prior"] == len(rows["images"])
    assert 0 < found.things < len(rows["annotations"])
    assert found.masks == found.things
    assert 0 < found.joints < found.things
    assert found.captioned == items
    assert found.sizes == ((96, 96), (96, 96))
    assert found.licences == [("cc0 (1)", len(rows["images"]))]
    assert {kind.category for kind in found.kinds} == {row["name"] for row in rows["categories"]}
    assert {family.name for family in found.families} == set(THINGS)
    assert found.pairs == sum(family.pairs for family in found.families) > 0


def test_boxes_alone_let_ask_what_needs_no_mask(annotations, changed):
    """Oracle: the same scenes with masks."""
    whole = {family.name: family for family in look(annotations).families}
    boxes = look(changed("boxes", lambda row: row.pop("segmentation")), annotations.parent.parent / "world")
    of_boxes = {family.name: family for family in boxes.families}
    assert boxes.masks == 0
    for name in ("existence", "count", "relation"):
        assert of_boxes[name].known == pytest.approx(whole[name].known, rel=0.2)
    assert of_boxes["pointing"].known == 0 < whole["pointing"].known


@pytest.mark.parametrize("flags", [[], ["--json"]])
def test_the_command_prints_it_for_people_and_for_programs(annotations, flags, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    command = [
        "inspect",
        "--annotations",
        str(annotations),
        "--family",
        "count",
        "--prior-base",
        "world",
        "--limit",
        "20",
    ]
    result = CliRunner().invoke(main, [*command, *flags])
    assert result.exit_code == 0, result.output
    if flags:
        assert json.loads(result.stdout)["families"][0]["name"] == "count"
    else:
        assert "with a mask" in result.stdout
        assert "candidate pairs" in result.stdout
        assert "licences   60 cc0 (1)" in result.stdout
    assert not list(tmp_path.iterdir())
