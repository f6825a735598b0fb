"""What a language model associates: a made one whose likings are known, and a real tiny one, worked out by hand."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pstgen.models import association
from pstgen.models.association import ModelAssociations

KINDS, CONTEXTS = ("mouse", "kite", "orange"), ("keyboard", "frisbee", "bowl")
COUPLES = [(kind, context) for kind in KINDS for context in CONTEXTS]
NATS = st.lists(st.floats(-4, 4), min_size=9, max_size=9).map(lambda row: np.array(row).reshape(3, 3))


class Made:
    """Likes kinds as it does, sentences as it does, and adds to each kind in each context what it is given."""

    def __init__(self, added, likes=(0.0, 0.0, 0.0)):
        self.added, self.likes, self.texts, self.endings = added, likes, [], []

    def score_texts(self, texts, endings):
        self.texts, self.endings = list(texts), list(endings[0])
        return [tuple(self._score(text, ending) for ending in own) for text, own in zip(texts, endings, strict=True)]

    def _score(self, text, ending):
        kind = next(n for n, name in enumerate(KINDS) if ending.endswith(name))
        context = [n for n, name in enumerate(CONTEXTS) if name in text]
        return -len(text.split()[0]) + self.likes[kind] + sum(self.added[n, kind] for n in context)


@settings(deadline=None)
@given(NATS, st.lists(st.floats(-9, 0), min_size=3, max_size=3))
def test_what_it_likes_everywhere_and_what_a_context_adds_to_everything_are_taken_away(added, likes):
    values = association.associate(Made(added, likes), COUPLES, {}).values
    expected = added - added.mean(axis=0) - added.mean(axis=1)[:, None] + added.mean()
    for (kind, context), value in values.items():
        assert value == pytest.approx(expected[CONTEXTS.index(context), KINDS.index(kind)], abs=1e-9)


def test_it_reads_plain_sentences_with_the_right_article():
    model = Made(np.zeros((3, 3)))
    association.associate(model, COUPLES, {})
    assert "There is a keyboard in the photo. There is also" in model.texts
    assert "In this picture you can see something and" in model.texts
    assert set(model.endings) == {" a mouse", " a kite", " an orange"}
    assert len(model.texts) == len(association.CARRIERS) * (1 + len(CONTEXTS))


@settings(deadline=None)
@given(NATS, st.sets(st.sampled_from(COUPLES), min_size=1))
def test_it_agrees_where_its_sign_is_that_of_the_counts(added, of):
    values = association.associate(Made(added), COUPLES, {}).values
    right = {couple: values[couple] for couple in of if values[couple]}
    counted = right | dict.fromkeys(of - set(right), 1.0)  # it says nothing of these
    told = association.associate(Made(added), COUPLES, counted)
    assert (told.agreed, told.of) == (len(right), len(of))
    turned = association.associate(Made(added), COUPLES, {couple: -value for couple, value in counted.items()})
    assert turned.agreed == 0
    assert turned.values == told.values == values


@pytest.mark.parametrize(("agreed", "of", "competent"), [(0, 0, False), (4, 4, False), (5, 5, True), (59, 100, True), (58, 100, False), (20, 100, False)])  # fmt: skip
def test_it_decides_where_it_agrees_oftener_than_a_coin_would(agreed, of, competent):
    told = ModelAssociations({}, agreed, of)
    assert told.competent is competent
    assert told.summary() == {"agreed": agreed, "of": of, "decides": competent}


def test_judges_that_read_no_plain_text_are_not_asked():
    assert association.of_judges([object()], COUPLES, {("mouse", "keyboard"): 1.0}) == {}


def test_an_ending_scores_the_sum_of_the_log_probabilities_of_its_tokens(llava):
    """Worked out by hand: the whole text in one pass, no batch, no sharing."""
    import torch

    texts, endings = (
        ["There is a cup in the photo. There is also", "A photo of"],
        [" a dog", " an orange", " a red ball"],
    )
    told = llava.score_texts(texts, [endings, endings])
    for text, row in zip(texts, told, strict=True):
        before = llava.chat.tokenizer(text)["input_ids"]
        for ending, score in zip(endings, row, strict=True):
            whole = llava.chat.tokenizer(text + ending)["input_ids"]
            assert whole[: len(before)] == before
            with torch.inference_mode():
                logprobs = llava.model(torch.tensor([whole])).logits[0].log_softmax(-1)
            by_hand = sum(float(logprobs[n - 1, whole[n]]) for n in range(len(before), len(whole)))
            assert score == pytest.approx(by_hand, abs=1e-3)
