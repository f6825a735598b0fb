"""results.json is read back as it was written, and keeps to the schema in docs."""

from pathlib import Path

import msgspec
import pytest

from pstgen.cli import tables
from pstgen.evaluation import results
from pstgen.training import recipe as recipes
from pstgen.training.recipe import Recipe

DOCS = Path(__file__).parents[2] / "docs"
SCHEMA, PUBLISHED = DOCS / "results.schema.json", DOCS / "results"


def test_the_schema_in_docs_is_the_records():
    assert msgspec.json.decode(SCHEMA.read_bytes()) == results.schema()


def test_results_are_read_back_as_they_were_written(results_of, tmp_path):
    made = results_of(seeds=2, systems=["standard", "agent"])
    results.write(made, tmp_path)
    assert msgspec.json.encode(results.read(tmp_path)) == msgspec.json.encode(made)
    assert [file.name for file in tmp_path.iterdir()] == [results.FILE]


def test_a_field_less_or_more_is_no_results(results_of, tmp_path):
    results.write(results_of(seeds=1, systems=["standard"]), tmp_path)
    fields = msgspec.json.decode((tmp_path / results.FILE).read_bytes())
    for spoilt in (fields | {"host": "here"}, {name: fields[name] for name in fields if name != "command"}):
        (tmp_path / results.FILE).write_bytes(msgspec.json.encode(spoilt))
        with pytest.raises(msgspec.ValidationError):
            results.read(tmp_path)


def test_the_command_prints_every_system_and_why_a_figure_is_absent(results_of, capsys):
    made = results_of(seeds=3)
    tables.trained(made)
    shown = capsys.readouterr().out
    lines = {line.split()[0]: line for line in shown.splitlines() if line.startswith(" ")}
    assert lines.keys() >= {arm.system for arm in made.arms} | {"controls"}
    assert f"{made.intervals['standard']['pst/pair'][0]:.1f} ±" in lines["standard"]
    assert "- stands for GQA, all: no files of GQA were given" in shown
    assert "answers with the weights of standard" in " ".join(shown.split())


@pytest.mark.parametrize(("width", "heading"), [("80", "PST   PST"), ("200", "PST pairs PST items")])
def test_the_table_fits_80_columns_and_parts_no_words_where_there_is_room(width, heading, monkeypatch, capsys):
    monkeypatch.setenv("COLUMNS", width)
    tables.trained(results.read(PUBLISHED))
    printed = capsys.readouterr().out
    assert heading in printed
    assert "\N{HORIZONTAL ELLIPSIS}" not in printed


@pytest.mark.parametrize(("name", "folder"), [("small", "."), ("medium", "medium"), ("driving", "driving")])
def test_the_published_results_are_those_of_our_recipes(name, folder):
    """What docs/results holds can be read, and was made by the recipe that has its name."""
    found, recipe = results.read(PUBLISHED / folder), recipes.read(name)
    ran = msgspec.convert(found.recipe, Recipe)
    assert msgspec.structs.replace(ran, systems=recipe.systems) == recipe
    assert {arm.system for arm in found.arms} == set(recipe.systems)
