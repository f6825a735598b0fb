"""Items pass through the journal: in order, whatever order their answers come in, and what fails is named in the end."""

import random

import pytest

from pstgen.core.config import build_config
from pstgen.core.records import BadInput, Item, Unavailable, Verdict
from pstgen.models import answering, journal_listing
from pstgen.models.answering import Answered, Batch
from pstgen.models.endpoint_limits import LimitReached


def items(n):
    told = {"role": "stress", "scene_id": "", "image": "", "family": "count", "form": "many", "about": ("cup",)}
    told |= {"frame": "neutral", "neutral": "", "options": ("1", "2"), "answer": "1", "lure": "2"}
    return [Item(item_id=f"i{k}", pair_id=f"p{k}", question=f"q{k}", **told) for k in range(n)]


class Faulty:
    """Answers by the number in the question; a question in `bad` raises its error, and with it the whole batch."""

    name, revision, sees, durable = "faulty", "1", False, True

    def __init__(self, **bad):
        self.bad, self.asked = bad, []

    def key(self, item):
        return item.question

    def answer(self, batch):
        self.asked.append([item.question for item in batch])
        for item in batch:
            if error := self.bad.get(item.question):
                raise error
        for item in batch:
            yield Verdict(item_id=item.item_id, judge=self.name, logprobs=(-float(item.item_id[1:]), -1.0))


@pytest.fixture(autouse=True)
def cache(tmp_path, monkeypatch):
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))


def run(judge, n, ask=None, batch_size=8):
    def in_turn(batches):
        return (answering.answer(judge, batch) for batch in batches)

    return list(answering.run(judge, items(n), build_config(batch_size=batch_size), ask or in_turn))


def batch(*numbers):
    return Batch(0, {f"q{n}": items(n + 1)[n] for n in numbers})


def test_one_bad_item_costs_its_batch_a_few_questions_and_no_other_item_its_verdict():
    judge = Faulty(q21=Unavailable("500 no"))
    found = answering.answer(judge, batch(*range(32)))
    assert found.failed == {"q21": ("q21", "500 no")}
    assert list(found.verdicts) == [f"q{n}" for n in range(32) if n != 21]
    assert not found.hopeless
    assert len(judge.asked) == 1 + 4 + 4 + 2  # the batch, its quarters, theirs, and the couple with the bad item


def test_where_nothing_is_answered_any_more_the_rest_is_not_tried():
    judge = Faulty(**{f"q{n}": Unavailable("no connection") for n in range(2, 64)})
    found = answering.answer(judge, batch(*range(64)))
    assert (list(found.verdicts), list(found.failed), found.hopeless) == (["q0", "q1"], ["q2", "q3", "q4"], True)


def test_a_limit_that_is_reached_ends_it_at_once_and_so_does_what_is_the_users_mistake():
    for error in (LimitReached("--max-requests"), BadInput("a.png: is no picture"), RuntimeError("a fault")):
        judge = Faulty(q3=error)
        with pytest.raises(type(error)):
            answering.answer(judge, batch(*range(8)))
        assert len(judge.asked) == 1


def test_all_others_are_asked_before_a_failure_is_named_and_the_next_run_asks_that_alone():
    with pytest.raises(Unavailable) as failed:
        run(Faulty(q3=Unavailable("http://a: 500 no"), q9=Unavailable("http://a: 400 long")), 30)
    assert str(failed.value) == (
        "http://a: 500 no (and 1 other reasons); faulty has no verdict on 2 of 30 items, the first 'q3': all others were asked, "
        "and the same command asks these again (pstgen journal --failed)"
    )
    assert {(row.question, row.reason) for row in journal_listing.failed()} == {
        ("q3", "http://a: 500 no"),
        ("q9", "http://a: 400 long"),
    }
    again = Faulty()
    assert [verdict.item_id for verdict in run(again, 30)] == [f"i{n}" for n in range(30)]
    assert again.asked == [["q3"], ["q9"]]
    assert journal_listing.failed() == []


def test_where_no_more_are_asked_that_is_said():
    judge = Faulty(**{f"q{n}": Unavailable("no connection") for n in range(5, 100)})
    with pytest.raises(Unavailable, match="no verdict on 3 of 100 items, the first 'q5': no more were asked"):
        run(judge, 100)
    assert not [asked for asked in judge.asked if "q8" in asked[:1]]


@pytest.mark.parametrize("seed", range(5))
def test_verdicts_keep_the_items_order_whatever_order_batches_come_back_in(seed):
    rng, judge = random.Random(seed), Faulty()

    def shuffled(batches):
        running = []
        for taken in batches:
            running.insert(rng.randint(0, len(running)), answering.answer(judge, taken))
            if len(running) > 5:
                yield running.pop(0)
        yield from running

    wanted = [*items(50), *items(20)]
    found = list(answering.run(judge, wanted, build_config(batch_size=3), shuffled))
    assert [verdict.item_id for verdict in found] == [item.item_id for item in wanted]
    assert [verdict.logprobs[0] for verdict in found] == [-float(item.item_id[1:]) for item in wanted]
    assert sorted(question for asked in judge.asked for question in asked) == sorted(f"q{n}" for n in range(50))


def test_what_is_known_passes_at_once_and_is_not_held_back():
    run(Faulty(), 100)
    taken = []

    def ask(batches):
        for part in batches:
            taken.append(part)
            yield Answered(part.number, {}, {})

    verdicts = answering.run(Faulty(), items(100), build_config(batch_size=8), ask)
    assert next(verdicts).item_id == "i0"
    assert (len(taken), taken[0].unknown) == (1, {})


@pytest.mark.parametrize("change", ["lost", "foreign"])
def test_a_batch_that_comes_back_with_other_items_is_a_fault_of_ours(change):
    judge = Faulty()

    def ask(batches):
        for part in batches:
            verdicts = dict(answering.answer(judge, part).verdicts)
            if change == "lost":
                verdicts.popitem()
            else:
                verdicts["another"] = (-1.0, -1.0)
            yield Answered(part.number, verdicts, {})

    with pytest.raises(RuntimeError, match="8 items were asked"):
        run(judge, 20, ask)
