"""Attention on the evidence: a model made by hand that looks at one patch, one that has learnt nothing, one that sees."""

import copy
from pathlib import Path
from types import SimpleNamespace

import pytest
import torch

from pstgen.core import resources
from pstgen.core.config import build_config
from pstgen.core.records import Unavailable
from pstgen.core.report import Refusals
from pstgen.dataset import targets
from pstgen.dataset.rows import Row
from pstgen.evaluation.metrics import attention
from pstgen.models.huggingface import Model
from pstgen.questions import families
from pstgen.scenes import sources

COLOURS = ("black", "blue", "brown", "green", "orange", "purple", "red", "white", "yellow", "pink", "grey")


class Hand(torch.nn.Module):
    """Looks evenly at all patches; the redder one is, the surer it says "red". It takes what a LLaVA takes."""

    dtype, device = torch.float32, torch.device("cpu")

    def __init__(self, config):
        super().__init__()
        self.config, self.image = config, config.image_token_id

    def set_attn_implementation(self, kernel):
        self.config._attn_implementation = kernel

    def forward(self, input_ids, pixel_values, logits_to_keep, *, output_attentions=False, **_):
        length = input_ids.shape[1]
        image = input_ids[0] == self.image
        side = round(int(image.sum()) ** 0.5)
        redness = (pixel_values[:, 0] - pixel_values[:, 2]).clamp(min=0)[:, None]
        patches = torch.nn.functional.adaptive_avg_pool2d(redness, side).flatten(1)
        values = torch.zeros(len(input_ids), length)
        values[:, image] = patches
        even = torch.ones(length, length).tril()
        layers = [(even / even.sum(1, keepdim=True)).expand(len(input_ids), 1, -1, -1).clone().requires_grad_()]
        layers *= self.config.get_text_config().num_hidden_layers
        seen = (layers[0][:, 0] @ values[..., None])[:, -logits_to_keep:, 0]
        logits = seen[..., None] * torch.isin(torch.arange(self.config.get_text_config().vocab_size), self.config.red)
        return SimpleNamespace(logits=logits, attentions=tuple(layers) if output_attentions else None)


@pytest.fixture
def hand(llava):
    """The hand-made model with LLaVA's processor."""
    made = copy.copy(llava)
    made.model = Hand(copy.deepcopy(llava.model.config))
    made.model.config.red = torch.tensor(llava.tokens("red"))
    return made


def rows(painted, pairs, number, **where):
    """Stress twins alone (red), each of its own pair, their squares here and there."""
    places = [(8 * (n % 4), 8 * (n // 4 % 4)) for n in range(number)]
    items = [item for item in pairs(number) if item.role == "stress"]
    return [painted(item, at=at, **where) for item, at in zip(items, places, strict=True)]


def test_a_model_whose_answer_hangs_on_one_patch_has_its_share_there(hand, painted, pairs):
    scores = attention.score(hand, rows(painted, pairs, 16))
    assert scores.figures["uniform"] == pytest.approx(100 / 16)
    assert scores.figures["share"] > 90  # its attention is even: only the gradient tells
    assert scores.figures["lift"] == pytest.approx(scores.figures["share"] / scores.figures["uniform"])
    assert scores.figures["shuffled"] < 1
    assert scores.figures["deletion"] > 10 * abs(scores.figures["deletion_random"])
    assert scores.figures["rollout"] == pytest.approx(scores.figures["rollout_untrained"])  # it has no weights
    assert len(scores.per_question) == 16


def test_the_share_on_small_evidence_is_that_of_the_patch_that_shows_most_of_it(hand, painted, pairs):
    scores = attention.score(hand, rows(painted, pairs, 16, side=2))
    assert scores.figures["uniform"] == pytest.approx(100 / 16)
    assert scores.figures["share"] > 40  # among grey noise


def test_a_model_that_has_learnt_nothing_looks_at_evidence_as_at_anything(llava, painted, pairs):
    figures = attention.score(llava, rows(painted, pairs, 32)).figures
    assert figures["share"] == pytest.approx(figures["uniform"], rel=0.3)
    assert figures["shuffled"] == pytest.approx(figures["uniform"], rel=0.3)
    assert abs(figures["deletion"]) < 0.2


def test_absences_are_left_out_and_counted(llava, painted, pairs):
    some = rows(painted, pairs, 3)
    with_absence = [*some, painted(pairs(4)[-1], evidence=False)]
    scores = attention.score(llava, with_absence)
    assert "1 of 4" in scores.absent["items whose evidence is nowhere in the image"]
    assert scores.figures == pytest.approx(attention.score(llava, some).figures)
    nothing = attention.score(llava, with_absence[-1:])
    assert nothing.figures == {}
    assert nothing.absent


def test_items_of_one_pair_have_no_shuffled_null(llava, painted, pairs):
    scores = attention.score(llava, [painted(item) for item in pairs(1)])
    assert "shuffled" not in scores.figures
    assert "one pair" in scores.absent["shuffled"]


def test_an_item_whose_answer_no_patch_moves_is_left_out_and_counted(hand, painted, pairs):
    nothing_red = [painted(item) for item in pairs(2) if item.role == "control"]
    scores = attention.score(hand, nothing_red)
    assert scores.figures == {}
    assert "2 of 2" in scores.absent["items whose gradient reaches no patch"]
    both = attention.score(hand, nothing_red + rows(painted, pairs, 2))
    assert "2 of 4" in both.absent["items whose gradient reaches no patch"]
    assert both.figures["share"] > 90


def test_the_model_is_left_as_it_was(llava, painted, pairs):
    before = {name: tensor.clone() for name, tensor in llava.model.state_dict().items()}
    kernel, hooks = llava.model.config._attn_implementation, dict(llava.model._forward_pre_hooks)
    chance = torch.random.get_rng_state()
    attention.score(llava, rows(painted, pairs, 2))
    assert llava.model.config._attn_implementation == kernel == "sdpa"
    assert dict(llava.model._forward_pre_hooks) == hooks == dict(llava.model._forward_hooks)
    assert all(torch.equal(tensor, before[name]) for name, tensor in llava.model.state_dict().items())
    assert torch.equal(chance, torch.random.get_rng_state())
    assert all(parameter.grad is None for parameter in llava.model.parameters())


def test_a_model_of_another_kind_is_refused_in_words(hand, painted, pairs):
    some = rows(painted, pairs, 2)
    other = copy.copy(hand)
    other.model = Hand(copy.deepcopy(hand.model.config))
    other.model.config.image_token_id = None
    with pytest.raises(Unavailable, match="0 tokens an image"):
        attention.score(other, some)
    hand.model.forward = lambda *given, forward=hand.model.forward, **named: SimpleNamespace(
        logits=forward(*given, **named).logits, attentions=()
    )
    with pytest.raises(Unavailable, match="attention of 0 layers"):
        attention.score(hand, some)


@pytest.fixture(scope="module")
def seen_by_the_eye(item):
    """What colours things of the built-in world have: rows whose answer the eye that comes with pstgen can see."""
    config = build_config(source="world", scenes=24, size=128, vlm="none", typicality=0.0)
    made = []
    for n, scene in enumerate(sources.load("world").scenes(config, lambda _: True, Refusals())):
        facts = families.load("colour").ask(scene)
        fact = next((one for one in facts if one.form == "of" and one.truth.known), None)
        if fact is None:
            continue
        fields = {"about": fact.about, "evidence": fact.evidence, "options": COLOURS, "frame": "neutral"}
        question = f"What colour is the {fact.about[0]} in the picture?"
        asked = item(f"{n:02}", f"p{n}", answer=fact.truth.answer, question=question, neutral=question, **fields)
        mask = targets.load("mask").render(scene, fact.evidence)
        made.append(Row(item=asked, scene=scene, image=Path(scene.path).read_bytes(), suffix=".png", targets=(mask,)))
    return made


def test_a_model_that_sees_looks_at_the_evidence_and_loses_its_answer_without_it(seen_by_the_eye):
    figures = attention.score(Model(str(resources.model_folder("eye")), "cpu"), seen_by_the_eye).figures
    assert len(seen_by_the_eye) > 12
    assert figures["lift"] > 2
    assert figures["share"] > 2 * figures["shuffled"]
    assert figures["deletion"] > 0.3
    assert figures["deletion"] > 5 * abs(figures["deletion_random"])
