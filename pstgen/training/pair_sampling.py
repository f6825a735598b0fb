"""Draws answers to questions about images from a model, and weighs their tokens: an image is passed once, whatever is asked of it."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import torch

from pstgen.training import joint_stage
from pstgen.training.batches import Packer, Part

NEVER_SAID = ("image_token_id", "video_token_id")  # settings that name tokens which stand for pixels
SEEDS = 1_000_003  # between the draws of one seed and of the next

Answer = tuple[int, ...]  # token ids; the end of the text is the last of them, unless it was not reached


@dataclass(frozen=True)
class AnswerLogprobs:
    """Log-probabilities of the tokens of answers. logprobs: (N, vocabulary), at every token; tokens: (N,) int64, those that were drawn.

    lengths: tokens of each distinct answer; places: of every answer that was drawn, its number among the distinct ones.
    """

    logprobs: torch.Tensor
    tokens: torch.Tensor
    lengths: Sequence[int]
    places: Sequence[int]

    def ratios(self) -> torch.Tensor:
        """Of every answer the mean over its tokens of probability / probability when it was drawn: 1, with a gradient."""
        own = self.logprobs.gather(1, self.tokens[:, None])[:, 0]
        return self._by_answer((own - own.detach()).exp())

    def divergence(self, other: "AnswerLogprobs") -> torch.Tensor:
        """Of every answer the mean over its tokens of KL(these || other), in nats."""
        return self._by_answer((self.logprobs.exp() * (self.logprobs - other.logprobs)).sum(-1))

    def _by_answer(self, values: torch.Tensor) -> torch.Tensor:
        means = torch.stack([part.mean() for part in values.split(list(self.lengths))])
        return means[torch.tensor(self.places, device=means.device)]


class Sampler:
    """Draws from a model at temperature 1. samples: answers to each question; most: tokens of one, its end included."""

    def __init__(self, packer: Packer, samples: int, most: int) -> None:
        self.packer, self.samples, self.most = packer, samples, most
        self.end = int(packer.vlm.tokenizer.eos_token_id)
        config = packer.vlm.model.config
        self.never = [token for name in NEVER_SAID if (token := getattr(config, name, None)) is not None]

    def prompt(self, text: str) -> list[int]:
        """A question's tokens behind its image."""
        return self.packer.question(text, (), with_image=True)[0]

    def draw(self, model: Any, prompts: Sequence[list[int]], output: Any, seed: tuple[int, int]) -> list[list[Answer]]:
        """`samples` answers to each prompt, the same whenever the seed is. output: of the image encoder, an image a prompt."""
        generator = torch.Generator(next(model.parameters()).device).manual_seed(seed[0] * SEEDS + seed[1])
        drawn: list[list[Answer]] = [[()] * self.samples for _ in prompts]
        for _ in range(self.most):
            going = [(n, k) for n, group in enumerate(drawn) for k, answer in enumerate(group) if self._goes_on(answer)]
            if not going:
                break
            with torch.no_grad():
                chances = self._chances(model, prompts, [(n, drawn[n][k]) for n, k in going], output)
            tokens = torch.multinomial(chances, 1, generator=generator)[:, 0].tolist()
            for (n, k), token in zip(going, tokens, strict=True):
                drawn[n][k] = (*drawn[n][k], token)
        return drawn

    def _chances(
        self, model: Any, prompts: Sequence[list[int]], begun: Sequence[tuple[int, Answer]], output: Any
    ) -> torch.Tensor:
        """(answers, vocabulary): of answers that have begun so, how likely each token comes next. begun: number of the prompt, tokens.

        Those that have begun alike are passed once.
        """
        distinct = {key: k for k, key in enumerate(sorted(set(begun)))}
        rows: list[list[Part]] = [[] for _ in prompts]
        for n, answer in distinct:
            rows[n].append(_part((*prompts[n], *answer), (self.end,)))
        logits, _ = self._logits(model, rows, output)
        logits[:, self.never] = -torch.inf
        return logits.softmax(-1)[[distinct[key] for key in begun]]

    def logprobs(
        self, model: Any, prompts: Sequence[list[int]], answers: Sequence[Sequence[Answer]], output: Any
    ) -> AnswerLogprobs:
        """How likely the model finds every token of these answers; those that are alike are passed once."""
        distinct = [sorted(set(group)) for group in answers]
        every = [(n, answer) for n, group in enumerate(distinct) for answer in group]
        numbers = {key: k for k, key in enumerate(every)}
        rows = [[_part(prompt, answer) for answer in group] for prompt, group in zip(prompts, distinct, strict=True)]
        logits, tokens = self._logits(model, rows, output)
        places = [numbers[n, answer] for n, group in enumerate(answers) for answer in group]
        return AnswerLogprobs(logits.log_softmax(-1), tokens, [len(answer) for _, answer in every], places)

    def _goes_on(self, answer: Answer) -> bool:
        return not answer or answer[-1] != self.end

    def _logits(self, model: Any, rows: Sequence[Sequence[Part]], output: Any) -> tuple[torch.Tensor, torch.Tensor]:
        device = next(model.parameters()).device
        batch = {name: value.to(device) for name, value in self.packer.pack(rows, with_image=True).items()}
        return joint_stage.logits_at_labels(model, batch, output)


def _part(known: Sequence[int], answer: Answer) -> Part:
    """What a row holds of an answer: logits are made at its tokens."""
    return [*known, *answer], [False] * len(known) + [True] * len(answer)
