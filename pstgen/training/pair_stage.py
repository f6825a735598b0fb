"""Stage 3: reinforcement by answers to training pairs, as GRPO (Shao et al. 2024, arXiv:2402.03300, section 4.1).

Several answers are drawn to each twin's question; each is worth more or less than the rest of its group. One update is made of
every draw, so the ratio of probabilities is 1 and nothing is clipped. The divergence from the model that the stage begins with
is summed over the vocabulary at every token, where the paper estimates it by the token that was drawn.
"""

from collections.abc import Sequence
from copy import deepcopy
from itertools import chain
from pathlib import Path
from typing import Any

import msgspec
import torch

from pstgen import rewards
from pstgen.models.answerer import MAX_TOKENS
from pstgen.training import joint_stage, modeling, trainer
from pstgen.training.batches import PackedBatches, Packer, StepPlan
from pstgen.training.examples import Examples
from pstgen.training.modeling import Vlm
from pstgen.training.pair_batches import PairBatches, TrainingPairs, Twin
from pstgen.training.pair_sampling import Answer, Sampler
from pstgen.training.recipe import Recipe
from pstgen.training.systems import Plan
from pstgen.training.trainer import Settings, Stage

CHAIN_TOKENS = 96  # of a chain and its answer, at most
SPREAD = 1e-4  # that is added to the standard deviation of a group's rewards


def prepare(  # noqa: PLR0913, PLR0917 (what a stage is made of)
    recipe: Recipe, system: Plan, examples: Examples, plan: StepPlan, settings: Settings, out: Path, *,
    tokenizer: Path, start: Path | None,
) -> Stage:  # fmt: skip
    """The model of stage 2 in the folder `start`, saved as an ordinary Hugging Face model.

    Without `start` it is what stage 2 would begin with, which costs the same.
    """
    begun = msgspec.structs.replace(recipe, model=str(start)) if start else recipe
    vlm = modeling.load_vlm(begun, None if begun.model else modeling.load_tokenizer(tokenizer), settings.seed)
    reference = joint_stage.adapt(deepcopy(vlm.model), msgspec.structs.replace(recipe, lora=0))
    model = joint_stage.adapt(vlm.model, recipe)
    pairs = TrainingPairs(examples, settings.seed, differ=start is not None)
    words_plan = StepPlan(plan.steps, recipe.batch, recipe.questions)
    words = PackedBatches(examples, words_plan, settings.seed, vlm, Plan(sees=False), None)
    return Stage(
        model=model,
        batches=PairBatches(pairs, plan, vlm, system, words),
        losses=pair_losses(vlm, reference.requires_grad_(requires_grad=False), recipe, system, settings.seed),
        rates={"": recipe.gated_rate},
        settings=settings,
        save=lambda: joint_stage.export(model, vlm.processor, out),
    )


def pair_losses(vlm: Vlm, reference: Any, recipe: Recipe, system: Plan, seed: int) -> trainer.Losses:
    """The policy's loss and the divergence from `reference`; of a batch of words alone, the language loss.

    Beside them, which is only logged: the share of the answers that were rewarded.
    """
    has_chain = system.preamble == "chain"
    sampler = Sampler(Packer(vlm), recipe.samples, CHAIN_TOKENS if has_chain else MAX_TOKENS)

    def losses(model: Any, batch: dict[str, Any], step: int) -> trainer.Parts:  # noqa: ARG001
        base = joint_stage.base_model(model)
        if "twins" not in batch:
            return {"words": joint_stage.words_loss(base, batch)}
        inputs = {name: batch[name] for name in modeling.IMAGE_INPUTS if name in batch}
        output = modeling.encode_images(base, inputs, vlm.cells)[2]
        prompts = [sampler.prompt(twin.question.text) for twin in batch["twins"]]
        answers = sampler.draw(base, prompts, output, (seed, batch["step"]))
        values = reward_answers(batch["twins"], _texts(vlm.tokenizer, answers), system.gate, has_chain=has_chain)
        policy = sampler.logprobs(base, prompts, answers, output)
        with torch.no_grad():
            starting = reference.to(policy.logprobs.device)
            before = sampler.logprobs(
                starting, prompts, answers, modeling.encode_images(starting, inputs, vlm.cells)[2]
            )
        rewarded = torch.tensor(values, device=policy.logprobs.device)
        return {
            "policy": -(advantages(rewarded).flatten() * policy.ratios()).mean(),
            "kl": recipe.kl * policy.divergence(before).mean(),
            "rewarded": (rewarded > 0).float().mean(),
        }

    return losses


def _texts(tokenizer: Any, answers: Sequence[Sequence[Answer]]) -> list[list[str]]:
    return [[str(tokenizer.decode(ids, skip_special_tokens=True)).strip() for ids in group] for group in answers]


def reward_answers(
    twins: Sequence[Twin], texts: Sequence[Sequence[str]], gate: str, *, has_chain: bool = False
) -> list[list[float]]:
    """Of every answer in the group of each twin, 0 to 1.

    gate: pair: 0 unless the answer of the same place in the other twin's group is right as well; item: 0 unless the answer
    itself is right. has_chain: half of the reward is then for names and boxes of the chain before the answer.
    """
    counts = [len(group) for group in texts]
    rows = [twin for twin, count in zip(twins, counts, strict=True) for _ in range(count)]
    completions = list(chain.from_iterable(texts))
    columns = {
        "answer": [twin.question.answer for twin in rows],
        "options": [twin.question.options for twin in rows],
        "item_id": [twin.item_id for twin in rows],
        "pair_id": [twin.pair_id for twin in rows],
        "chain": [f"{twin.question.chain}; so {twin.question.answer}" for twin in rows],
    }
    passed = (rewards.pair_gate if gate == "pair" else rewards.answer)(None, completions, **columns)
    seen = rewards.chain(None, completions, **columns) if has_chain else [None] * len(rows)
    values = iter(
        float(right or 0) * (1.0 if share is None else (1 + share) / 2)
        for right, share in zip(passed, seen, strict=True)
    )
    return [[next(values) for _ in range(count)] for count in counts]


def advantages(values: torch.Tensor) -> torch.Tensor:
    """(groups, answers): how much better each is than its group, in its standard deviations; 0 where all are alike.

    >>> [round(value, 2) for value in advantages(torch.tensor([[1.0, 0.0, 0.0, 0.0], [1.0, 1.0, 1.0, 1.0]])).flatten().tolist()]
    [1.73, -0.58, -0.58, -0.58, 0.0, 0.0, 0.0, 0.0]
    """
    spread = values.std(dim=1, correction=0, keepdim=True)
    return (values - values.mean(dim=1, keepdim=True)) / (spread + SPREAD)
