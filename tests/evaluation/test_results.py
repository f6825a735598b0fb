"""results.json is read back as it was written, and keeps to the schema in docs."""

from pathlib import Path

import msgspec
import pytest

from pstgen.cli import tables
from pstgen.core import plugins
from pstgen.evaluation import results
from pstgen.training import recipe as recipes
from pstgen.training.recipe import Recipe

SCHEMA = Path(__file__).parents[2] / "docs" / "results.schema.json"


def test_the_schema_in_docs_is_the_records():
    assert msgspec.json.decode(SCHEMA.read_bytes()) == results.schema()


def test_results_are_read_back_as_they_were_written(results_of, tmp_path):
    told = results_of(seeds=2, systems=["standard", "agent"])
    results.write(told, tmp_path)
    assert msgspec.json.encode(results.read(tmp_path)) == msgspec.json.encode(told)
    assert [file.name for file in tmp_path.iterdir()] == [results.FILE]


def test_a_field_less_or_more_is_no_results(results_of, tmp_path):
    results.write(results_of(seeds=1, systems=["standard"]), tmp_path)
    told = msgspec.json.decode((tmp_path / results.FILE).read_bytes())
    for spoilt in (told | {"host": "here"}, {name: told[name] for name in told if name != "command"}):
        (tmp_path / results.FILE).write_bytes(msgspec.json.encode(spoilt))
        with pytest.raises(msgspec.ValidationError):
            results.read(tmp_path)


def test_the_command_prints_every_system_and_why_a_figure_is_absent(results_of, capsys):
    told = results_of(seeds=3)
    tables.trained(told)
    shown = capsys.readouterr().out
    lines = {line.split()[0]: line for line in shown.splitlines() if line.startswith(" ")}
    assert lines.keys() >= {arm.system for arm in told.arms} | {"controls"}
    assert f"{told.intervals['standard']['pst/pair'][0]:.1f} ±" in lines["standard"]
    assert "- stands for GQA, all: no files of GQA were given" in shown
    assert "answers with the weights of standard" in " ".join(shown.split())


@pytest.mark.parametrize(("name", "folder"), [("small", "."), ("medium", "medium")])
def test_the_published_results_are_those_of_our_recipes(name, folder):
    """What docs/results holds can be read, and was made by the recipe that has its name."""
    found, recipe = results.read(Path(__file__).parents[2] / "docs" / "results" / folder), recipes.read(name)
    assert msgspec.convert(found.recipe, Recipe) == recipe
    assert {arm.system for arm in found.arms} == set(recipe.systems or plugins.names("systems"))
