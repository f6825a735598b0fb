"""Log-probabilities of answers after prompts, in two ways that give the same: an image's keys and values shared, or padded rows.

`by_generation` lets the model's own `generate` follow forced tokens, so that whatever an architecture needs (token types,
positions, masks, caches) is its own affair. `by_shared_prefix` runs an image and the words before a question once, and
then all questions about it and their options as one tree of tokens: each sees the prefix and its own branch alone.
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, TypeVar

import torch

from pstgen.core.records import TooLarge

if TYPE_CHECKING:
    from pstgen.models.chat import Image
    from pstgen.models.huggingface import Model

T = TypeVar("T")
R = TypeVar("R")
WORDS = 12  # of a template before all questions, that are worth a pass of their own
UNUSED = (-1, -1)  # branch of a token that only pads
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

    Raises TooLarge where not even one fits.
    """
    start = 0
    while start < len(jobs):
        try:
            results = call(jobs[start : start + rows])
        except RuntimeError as error:
            if not is_out_of_memory(error):
                raise
            if rows == 1:
                raise TooLarge(f"one row does not fit the memory: {str(error).partition('. ')[0]}") from None
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


@dataclass(slots=True)
class Prefix:
    """What rows of one pass share: keys and values of what precedes their questions.

    cache: of one row an image, or None where nothing precedes. length: of each row, tokens. places: (rows), the position of
    the token that follows.
    """

    cache: Any = None
    length: int = 0
    places: Sequence[int] = ()


def by_shared_prefix(model: "Model", prompts: Sequence[Prompt]) -> list[tuple[float, ...]]:
    """All have images or none has. Questions about an image share its keys and values; without one, each is a row.

    Raises NotShared where the architecture or the prompts do not allow it.
    """
    if prompts[0].image is None:
        return _blind(model, prompts)
    ids = [model.chat.ids(prompt.text) for prompt in prompts]
    common = _common([tokens[:-1] for tokens in ids])
    by_image: dict[int, list[int]] = {}
    for n, prompt in enumerate(prompts):
        by_image.setdefault(id(prompt.image), []).append(n)
    rows, scores = list(by_image.values()), dict[int, tuple[float, ...]]()
    while rows:
        some = rows[: model.passes.images]
        tails = [[ids[n][common:] for n in row] for row in some]
        prefix = _prefix(model, [prompts[row[0]] for row in some], [row[0] for row in tails])
        if prefix is None:  # they are not equally long: one by one
            continue
        rows = rows[len(some) :]
        of_rows = _trees(model, [[prompts[n] for n in row] for row in some], tails, prefix)
        scores |= zip((n for row in some for n in row), of_rows, strict=True)
    return [scores[n] for n in range(len(prompts))]


def _blind(model: "Model", prompts: Sequence[Prompt]) -> list[tuple[float, ...]]:
    """A row for each question; what a long template writes before all of them is run once."""
    rows = _unpadded(model.inputs([prompt.text for prompt in prompts], [None] * len(prompts)))
    common = _common([tokens[:-1] for tokens in rows])
    prefix: Prefix | None = Prefix(places=[0])
    if common >= WORDS and len(rows) > 1:
        prefix = _prefix(model, prompts[:1], [rows[0][common:]])
    if prefix is None:
        raise NotShared
    if prefix.cache is not None:
        prefix.cache.batch_repeat_interleave(len(rows))
    tails = [[tokens[prefix.length :]] for tokens in rows]
    return _trees(
        model, [[p] for p in prompts], tails, Prefix(prefix.cache, prefix.length, [*prefix.places] * len(rows))
    )


def _common(rows: Sequence[Sequence[int]]) -> int:
    """How many first tokens all rows share."""
    shortest = min(map(len, rows))
    return next((n for n in range(shortest) if len({row[n] for row in rows}) > 1), shortest)


def _prefix(model: "Model", prompts: Sequence[Prompt], tails: Sequence[list[int]]) -> Prefix | None:
    """Of one prompt an image, without its tail; None where several images are not equally long."""
    from transformers.cache_utils import DynamicLayer

    try:
        inputs = model.inputs([prompt.text for prompt in prompts], [prompt.image for prompt in prompts])
    except ValueError:  # a processor that cannot put them side by side
        if len(prompts) == 1:
            raise
        model.passes.learn([0, 1])
        return None
    ids, rows = inputs["input_ids"], _unpadded(inputs)
    if len(rows) != len(prompts):
        raise NotShared
    if any(row[-len(tail) :] != tail for row, tail in zip(rows, tails, strict=True)):
        raise NotShared
    lengths = [len(row) - len(tail) for row, tail in zip(rows, tails, strict=True)]
    model.passes.learn(lengths)
    if len(set(lengths)) > 1:
        return None
    begins = [ids.shape[1] - len(row) for row in rows]

    def cut(value: Any) -> Any:
        if not torch.is_tensor(value) or value.shape[:2] != ids.shape:
            return value
        return torch.stack([row[begin : begin + lengths[0]] for row, begin in zip(value, begins, strict=True)])

    part = {name: cut(value) for name, value in inputs.items()}
    cache = model.model(**part, use_cache=True, logits_to_keep=1).past_key_values
    if not all(type(layer) is DynamicLayer for layer in cache.layers) or cache.get_seq_length() != lengths[0]:
        raise NotShared
    deltas = getattr(getattr(model.model, "model", None), "rope_deltas", None)
    moved = [0] * len(prompts) if deltas is None else deltas.flatten().tolist()
    return Prefix(cache, lengths[0], [lengths[0] + int(delta) for delta in moved])


def _unpadded(inputs: dict[str, Any]) -> list[list[int]]:
    """The tokens of each row, without what pads it."""
    pairs = zip(inputs["input_ids"], inputs["attention_mask"].bool(), strict=True)
    return [row[seen].tolist() for row, seen in pairs]


class _Row:
    """One row of a pass: its questions and their answers as one tree of tokens.

    branch: of each token, the number of its question and that of its answer, 0 in the question itself. ends: of each
    question, where the tokens after each prefix of an answer are foretold. width: what a question is padded to, before it.
    """

    def __init__(self, prompts: Sequence[Prompt], tails: Sequence[list[int]], place: int, width: int) -> None:
        self.prompts = prompts
        self.tokens: list[int] = []
        self.branches: list[tuple[int, int]] = []
        self.positions: list[int] = []
        self.ends: list[dict[tuple[int, ...], list[int]]] = []
        for q, (prompt, tail) in enumerate(zip(prompts, tails, strict=True)):
            self._add([0] * (width - len(tail)), UNUSED, 0)
            last = self._add(tail, (q, 0), place)[-1]
            after = place + len(tail)
            self.ends.append({p: [last, *self._add(p, (q, a), after)] for a, p in enumerate(prompt.prefixes, 1)})

    def _add(self, tokens: Sequence[int], branch: tuple[int, int], place: int) -> list[int]:
        start = len(self.tokens)
        self.tokens += tokens
        self.branches += [branch] * len(tokens)
        self.positions += range(place, place + len(tokens))
        return list(range(start, len(self.tokens)))

    def wanted(self) -> list[list[list[tuple[int, int]]]]:
        """Of each question and answer, the place and the token that is foretold there."""
        return [
            [list(zip(ends[answer[:-1]], answer, strict=True)) for answer in prompt.answers]
            for prompt, ends in zip(self.prompts, self.ends, strict=True)
        ]


def _trees(
    model: "Model", prompts: Sequence[Sequence[Prompt]], tails: Sequence[Sequence[list[int]]], prefix: Prefix
) -> list[tuple[float, ...]]:
    """Score all answers of all rows in one pass: a token sees the prefix, its question before it, and its own answer's tokens."""
    alone = all(len(row) == 1 for row in tails)
    width = max(len(row[0]) for row in tails) if alone else 0  # so that questions end in one column: logits are large
    rows = [_Row(*row, width) for row in zip(prompts, tails, prefix.places, strict=True)]
    longest = max(len(row.tokens) for row in rows)
    config = model.model.config.get_text_config()
    windows = [getattr(config, name, None) for name in ("sliding_window", "attention_chunk_size")]
    if prefix.length + longest > min((window for window in windows if window), default=prefix.length + longest):
        raise NotShared  # a mask of ours would let tokens look beyond their window
    wanted = [row.wanted() for row in rows]
    keep = sorted({place for row in wanted for of in row for pairs in of for place, _ in pairs})
    output = model.model(
        input_ids=_padded([row.tokens for row in rows], longest).to(model.device),
        attention_mask=_mask(rows, longest, prefix.length, model.model.dtype).to(model.device),
        position_ids=_padded([row.positions for row in rows], longest).to(model.device),
        past_key_values=prefix.cache,
        use_cache=prefix.cache is not None,
        logits_to_keep=torch.tensor(keep, device=model.device),
    )
    if output.logits.shape[:2] != (len(rows), len(keep)):
        raise NotShared
    at = {place: n for n, place in enumerate(keep)}
    flat = [
        (r, at[place], token) for r, row in enumerate(wanted) for of in row for pairs in of for place, token in pairs
    ]
    r, n, token = (torch.tensor(column, device=model.device) for column in zip(*flat, strict=True))
    logits = output.logits[r, n].float()
    values = iter((logits.gather(1, token[:, None])[:, 0] - logits.logsumexp(-1)).tolist())
    return [tuple(sum(next(values) for _ in pairs) for pairs in of) for row in wanted for of in row]


def _padded(rows: Sequence[Sequence[int]], length: int) -> torch.Tensor:
    return torch.tensor([[*row, *[0] * (length - len(row))] for row in rows])


def _mask(rows: Sequence[_Row], length: int, before: int, dtype: torch.dtype) -> torch.Tensor:
    """(rows, 1, length, before + length): 0 where a token looks, the least number of the type where it does not."""
    q, a = (
        _padded(
            [
                [branch[part] + 1 for branch in (*row.branches, *[UNUSED] * (length - len(row.branches)))]
                for row in rows
            ],
            length,
        )
        for part in (0, 1)
    )
    same = (q[:, :, None] == q[:, None]) & ((a[:, None] == 1) | (a[:, :, None] == a[:, None]))
    looks = same & torch.ones(length, length, dtype=torch.bool).tril()
    looks = torch.cat([looks.new_ones(len(rows), length, before), looks], dim=2)
    return torch.zeros(looks.shape, dtype=dtype).masked_fill(~looks, torch.finfo(dtype).min)[:, None]
