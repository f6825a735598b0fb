"""A model answers each item with its image, without it, and framed items by their neutral question; each once."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from pstgen.core.config import EvalConfig
from pstgen.core.progress import silent
from pstgen.core.records import Unavailable, Verdict
from pstgen.dataset import store
from pstgen.evaluation import model_answers
from pstgen.models import asking, looking
from pstgen.scenes import pixels

PAIRS = {"p00", "p01", "p02", "p03"}  # two in neutral words, two framed


@pytest.fixture(scope="module")
def dataset(stress_set):
    return store.open(stress_set)


@pytest.fixture(scope="module")
def ask(dataset, tiny_llava, tmp_path_factory):
    """Let a model answer, with a cache that nobody else has."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("XDG_CACHE_HOME", str(tmp_path_factory.mktemp("cache")))
        plain = {"model": str(tiny_llava), "device": "cpu", "ask": "options"}
        yield lambda wanted=PAIRS, **more: model_answers.answer(dataset, wanted, EvalConfig(**plain | more), silent)


@pytest.fixture(scope="module")
def given(ask):
    """The answers of a tiny LLaVA."""
    return ask()


def test_each_item_of_the_wanted_pairs_is_answered_with_one_of_its_options(dataset, given):
    options = {item.item_id: set(item.options) for item in dataset.items() if item.pair_id in PAIRS}
    framed = {item.item_id for item in dataset.items() if item.pair_id in PAIRS and item.question != item.neutral}
    assert given.seeing.keys() == given.blind.keys() == options.keys()
    assert given.neutral.keys() == framed
    assert len(framed) == 4
    for part in (given.seeing, given.blind, given.neutral):
        assert all(answer in options[name] for name, answer in part.items())


def test_blind_it_answers_twins_alike(given):
    """Their words are the same, so that without the image nothing tells one from the other."""
    assert all(given.blind[f"{pair}-a"] == given.blind[f"{pair}-b"] for pair in PAIRS)


def test_passes_that_are_not_wanted_are_left_out_and_what_was_answered_before_is_not_asked_again(
    ask, given, monkeypatch
):
    def asked_again(_, items):
        assert not items
        return iter(())

    monkeypatch.setattr(looking.Look, "answer", asked_again)
    again = ask(blind=False, neutral=False)
    assert again == replace(given, blind={}, neutral={})


def test_each_pass_shows_what_it_should(ask, dataset, monkeypatch, tmp_path):
    """A model that says what it sees, and "blue" where it sees nothing, or where words suggest it."""
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))

    def answer(look, items):
        for item in items:
            shown = pixels.read(item.image)[16, 16] if look.sees else None
            red = shown is not None and shown[0] > shown[2] and "isn't it" not in item.question
            said = tuple(float(option == ("red" if red else "blue")) for option in item.options)
            yield Verdict(item_id=item.item_id, judge=look.name, logprobs=said)

    monkeypatch.setattr(looking.Look, "answer", answer)
    found, items = ask(), [item for item in dataset.items() if item.pair_id in PAIRS]
    framed = {item.item_id for item in items if item.question != item.neutral}
    assert found.seeing == {item.item_id: "blue" if item.item_id in framed else item.answer for item in items}
    assert found.blind == {item.item_id: "blue" for item in items}
    assert found.neutral == {item.item_id: item.answer for item in items if item.item_id in framed}


def test_images_on_the_disk_in_small_parts_give_the_same_answers(ask, given, monkeypatch, tmp_path):
    monkeypatch.setattr(model_answers, "CHUNK", 3)
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))  # so that it is asked anew
    assert ask() == given


def test_they_are_what_the_model_says_when_it_is_asked_directly(dataset, given, llava):
    assert (given.model, given.way) == ("llava", "options")
    assert given.revision == f"{llava.revision} by options"
    for row in dataset.rows_of({"p02"}):
        item, image = row.item, pixels.decode(row.image)
        for question, shown, answer in (
            (item.question, image, given.seeing[item.item_id]),
            (item.question, None, given.blind[item.item_id]),
            (item.neutral, image, given.neutral[item.item_id]),
        ):
            (logprobs,) = asking.ask(llava, "options", [question], [item.options], [shown])
            assert answer == item.options[int(np.argmax(logprobs))]


def test_the_eye_is_the_model_that_comes_with_pstgen(ask):
    given = ask({"p00"}, model="eye", ask=None, blind=False)
    assert given.model == "eye"
    assert given.seeing.keys() == {"p00-a", "p00-b"}


def test_a_server_that_does_not_answer_is_the_machines_failing(ask):
    pytest.importorskip("openai")
    with pytest.raises(Unavailable, match=r"127\.0\.0\.1:9"):
        ask({"p00"}, model="http://127.0.0.1:9/v1", model_name="none", timeout=1.0)


def test_an_item_whose_name_leads_elsewhere_writes_nothing_there(stress_set, tmp_path):
    (row, *_) = store.open(stress_set).rows()
    folder = tmp_path / "in"
    folder.mkdir()
    (item,) = model_answers._items_on_disk([replace(row, item=replace(row.item, item_id="../out"))], folder)
    assert Path(item.image).parent == folder
    assert list(tmp_path.iterdir()) == [folder]
