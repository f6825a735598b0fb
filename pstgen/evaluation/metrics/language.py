"""Is the language kept? Perplexity and multiple choice on words alone, no image anywhere."""

import csv
import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from pstgen.core.records import BadInput
from pstgen.evaluation.metrics import Scores
from pstgen.models.huggingface import Model

WINDOW = 512  # tokens that are read at once
BATCH = 16
LETTERS = ("A", "B", "C", "D")
LETTERED = "{}\nA. {}\nB. {}\nC. {}\nD. {}\nAnswer:"  # MMLU's own form (Hendrycks et al. 2021), without worked examples


@dataclass(frozen=True, slots=True)
class Choice:
    """A question about no image. answer: one of the options."""

    question: str
    options: tuple[str, ...]
    answer: str


def measure(model: Model, texts: Sequence[str], questions: Sequence[Choice]) -> Scores:
    """`perplexity` per token of the texts, and `choice`: percent of the questions whose right option is the likeliest.

    The tokens are those of the model's own tokenizer, so perplexities compare between models that share it. Each text is
    read by itself, in windows of 512 tokens; every token but a window's first is predicted from those before it. An
    option's score is its log-probability after the question.

    per_question: 0 or 1 by the question's place, from 0.
    """
    chosen = _chosen(model, questions)
    right = {str(n): float(said == one.answer) for n, (said, one) in enumerate(zip(chosen, questions, strict=True))}
    predicted = _perplexity(model, texts)
    figures = {"perplexity": predicted, "choice": 100 * sum(right.values()) / len(right) if right else None}
    missing = {"perplexity": "there is no text of two tokens", "choice": "there are no questions"}
    return Scores(
        figures={name: one for name, one in figures.items() if one is not None},
        per_question=right,
        absent={name: why for name, why in missing.items() if figures[name] is None},
    )


def _chosen(model: Model, questions: Sequence[Choice]) -> Iterator[str]:
    for start in range(0, len(questions), BATCH):
        some = questions[start : start + BATCH]
        words, options = [one.question for one in some], [one.options for one in some]
        for one, scores in zip(some, model.score(words, options, [None] * len(some)), strict=True):
            yield one.options[int(np.argmax(scores))]


def _perplexity(model: Model, texts: Sequence[str]) -> float | None:
    read = [model.tokenizer(text)["input_ids"] for text in texts]
    windows = sorted((ids[start : start + WINDOW] for ids in read for start in range(0, len(ids), WINDOW)), key=len)
    told = [_surprise(model, windows[start : start + BATCH]) for start in range(0, len(windows), BATCH)]
    tokens = sum(number for _, number in told)
    return math.exp(sum(nats for nats, _ in told) / tokens) if tokens else None


def _surprise(model: Model, windows: Sequence[Sequence[int]]) -> tuple[float, int]:
    """Nats over all tokens that are predicted, and how many those are."""
    import torch

    length = max(map(len, windows))
    ids = torch.tensor([[*some, *[0] * (length - len(some))] for some in windows], device=model.device)
    known = torch.tensor([[1] * len(some) + [0] * (length - len(some)) for some in windows], device=model.device)
    with torch.inference_mode():
        logprobs = model.model(input_ids=ids, attention_mask=known).logits[:, :-1].float().log_softmax(-1)
    after = logprobs.gather(-1, ids[:, 1:, None])[..., 0][known[:, 1:].bool()]
    return -float(after.sum()), after.numel()


def mmlu(given: Path) -> Iterator[Choice]:
    """Read MMLU's questions: a CSV file, or those of `given`/test or of `given` itself (dev/ holds the worked examples).

    A line is a question, its options A to D and the letter of the right one; there is no header. The question names
    the options, and what is chosen is a letter. Raises BadInput, naming file and line, where a line is anything else.
    """
    where = given / "test" if (given / "test").is_dir() else given
    files = [given] if given.is_file() else sorted(where.glob("*.csv"))
    if not files:
        raise BadInput(f"{where}: no CSV file here; name one, or MMLU's folder, which holds test/*.csv")
    for file in files:
        yield from _choices(file)


def _choices(file: Path) -> Iterator[Choice]:
    try:
        with file.open(encoding="utf-8", newline="") as lines:
            reader = csv.reader(lines, strict=True)
            for cells in reader:
                yield _choice(cells, f"{file}: line {reader.line_num}")
    except UnicodeDecodeError as error:
        raise BadInput(f"{file}: is not UTF-8 text: {error}") from None
    except csv.Error as error:
        raise BadInput(f"{file}: line {reader.line_num}: is not CSV: {error}") from None


def _choice(cells: Sequence[str], where: str) -> Choice:
    if len(cells) != 2 + len(LETTERS):
        raise BadInput(f"{where}: has {len(cells)} cells; it takes six: question, A, B, C, D, and the right letter")
    letter = cells[-1]
    if letter not in LETTERS:
        raise BadInput(f"{where}: the right letter is {letter!r}; it takes one of {', '.join(LETTERS)}")
    return Choice(LETTERED.format(*cells), LETTERS, letter)
