"""Log-probabilities of answers after prompts, in two ways that give the same: an image's keys and values shared, or padded rows.

`by_generation` lets the model's own `generate` follow forced tokens, so that whatever an architecture needs (token types,
positions, masks, caches) is its own affair. `by_shared_prefix` runs an image and the words before a question once, and
then all questions about it and their options as one tree of tokens: each sees the prefix and its own branch alone.
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, TypeVar

import torch

from pstgen.core.records import Unavailable

if TYPE_CHECKING:
    from pstgen.models.chat import Image
    from pstgen.models.huggingface import Model

T = TypeVar("T")
R = TypeVar("R")
FULL = ("NoMemory", "not enough memory", "can't allocate memory", "out of memory")


class NotShared(Exception):
    """A prefix cannot be shared: another way serves."""


@dataclass(frozen=True, slots=True, eq=False)
class Prompt:
    """A prompt with the tokens of each answer to it. text: as the chat template writes it. image: or None."""

    text: str
    answers: tuple[tuple[int, ...], ...]
    image: "Image | None"

    @property
    def prefixes(self) -> tuple[tuple[int, ...], ...]:
        """What precedes the last token of an answer; answers that differ in that alone share one."""
        return tuple(dict.fromkeys(answer[:-1] for answer in self.answers))


def by_generation(model: "Model", prompts: Sequence[Prompt], rows: int) -> list[tuple[float, ...]]:
    """Rows of prompt and forced tokens, at most so many at once, each step's logits read off. All have images or none has."""
    jobs = [(n, prefix) for n, prompt in enumerate(prompts) for prefix in prompt.prefixes]
    jobs.sort(key=lambda job: len(job[1]))

    def steps(some: Sequence[tuple[int, tuple[int, ...]]]) -> list[torch.Tensor]:
        longest = max(len(prefix) for _, prefix in some)
        forced = torch.zeros(len(some), longest + 1, dtype=torch.long, device=model.device)
        for row, (_, prefix) in enumerate(some):
            forced[row, : len(prefix)] = torch.tensor(prefix, dtype=torch.long)
        inputs = model.inputs([prompts[n].text for n, _ in some], [prompts[n].image for n, _ in some])
        return list(_follow(model, inputs, forced))

    logprobs = dict(zip(jobs, within_memory(steps, jobs, rows), strict=True))
    return [
        tuple(_total(logprobs[n, answer[:-1]], answer) for answer in prompt.answers) for n, prompt in enumerate(prompts)
    ]


def _follow(model: "Model", inputs: dict[str, Any], forced: torch.Tensor) -> torch.Tensor:
    """(rows, steps, vocabulary): log-probabilities as `generate` computes them while it follows the forced tokens.

    Raises RuntimeError where it did not follow them.
    """
    steps = [iter(row) for row in forced.tolist()]
    output = model.model.generate(
        **inputs,
        max_new_tokens=forced.shape[1],
        do_sample=False,
        num_beams=1,
        prefix_allowed_tokens_fn=lambda row, _: [next(steps[row])],
        output_logits=True,
        return_dict_in_generate=True,
        eos_token_id=-1,
        pad_token_id=model.tokenizer.pad_token_id,
    )
    if not torch.equal(output.sequences[:, -forced.shape[1] :], forced):
        raise RuntimeError("generate did not follow the forced tokens")
    return torch.stack([step.float().log_softmax(-1).cpu() for step in output.logits], dim=1)


def _total(steps: torch.Tensor, answer: tuple[int, ...]) -> float:
    return float(sum(steps[k, token] for k, token in enumerate(answer)))


def within_memory(call: Callable[[Sequence[T]], Sequence[R]], jobs: Sequence[T], rows: int) -> Iterator[R]:
    """The results of `call` on at most so many jobs at once; where memory runs out, of half as many from there on.

    Raises Unavailable where not even one fits.
    """
    start = 0
    while start < len(jobs):
        try:
            results = call(jobs[start : start + rows])
        except RuntimeError as error:
            if not is_out_of_memory(error):
                raise
            if rows == 1:
                raise Unavailable(f"one row does not fit the memory: {str(error).partition('. ')[0]}") from None
            rows = max(1, min(rows, len(jobs) - start) // 2)
            if torch.cuda.is_available():
                torch.cuda.empty_cache()
            continue
        start += rows
        yield from results


def is_out_of_memory(error: RuntimeError) -> bool:
    """Does an error of torch's say so, on whatever device?"""
    return isinstance(error, torch.OutOfMemoryError) or any(words in str(error) for words in FULL)


# ---------------------------------------------------------------------------------------------------- shared prefix


def by_shared_prefix(model: "Model", prompts: Sequence[Prompt]) -> list[tuple[float, ...]]:
    """Of prompts that show one and the same image, or none.

    Raises NotShared where the architecture or the prompts do not allow it.
    """
    ids = [model.chat.ids(prompt.text) for prompt in prompts]
    common = _common([tokens[:-1] for tokens in ids])
    tails = [tokens[common:] for tokens in ids]
    cache, place = _prefix(model, prompts[0], tails[0])
    return _tree(model, prompts, tails, cache, place)


def _common(rows: Sequence[Sequence[int]]) -> int:
    """How many first tokens all rows share."""
    shortest = min(map(len, rows))
    return next((n for n in range(shortest) if len({row[n] for row in rows}) > 1), shortest)


def _prefix(model: "Model", prompt: Prompt, tail: list[int]) -> tuple[Any, int]:
    """Keys and values of the prompt without its tail, and the position of the token that follows it; (None, 0) of nothing."""
    from transformers.cache_utils import DynamicLayer

    inputs = model.inputs([prompt.text], [prompt.image])
    ids = inputs["input_ids"]
    if ids.shape[0] != 1 or ids[0, -len(tail) :].tolist() != tail or not bool(inputs["attention_mask"].all()):
        raise NotShared
    length = ids.shape[1] - len(tail)
    if not length:
        return None, 0
    part = {
        name: value[:, :length] if torch.is_tensor(value) and value.shape[:2] == ids.shape else value
        for name, value in inputs.items()
    }
    cache = model.model(**part, use_cache=True, logits_to_keep=1).past_key_values
    if not all(type(layer) is DynamicLayer for layer in cache.layers) or cache.get_seq_length() != length:
        raise NotShared
    deltas = None if prompt.image is None else getattr(model.model.model, "rope_deltas", None)
    return cache, length + (0 if deltas is None else int(deltas.flatten()[0]))


def _tree(
    model: "Model", prompts: Sequence[Prompt], tails: Sequence[list[int]], cache: Any, place: int
) -> list[tuple[float, ...]]:
    """Score all answers in one pass: every token sees the prefix, its own question before it, and its own answer's tokens."""
    tokens: list[int] = []
    question: list[int] = []
    answer: list[int] = []  # 0 in the question itself
    position: list[int] = []
    ends: list[dict[tuple[int, ...], list[int]]] = []  # places that predict the tokens after each prefix of an answer

    def add(more: Sequence[int], q: int, a: int, begin: int) -> list[int]:
        start = len(tokens)
        tokens.extend(more)
        question.extend([q] * len(more))
        answer.extend([a] * len(more))
        position.extend(range(begin, begin + len(more)))
        return list(range(start, len(tokens)))

    for q, (prompt, tail) in enumerate(zip(prompts, tails, strict=True)):
        last = add(tail, q, 0, place)[-1]
        ends.append({p: [last, *add(p, q, a, place + len(tail))] for a, p in enumerate(prompt.prefixes, 1)})
    keep = sorted({place for of in ends for places in of.values() for place in places})
    device = model.device
    output = model.model(
        input_ids=torch.tensor([tokens], device=device),
        attention_mask=_mask(question, answer, cache, model.model.dtype, device),
        position_ids=torch.tensor([position], device=device),
        past_key_values=cache,
        use_cache=True,
        logits_to_keep=torch.tensor(keep, device=device),
    )
    if output.logits.shape[1] != len(keep):
        raise NotShared
    logprobs = output.logits[0].float().log_softmax(-1)
    row = {place: n for n, place in enumerate(keep)}
    wanted = [
        [[(row[place], token) for place, token in zip(of[a[:-1]], a, strict=True)] for a in prompt.answers]
        for prompt, of in zip(prompts, ends, strict=True)
    ]
    flat = [pair for of in wanted for pairs in of for pair in pairs]
    values = iter(logprobs[tuple(zip(*flat, strict=True))].tolist())
    return [tuple(sum(next(values) for _ in pairs) for pairs in of) for of in wanted]


def _mask(question: list[int], answer: list[int], cache: Any, dtype: torch.dtype, device: str) -> torch.Tensor:
    """(1, 1, tokens, prefix + tokens): 0 where a token looks, the least number of the type where it does not."""
    q, a = torch.tensor(question, device=device), torch.tensor(answer, device=device)
    same = (q[:, None] == q) & ((a == 0) | (a[:, None] == a))
    looks = same & torch.ones_like(same).tril()
    before = cache.get_seq_length() if cache is not None else 0
    looks = torch.cat([looks.new_ones(len(q), before), looks], dim=1)
    return torch.zeros(looks.shape, dtype=dtype, device=device).masked_fill(~looks, torch.finfo(dtype).min)[None, None]
