"""A result in sentences says what was won beside a coin, what the model guesses, and what is missing."""

import pytest

from pstgen.evaluation import stress_summary
from pstgen.evaluation.stress_result import Figure, Group, StressResult


def figure(share, n=50):
    return Figure(share, share / 2, (1 + share) / 2, 0, 1, n)


def said(more=None, **fields):
    figures = {"pairs": figure(0.4), "items": figure(0.7), "invalid_rate": figure(0.0)} | (more or {})
    plain = {
        "format": 1, "pstgen": "", "model": "eye", "revision": "", "way": "", "set_seal": "", "selected_by": False, "items": 100,
        "answered": 100, "incomplete": 0, "won": {}, "answers": {}, "blind": {}, "neutral": {},
    }  # fmt: skip
    return list(stress_summary.lines(StressResult(groups=[Group("all", "all", 0.25, figures)], **plain | fields)))


WON = "eye wins 40.0% [20.0, 70.0] of 50 pairs; a coin thrown for each picture wins 25.0%, words alone none."


def test_of_a_whole_result_only_what_was_won_is_said():
    assert said() == [WON]


@pytest.mark.parametrize(
    ("more", "fields", "line"),
    [
        ({"blind/control": figure(0.9), "blind/stress": figure(0.1)}, {}, "right on 90.0% of the control twins"),
        (
            {"flip_rate": figure(0.2, 30)},
            {},
            "Misleading words change 20.0% of its answers to the same image (30 items).",
        ),
        ({"invalid_rate": figure(0.03)}, {}, "3.0% of its answers name no option, or several; they count as wrong."),
        ({}, {"selected_by": True}, "It was a judge of this set"),
        ({}, {"answered": 1_240, "items": 2_000}, "1,240 of the set's 2,000 items were answered."),
        ({}, {"incomplete": 1_007}, "1,007 pairs lack an answer to a twin, and no figure counts them."),
    ],
)
def test_each_thing_that_a_reader_should_know_has_its_sentence(more, fields, line):
    first, second = said(more, **fields)
    assert first == WON
    assert line in second
