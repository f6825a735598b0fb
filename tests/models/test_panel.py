"""Who decides: blind judges, and of models those that beat chance on ordinary questions."""

from dataclasses import dataclass, replace

import numpy as np
import pytest

from pstgen.core.config import build_config
from pstgen.core.progress import silent
from pstgen.core.records import Item, Verdict
from pstgen.core.report import Report
from pstgen.models.panel import Panel

THINGS = [f"thing {n}" for n in range(60)]


def item(n, thing, answer):
    return Item(
        item_id=f"i{n:04}", pair_id=f"p{n}", role="control", scene_id=f"s{n}", image="", family="existence", form="there",
        about=(thing,), frame="neutral", question=f"Is there a {thing}?", neutral=f"Is there a {thing}?",
        options=("no", "yes"), answer=answer, lure="no",
    )  # fmt: skip


@dataclass
class Model:
    """Says "no" to everything, more so the less it expects."""

    name: str
    knows: bool
    sees: bool = False
    durable: bool = True
    revision: str = "1"

    def key(self, item):
        return f"{self.name}{item.item_id}"

    def answer(self, items):
        for one in items:
            expected = one.answer == "yes" if self.knows else one.item_id[-1] in "02468"
            yes = 0.2 if expected else 0.1
            yield Verdict(item_id=one.item_id, judge=self.name, logprobs=(float(np.log(1 - yes)), float(np.log(yes))))


@pytest.fixture
def examples():
    """Ordinary questions, two in three of which are answered "no"."""
    return [item(n, thing, ("no", "yes")[n % 3 == 0]) for n, thing in enumerate(THINGS)]


@pytest.fixture
def empty(monkeypatch, tmp_path):
    """A panel that has not asked anything yet; the last of its judges is as it is after learning all that there is."""
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    judges = [Model("knows", knows=True), Model("guesses", knows=False), Model("sees", knows=True, sees=True)]
    judges.append(Model("counted", knows=True, durable=False))
    return Panel(judges, build_config(), Report(), silent)


@pytest.fixture
def panel(empty, examples):
    empty.calibrate(examples, {"counted": Model("counted", knows=True, durable=False)})
    return empty


def test_a_judge_that_is_no_better_than_chance_does_not_decide_and_the_run_says_so(panel):
    assert [judge.name for judge in panel.deciding] == ["knows", "counted"]
    assert [judge.name for judge in panel.others] == ["guesses", "sees"]
    (note,) = panel.report.notes
    assert note.startswith("guesses is recorded and does not decide: of 60 ordinary questions")
    assert {name: details.get("decides") for name, details in panel.report.models.items()} == {
        "knows": True, "guesses": False, "sees": None, "counted": True,
    }  # fmt: skip
    assert panel.report.models["knows"]["ordinary questions"] == {
        "of": 60, "right": 60, "right uncalibrated": 40, "by chance": 40.0,
    }  # fmt: skip


def test_its_habit_is_taken_away_and_the_raw_scores_stay(panel, examples):
    """It says "no" to all; calibrated, what it expects less is still "no", what it expects more is "yes"."""
    verdicts = list(panel.answer(panel.judges[0], examples))
    assert all(verdict.logprobs[0] > verdict.logprobs[1] for verdict in verdicts)
    assert [one.options[verdict.choice] for one, verdict in zip(examples, verdicts, strict=True)] == [
        one.answer for one in examples
    ]


def test_every_blind_judge_is_calibrated_and_those_that_see_are_not(panel, examples):
    assert set(panel.calibrations) == {"knows", "guesses", "counted"}
    for judge in panel.judges:
        assert all(bool(verdict.calibrated) != judge.sees for verdict in panel.answer(judge, examples))


def test_a_judge_that_learns_answers_as_it_is_without_having_learnt_the_questions(empty, examples):
    """With them it knows all the answers: that shows nothing."""
    empty.calibrate(examples, {"counted": Model("counted", knows=False, durable=False)})
    assert "counted" not in {judge.name for judge in empty.deciding}
    assert empty.report.models["counted"]["decides"] is False
    verdicts = list(empty.answer(empty.judges[-1], examples))
    assert [one.options[verdict.choice] for one, verdict in zip(examples, verdicts, strict=True)] == [
        one.answer for one in examples
    ]


def test_a_judge_that_takes_its_habits_away_itself_is_left_as_it_is(empty, examples):
    class Own(Model):
        def answer(self, items):
            return (replace(verdict, calibrated=(-0.1, -2.5)) for verdict in super().answer(items))

    empty.judges = [Own("own", knows=True, durable=False)]
    empty.calibrate(examples, {})
    assert {verdict.calibrated for verdict in empty.answer(empty.judges[0], examples)} == {(-0.1, -2.5)}


def test_without_ordinary_questions_no_blind_judge_decides(empty):
    empty.calibrate([], {})
    assert empty.deciding == []
    assert [judge.name for judge in empty.others] == ["knows", "guesses", "sees", "counted"]
