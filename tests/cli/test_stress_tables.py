"""What `pstgen eval`, `leaderboard` and `mini` print fits into 80 columns, and a name cannot command the terminal."""

import pytest

from pstgen.cli import stress_tables
from pstgen.evaluation.grounding import Chance, GroundedGroup, GroundedItem, GroundingResult, Mean
from pstgen.evaluation.mini import Mini, Shares
from pstgen.evaluation.stress_comparison import Comparison
from pstgen.evaluation.stress_result import Figure, Group, StressResult

HOSTILE = "[red]x[/red]\x1b[31m:smile:"
NAMES = (
    "pairs",
    "items",
    "stress",
    "control",
    "lure_rate",
    "invalid_rate",
    "blind/lure_rate",
    "blind/stress",
    "blind/control",
)


@pytest.fixture(autouse=True)
def _narrow(monkeypatch):
    monkeypatch.setenv("COLUMNS", "80")


def result(model, share=1.0, *, blind=True):
    """With the longest names and numbers that there are."""
    figure = Figure(share, 1.0, 1.0, 1.0, 1.0, 12_345)
    figures = {name: figure for name in NAMES if blind or not name.startswith("blind")}
    groups = [("all", "all"), ("words", "neutral"), ("words", "misleading"), ("family", "combination"), ("frame", "presupposition"), ("direction", "unexpected, present")]  # fmt: skip
    return StressResult(
        format=1, pstgen="", model=model, revision="", way="", set_seal="", selected_by=True, items=9, answered=8, incomplete=1,
        groups=[Group(kind, name, 0.25, figures) for kind, name in groups], won={}, answers={}, blind={}, neutral={},
    )  # fmt: skip


def printed(capsys):
    text = capsys.readouterr().out
    assert "\N{HORIZONTAL ELLIPSIS}" not in text
    assert "\x1b" not in text
    assert all(len(line) <= 80 for line in text.splitlines())
    return text


def test_the_table_of_a_result_parts_no_word(capsys):
    stress_tables.result(result("Qwen/Qwen2.5-VL-3B-Instruct"))
    rows = [line[:13].strip() for line in printed(capsys).splitlines() if "12,345" in line]
    assert rows[:5] == ["neutral words", "misleading", "all", "combination", "lure is no"]


def test_without_blind_answers_there_are_no_blind_columns(capsys):
    stress_tables.result(result("a", blind=False))
    assert "blind\n" not in printed(capsys).partition("wins")[0]


def test_a_name_is_printed_as_it_is(capsys):
    stress_tables.result(result(HOSTILE))
    assert "[red]x[/red]" in printed(capsys)
    stress_tables.ranking([result(HOSTILE), result("b")])
    assert "[red]" in printed(capsys)


def test_a_long_name_is_shown_whole(capsys):
    stress_tables.ranking([result("HuggingFaceTB/SmolVLM-256M-Instruct")])
    shown = "".join(line[:20].strip() for line in printed(capsys).splitlines())
    assert "HuggingFaceTB/SmolVLM-256M-Instruct" in shown


def test_a_ranking_has_a_line_a_model_in_its_order(capsys):
    stress_tables.ranking([result("a", 0.875), result("b", 0.5, blind=False)])
    first, second = [line.split() for line in printed(capsys).splitlines() if line[:2] in {"a ", "b "}]
    assert first == ["a", "12,345", "87.5", "100-100", "87.5", "87.5", "87.5", "87.5"]
    assert second == ["b", "12,345", "50.0", "100-100", "50.0", "50.0", "50.0", "-"]


def test_a_comparison_is_two_sentences(capsys):
    stress_tables.comparison("a", "b", Comparison(1_200, 0.5, 0.625, -0.2, -0.05, 100, 250, 0.00123))
    said = " ".join(printed(capsys).split())
    assert "a wins 50.0% and b 62.5% of 1,200 pairs: a difference of -12.5 points [-20.0, -5.0]" in said
    assert "100 pairs are won by a alone, 250 by b alone; McNemar's exact test: p = 0.0012" in said


def test_a_mini_says_how_far_off_it_is_and_whether_the_order_is_kept(capsys):
    shares = [Shares("a", 0.5, 0.42, 0.05), Shares("b", 0.4, 0.48, 0.05), Shares("c", 0.1, 0.1, 0.03)]
    fields = {"format": 1, "pstgen": "", "set_seal": "", "by": "results", "whole": 1_000, "standard_error": 0.05}
    stress_tables.mini(Mini(**fields, shares=shares, pairs=["a"] * 100))
    said = " ".join(printed(capsys).split())
    assert "The largest difference is 8.0 points, and 1 of their pairs change places." in said
    assert "100 of 1,000 pairs, that tell these models apart best." in said
    stress_tables.mini(Mini(**fields, shares=[*shares[:1], *shares[2:]], pairs=["a"] * 100))
    assert "their order is kept" in printed(capsys)


def places(model, place):
    """With the longest names and numbers that there are."""
    figure = Figure(1.0, 1.0, 1.0, 1.0, 1.0, 12_345)
    boxes = place == "box"
    ways = ("whole image", "centre box") if boxes else ("random point",)
    groups = [
        GroundedGroup(kind=kind, name=name, pairs=figure, items=figure, invalid=figure, outside=figure,
            iou=Mean(1.0, 1.0, 1.0, 12_345) if boxes else None, chance={way: Chance(1.0, 1.0, 1.0) for way in ways})
        for kind, name in (("all", "all"), ("words", "neutral"), ("family", "combination"), ("direction", "unexpected, present"))
    ]  # fmt: skip
    return GroundingResult(
        format=1, pstgen="", model=model, revision="", place=place, coordinates="thousandths", set_seal="", items=9, left_out={},
        incomplete=0, other_units={}, groups=groups, grounded={}, answers={"a": GroundedItem(HOSTILE, None, right=False)},
    )  # fmt: skip


@pytest.mark.parametrize("place", ["point", "box"])
def test_the_table_of_places_fits_and_a_model_cannot_command_the_terminal(capsys, place):
    stress_tables.grounding(places(HOSTILE, place))
    text = printed(capsys)
    rows = [line[:13].strip() for line in text.splitlines() if "12,345" in line[:25]]
    assert rows == ["neutral words", "all", "combination", "lure is no"]
    assert ("IoU" in text.partition("grounds")[0]) == (place == "box")
    assert "It says, for one:" in text
