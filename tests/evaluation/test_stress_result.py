"""A result's figures are those that one works out by hand, and those of `pstgen.score`; a file that is none is refused."""

import random
from collections import Counter

import msgspec
import pytest

from pstgen.core.records import BadInput, Item
from pstgen.core.statistics import clopper_pearson
from pstgen.dataset.store import Manifest
from pstgen.evaluation import stress_result, stress_summary
from pstgen.evaluation.collateral import Drawn, Question
from pstgen.evaluation.metrics import pst
from pstgen.evaluation.model_answers import Answers

EMPTY = {name: {} for name in ("libraries", "settings", "origin", "funnel", "unknown", "unmade")}
BY_PST = {"pairs": "pair", "items": "item", "stress": "stress", "control": "control", "lure_rate": "lure_rate", "invalid_rate": "invalid_rate"}  # fmt: skip


def manifest(items, judges=None):
    return Manifest(
        format=1, pstgen="0.1.0", judges=judges or {}, items=len(items), refused=[], seal="of the set", **EMPTY
    )


def twins(pair, options=("red", "blue"), frame="neutral", family="colour", lure="blue", others=("red",)):
    """A control item, whose answer is the lure, and a stress item for each other answer."""
    neutral = "Which is it?"
    said = {"question": neutral if frame == "neutral" else f"Surely {lure}. Which is it?", "neutral": neutral}
    more = {"scene_id": "world/1", "image": "", "form": "of", "about": ("cup",), "frame": frame, "family": family}
    roles = [("control", lure), *(("stress", other) for other in others)]
    return [
        Item(item_id=f"{pair}-{'abcd'[n]}", pair_id=pair, role=role, answer=answer, options=options, lure=lure, **said, **more)
        for n, (role, answer) in enumerate(roles)
    ]  # fmt: skip


COLOURS = ("red", "blue", "green", "grey")
ITEMS = [
    *twins("a"),
    *twins("b", frame="leading"),
    *twins("c", options=("no", "yes"), family="existence", lure="yes", others=("no",)),
    *twins("d", options=("no", "yes"), family="existence", frame="leading", lure="no", others=("yes",)),
    *twins("e", options=COLOURS, others=("red", "green", "grey")),
]
RIGHT = {item.item_id: item.answer for item in ITEMS}
LURED = {item.item_id: item.lure for item in ITEMS}


def measured(seeing, items=ITEMS, judges=None, **more):
    return stress_result.result(items, Answers("model", seeing=seeing, **more), manifest(ITEMS, judges))


def shares(group):
    return {name: figure.share for name, figure in group.figures.items()}


def test_perfect_answers_win_every_pair():
    found = shares(measured(RIGHT).whole)
    assert found == {
        "pairs": 1, "items": 1, "stress": 1, "control": 1, "lure_rate": 0, "invalid_rate": 0, "yes_rate": 0.5,
    }  # fmt: skip


def test_whoever_always_says_the_lure_wins_no_pair():
    found = shares(measured(LURED).whole)
    assert (found["pairs"], found["control"], found["stress"], found["lure_rate"]) == (0, 1, 0, 1)
    assert found["items"] == pytest.approx(5 / 12)


def test_whoever_always_says_the_unexpected_wins_no_pair():
    found = shares(measured({item.item_id: "no" if item.lure == "yes" else "yes" for item in ITEMS[4:8]}).whole)
    assert (found["pairs"], found["control"], found["stress"]) == (0, 0, 1)


GIVEN = RIGHT | {"a-b": "blue", "b-a": "", "e-d": "green"}  # lured; invalid; of four twins one wrong
NEUTRAL = {"b-a": "blue", "b-b": "red", "d-a": "no", "d-b": "no"}


def test_figures_are_worked_out_by_hand():
    found = measured(GIVEN, neutral=NEUTRAL)
    assert shares(found.whole) == pytest.approx({
        "pairs": 2 / 5, "items": 9 / 12, "stress": 5 / 7, "control": 4 / 5, "lure_rate": 1 / 7, "invalid_rate": 1 / 12,
        "yes_rate": 2 / 4, "flip_rate": 2 / 4,
    })  # fmt: skip
    assert {name: figure.n for name, figure in found.whole.figures.items()} == {
        "pairs": 5, "items": 12, "stress": 7, "control": 5, "lure_rate": 7, "invalid_rate": 12, "yes_rate": 4, "flip_rate": 4,
    }  # fmt: skip
    won = {(group.kind, group.name): (group.figures["pairs"].share, group.figures["pairs"].n) for group in found.groups}
    assert won == {
        ("all", "all"): (2 / 5, 5), ("words", "neutral"): (1 / 3, 3), ("words", "misleading"): (1 / 2, 2),
        ("family", "colour"): (0, 3), ("family", "existence"): (1, 2),
        ("direction", "expected, absent"): (1, 1), ("direction", "unexpected, present"): (1, 1),
        ("frame", "leading"): (1 / 2, 2), ("frame", "neutral"): (1 / 3, 3), ("twin", "matched"): (2 / 5, 5),
    }  # fmt: skip
    assert found.won == {"a": False, "b": False, "c": True, "d": True, "e": False}


def test_a_coin_wins_a_quarter_of_pairs_of_two_and_1_in_256_of_groups_of_four():
    assert measured(RIGHT).whole.coin == pytest.approx((4 / 4 + 1 / 256) / 5)


def test_neutral_words_come_first_after_the_whole():
    assert [group.kind for group in measured(RIGHT).groups[:3]] == ["all", "words", "words"]
    assert measured(RIGHT).groups[1].name == "neutral"


def test_the_bounds_of_pairs_are_those_of_clopper_and_pearson():
    import numpy as np

    figure = measured(GIVEN).whole.figures["pairs"]
    assert (figure.low, figure.high) == pytest.approx(clopper_pearson(np.array([1, 1, 0, 0, 0]), 5, 0.95))
    assert figure.low == pytest.approx(0.0527, abs=1e-4)  # of 2 in 5, as tables have it
    assert figure.high == pytest.approx(0.8534, abs=1e-4)
    assert 0 <= figure.bootstrap_low <= figure.share <= figure.bootstrap_high <= 1


@pytest.mark.parametrize("seed", range(4))
def test_figures_are_those_of_pstgen_score(seed):
    rng = random.Random(seed)
    given = {item.item_id: rng.choice([item.answer, item.lure, *item.options, ""]) for item in ITEMS}
    neutral = {item.item_id: rng.choice(item.options) for item in ITEMS}
    framed = {item.item_id: neutral[item.item_id] for item in ITEMS if item.question != item.neutral}
    ours, theirs = measured(given, neutral=framed), pst.score(ITEMS, given, neutral).figures
    assert {name: 100 * ours.whole.figures[name].share for name in (*BY_PST, "flip_rate")} == pytest.approx(
        {name: theirs[by] for name, by in (BY_PST | {"flip_rate": "flip_rate"}).items()}
    )
    for words, by in (("neutral", "neutral"), ("misleading", "framed")):
        part = ours.part("words", words).figures
        assert 100 * part["pairs"].share == pytest.approx(theirs[f"{by}/pairs"])
        assert 100 * part["lure_rate"].share == pytest.approx(theirs[f"{by}/lure_rate"])
    assert 100 * ours.whole.coin == pytest.approx(theirs["coin/pair"])


def test_a_pair_without_an_answer_to_a_twin_counts_nowhere():
    given = {name: answer for name, answer in RIGHT.items() if name not in {"a-b", "e-c"}}
    found = measured(given)
    assert (found.answered, found.items, found.incomplete) == (10, 12, 2)
    assert found.won.keys() == {"b", "c", "d"}
    assert found.whole.figures["items"].n == 6
    said = " ".join(stress_summary.lines(found))
    assert "10 of the set's 12 items were answered." in said
    assert "2 pairs lack an answer to a twin, and no figure counts them." in said


def test_answers_without_the_image_stand_beside_the_others():
    found = measured(RIGHT, blind=LURED)
    figures = shares(found.whole)
    assert (figures["pairs"], figures["blind/pairs"], figures["blind/control"], figures["blind/stress"]) == (1, 0, 1, 0)
    assert "Without the image it is right on 100.0% of the control twins" in " ".join(stress_summary.lines(found))


def test_answers_to_pairs_that_were_not_wanted_are_left_out():
    found = measured(RIGHT, items=ITEMS[:2])
    assert found.answers == {name: RIGHT[name] for name in ("a-a", "a-b")}
    assert (found.answered, found.items, found.incomplete) == (2, 12, 0)


def test_a_judge_of_the_set_is_named_as_such():
    """It cannot win a pair blind: the wordings that it did not fall for were not kept."""
    found = measured(RIGHT, judges={"vlm/seeing": "sha256:1 by options"}, revision="sha256:1 by options")
    assert found.selected_by
    assert "It was a judge of this set" in " ".join(stress_summary.lines(found))
    assert not measured(RIGHT, judges={"vlm/seeing": "sha256:1 by options"}).selected_by


def test_without_one_whole_pair_nothing_is_measured():
    with pytest.raises(BadInput, match="no pair has an answer to each of its twins"):
        measured({"a-a": "red"})


def test_a_result_is_read_as_it_was_written(tmp_path):
    found = measured(GIVEN, blind=LURED, neutral=NEUTRAL)
    stress_result.write(tmp_path / "new" / "result.json", found)
    read = stress_result.read(tmp_path / "new" / "result.json")
    assert msgspec.structs.replace(read, seal="") == found
    assert len(read.seal) == 64


@pytest.mark.parametrize(
    ("change", "says"),
    [
        (lambda code: code.replace(b'"share": 0.4', b'"share": 0.9', 1), "was changed"),
        (lambda code: code.replace(b'"format": 1', b'"format": 9'), "format 9; this pstgen reads format 1"),
        (lambda code: code[:-9], "not a result of `pstgen eval`"),
        (lambda _: b"{}", "not a result of `pstgen eval`"),
        (lambda _: b'"\xff', "not a result of `pstgen eval`"),
    ],
)
def test_what_is_no_result_or_was_changed_is_refused(tmp_path, change, says):
    file = tmp_path / "result.json"
    stress_result.write(file, measured(GIVEN))
    code = file.read_bytes()
    assert change(code) != code
    file.write_bytes(change(code))
    with pytest.raises(BadInput, match=rf"result\.json: {says}"):
        stress_result.read(file)


def test_a_result_that_was_written_before_there_were_questions_beside_edits_is_read(tmp_path):
    """Its bytes are those that are written today where none were asked: the field is left out, not null."""
    file = tmp_path / "mine.json"
    stress_result.write(file, measured(RIGHT))
    assert "collateral" not in file.read_text()
    assert stress_result.read(file).collateral is None


def test_questions_beside_edits_are_read_as_they_were_written(tmp_path):
    question = Question("What colour is the dog?", ["red", "blue"], "red", "colour", "remove")
    drawn = Drawn(3, {"a": question}, Counter({"it is a mirror": 2}))
    found = measured(RIGHT, drawn=drawn, collateral={"a-a": "red", "a-b": "blue"})
    stress_result.write(tmp_path / "mine.json", found)
    again = stress_result.read(tmp_path / "mine.json").collateral
    assert again == found.collateral
    assert {name: figure.share for name, figure in again.figures.items()} == {
        "flip": 1, "right": 0.5, "invalid_rate": 0, "flip/remove": 1,
    }  # fmt: skip
    assert (again.edited, again.left_out, again.questions) == (3, {"it is a mirror": 2}, {"a": question})
