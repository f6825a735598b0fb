"""Models are ranked by the pairs that they win, on a page that takes no name for markup and loads nothing."""

import re

import pytest

from pstgen.core.records import BadInput
from pstgen.evaluation import leaderboard
from pstgen.evaluation.stress_result import Figure, Group, StressResult

HOSTILE = "<script>alert(1)</script> & \"co\" 'x' {{ 7 * 7 }}"


def figure(share):
    return Figure(share, share - 0.1, share + 0.1, share - 0.1, share + 0.1, 100)


def result(model, won, *, blind=True, seal="5ea1", answered=200):
    whole = {"pairs": figure(won), "items": figure(0.7), "invalid_rate": figure(0.12), "lure_rate": figure(0.31)}
    whole |= {"blind/control": figure(0.87), "blind/stress": figure(0.16)} if blind else {}
    parts = [
        Group("words", name, 0.25, {"pairs": figure(share)})
        for name, share in (("neutral", 0.44), ("misleading", 0.22))
    ]
    return StressResult(
        format=1, pstgen="", model=model, revision="", way="", set_seal=seal, selected_by=False, items=200,
        answered=answered, incomplete=0, groups=[Group("all", "all", 0.25, whole), *parts], won={"a": True}, answers={},
        blind={}, neutral={},
    )  # fmt: skip


def test_the_best_comes_first_and_of_equals_the_first_by_name():
    ranked = leaderboard.rank([result("c", 0.4), result("b", 0.6), result("a", 0.4)])
    assert [found.model for found in ranked] == ["b", "a", "c"]


def test_results_on_different_sets_or_of_one_name_are_refused():
    with pytest.raises(BadInput, match="a and b were given different sets"):
        leaderboard.rank([result("a", 0.4), result("b", 0.4, seal="another")])
    with pytest.raises(BadInput, match=r"two results are called 'a': .*--name"):
        leaderboard.rank([result("a", 0.4), result("a", 0.5)])


def test_a_hostile_name_stays_text():
    page = leaderboard.page(leaderboard.rank([result(HOSTILE, 0.5), result("b", 0.4)]))
    assert "<script" not in page
    assert "&lt;script&gt;alert(1)&lt;/script&gt; &amp; &#34;co&#34;" in page
    assert "{{ 7 * 7 }}" in page


def test_a_hostile_seal_stays_text():
    assert "<img" not in leaderboard.page([result("a", 0.4, seal="<img src=x>")])


def test_the_page_loads_nothing():
    page = leaderboard.page([result("a", 0.4)])
    assert not re.search(r"""(src|href)\s*=|url\(|@import|<script|<link|https?://(?!www\.w3\.org)""", page)


def test_the_page_has_every_figure_and_a_dash_where_nothing_was_measured():
    page = leaderboard.page([result("a", 0.5), result("b", 0.4, blind=False)])
    rows = {cells[0]: cells[1:] for cells in _rows(page)}
    assert rows["a"] == ["44.0", "22.0", "31.0", "-", "12.0", "87.0", "16.0"]
    assert rows["b"] == ["44.0", "22.0", "31.0", "-", "12.0", "-", "-"]
    assert "a coin that is thrown for each picture wins 25.0%" in page


def _rows(page):
    table = page[page.index('<table class="figures">') :]
    heads = len(re.findall("<th>", table))
    for row in re.findall(r"<tr>(<td>.*?)</tr>", table, re.DOTALL):
        cells = [re.sub("<small>.*?</small>|<[^>]+>", "", cell).strip() for cell in re.findall(r"<td>.*?</td>", row)]
        assert len(cells) == heads
        yield cells


def test_who_answered_a_part_is_named():
    page = leaderboard.page([result("whole", 0.5), result("part", 0.4, answered=90)])
    assert "part answered 90 of 200 items; only whole pairs count." in page
    assert "whole answered" not in page
