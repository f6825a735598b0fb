"""The judges' table: what each gets right of ordinary questions, stress twins and pairs, worked out by hand."""

import pytest

from pstgen.core.records import Item, Pair, Score
from pstgen.dataset import judged, store
from pstgen.dataset.judged import Hits

MODELS = {
    "lm": {"decides": True, "ordinary questions": {"of": 50, "right": 38, "right uncalibrated": 30, "by chance": 25.0}}
}


def pair(name, frame):
    def item(role, answer):
        return Item(
            item_id=f"{name}-{role}", pair_id=name, role=role, scene_id=f"s/{name}/{role}", image="", family="colour",
            form="of", about=("cup",), frame=frame, question="?", neutral="?", options=("red", "blue", "grey"),
            answer=answer, lure="blue",
        )  # fmt: skip

    return Pair((item("stress", "red"),), item("control", "blue"))


PAIRS = [pair("a", "neutral"), pair("b", "leading"), pair("c", "caption")]


def score(name, judge, choice, item="", *, kept=True):
    return Score(
        pair_id=name, options=("red", "blue", "grey"), item_id=item, frame="x", question="?", lure="blue", judge=judge,
        logprobs=(), calibrated=(), choice=choice, kept=kept,
    )  # fmt: skip


def test_a_blind_judge_gives_all_twins_one_answer_so_it_wins_no_pair():
    scores = [score("a", "lm", "red"), score("b", "lm", "blue"), score("c", "lm", "")]
    (line,) = judged.table(PAIRS, scores, ["lm"], MODELS)
    assert not line.sees
    assert (line.all.stress, line.all.pairs) == (Hits(right=1, of=3), Hits(right=0, of=3))
    assert (line.neutral.stress, line.framed.stress) == (Hits(right=1, of=1), Hits(right=0, of=2))
    assert (line.ordinary.right, line.ordinary.of, line.ordinary.by_chance) == (38, 50, 25)
    assert 0.5 < line.ordinary.low < 0.76 < line.ordinary.high < 0.9
    assert str(line) == "lm: right on 76% of ordinary questions without looking, 33% of stress twins, 0 pairs"


def test_a_seeing_judge_answers_every_twin_by_itself_and_stands_last():
    choices = {"a": ("red", "blue"), "b": ("red", "red"), "c": ("blue", "blue")}
    scores = [
        score(name, "vlm", choice, f"{name}-{role}")
        for name, by_role in choices.items()
        for role, choice in zip(("stress", "control"), by_role, strict=True)
    ]
    blind = [score(name, "prior", "blue") for name in choices]
    lines = judged.table(PAIRS, [*scores, *blind], ["vlm", "prior"], {})
    assert [(line.judge, line.sees, line.ordinary, line.decides) for line in lines] == [
        ("prior", False, None, None), ("vlm", True, None, None),
    ]  # fmt: skip
    assert (lines[1].all.stress, lines[1].all.pairs) == (Hits(right=2, of=3), Hits(right=1, of=3))
    assert lines[1].neutral.pairs == Hits(right=1, of=1)
    assert str(lines[1]) == "vlm: right on 67% of stress twins, 1 of 3 pairs"


def test_the_widest_gap_is_that_of_a_judge_that_saw_nothing_and_was_asked_ordinary_questions():
    blind = [score("a", judge, "blue") for judge in ("lm", "prior")]
    lines = judged.table(PAIRS, [*blind, score("a", "vlm", "blue", "a-stress")], ["prior", "lm", "vlm"], MODELS)
    assert judged.widest_gap(lines).judge == "lm"
    assert judged.widest_gap(line for line in lines if line.judge != "lm").judge == "prior"
    assert judged.widest_gap(line for line in lines if line.sees) is None


def test_of_a_group_every_twin_but_the_control_is_a_stress_twin():
    first = PAIRS[0]
    group = Pair((*first.stress, *pair("a", "neutral").stress), first.control)
    (line,) = judged.table([group], [score("a", "lm", "red")], ["lm"], {})
    assert (line.all.stress, line.all.pairs) == (Hits(right=2, of=2), Hits(right=0, of=1))


def test_what_was_not_kept_or_is_no_longer_in_the_set_does_not_count():
    scores = [score("a", "lm", "red", kept=False), score("z", "lm", "red")]
    assert judged.table(PAIRS, scores, ["lm"], MODELS) == []


def test_nothing_is_said_of_no_question_and_nothing_of_no_pair():
    nothing = {"lm": {"ordinary questions": {"of": 0, "right": 0, "right uncalibrated": 0, "by chance": 0.0}}}
    (line,) = judged.table(PAIRS, [score("b", "lm", "blue")], [], nothing)
    assert line.ordinary is None
    assert (str(line.neutral.stress), str(line.framed.stress)) == ("-", "0.0%")


def test_judges_that_decided_what_is_kept_are_right_about_no_stress_twin(sound_set):
    lines = judged.of_dataset(store.open(sound_set))
    assert {"prior", "text"} <= {line.judge for line in lines}
    for line in lines:
        assert line.all.pairs.right == 0 or line.sees
        assert line.all.stress.right == 0 or line.sees or not line.decides
        assert line.all.stress.of == line.neutral.stress.of + line.framed.stress.of


@pytest.mark.parametrize(("right", "text"), [(0, "0 pairs"), (2, "2 of 3 pairs")])
def test_pairs_that_are_won_are_counted_in_the_sentence(right, text):
    hits, none = Hits(right=right, of=3), judged.Reached(stress=Hits(right=0, of=0), pairs=Hits(right=0, of=0))
    all_ = judged.Reached(stress=Hits(right=0, of=3), pairs=hits)
    line = judged.Judged(judge="x", sees=True, decides=None, ordinary=None, neutral=none, framed=all_, all=all_)
    assert str(line).endswith(text)
