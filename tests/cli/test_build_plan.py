"""What `pstgen build --dry-run` prints."""

import json
import re

from click.testing import CliRunner

from pstgen.cli import build_plan, main

SMALL = ["build", "--source", "world", "--scenes", "90", "--vlm", "none", "--dry-run"]


def run(*words):
    return CliRunner().invoke(main, list(map(str, words)), env={"COLUMNS": "120"})


def test_the_table_names_every_figure_its_bound_and_where_it_is_from(tmp_path):
    result = run(*SMALL, "--rate", "100", "--out", tmp_path / "pst")
    assert result.exit_code == 0, result.output
    rows = dict(re.findall(r"^ (\S.*?)  +(\S.*?) *$", result.stdout, re.MULTILINE))
    assert re.fullmatch(r"[\d,]+ +24,400 +measured: the world", rows["questions to lm"])
    assert rows["parameters"].endswith("counted: configuration")
    assert rows["time of one device"].endswith("given: 100 questions a second")
    assert list(tmp_path.iterdir()) == []


def test_as_json_figures_are_plain_numbers(tmp_path):
    result = run(*SMALL, "--json", "--out", tmp_path / "pst")
    costs = {(row["part"], row["name"]): row for row in json.loads(result.stdout)["cost"]}
    questions = costs["--lm", "questions to lm"]
    assert 0 < questions["number"]["expected"] < questions["number"]["most"] == 24_400
    assert questions["basis"] == "measured: the world"
    assert costs["device", "time of one device"]["number"] is None


def test_figures_are_in_the_unit_that_fits():
    assert [build_plan.figure(*each) for each in ((0.5, "money"), (3e9, "bytes"), (90.0, "s"))] == [
        "0.50",
        "3.0 GB",
        "1.5 min",
    ]
