"""What models said in one run is not asked for again in another."""

from dataclasses import dataclass, field

import pytest

from pstgen.core.records import BadInput, Item, Verdict
from pstgen.models import recorded
from pstgen.models.recorded import Recorded


def item(n, question):
    return Item(
        item_id=f"i{n}", pair_id=f"p{n}", role="control", scene_id="s", image="", family="existence", form="there",
        about=("cup",), frame="neutral", question=question, neutral=question, options=("no", "yes"), answer="no", lure="no",
    )  # fmt: skip


@dataclass
class Model:
    """Its verdict depends on the question alone. asked: every question that reached it."""

    name: str = "vlm/blank"
    revision: str = "1"
    asked: list[str] = field(default_factory=list)

    def key(self, item):
        return item.question

    def answer(self, items):
        for each in items:
            self.asked.append(each.question)
            yield Verdict(item_id=each.item_id, judge=self.name, logprobs=(-float(len(each.question)), -1.0))


def ask(model, items):
    return model.answer(items)


@pytest.fixture
def items(monkeypatch):
    monkeypatch.setattr(recorded, "BATCH", 3)
    return [item(n, "?" * (n % 5 + 1)) for n in range(12)]


def test_a_question_is_asked_once_in_all_runs_and_every_item_gets_its_verdict(items):
    first, second, known = Model(), Model(), Recorded()
    answers = list(known.answer(first, items, ask))
    assert answers == list(Model().answer(items))
    assert sorted(first.asked) == ["?", "??", "???", "????", "?????"]
    assert known.new == 5
    assert list(known.answer(second, items, ask)) == answers
    assert (second.asked, known.new) == ([], 5)


def test_another_revision_is_another_model(items):
    known = Recorded()
    list(known.answer(Model(), items, ask))
    newer = Model(revision="2")
    list(known.answer(newer, items, ask))
    assert len(newer.asked) == 5


def test_what_is_no_verdict_on_an_items_options_is_refused(items):
    known = Recorded()
    known.known["vlm/blank", "1"]["?"] = (-1.0, -1.0, -1.0)
    with pytest.raises(BadInput, match=r"vlm/blank: what is recorded of '\?' is no verdict on its options"):
        list(known.answer(Model(), items[:1], ask))
