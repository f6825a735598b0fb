"""Is the language kept? Perplexity and multiple choice on words alone, no image anywhere."""

import csv
import math
from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np
from more_itertools import batched

from pstgen.core.records import BadInput
from pstgen.evaluation.metrics import Choice, Evaluation, Headline, Scores
from pstgen.models.huggingface import Model
from pstgen.training.systems import Plan

HEADLINES = (
    Headline("choice", "language", place=40),
    Headline("perplexity", "perplexity", unit="", higher_is_better=False, digits=2, in_table=False, place=41),
)
EXPENSIVE = True
WINDOW = 512  # tokens that are read at once
BATCH = 16
LETTERS = ("A", "B", "C", "D")
LETTERED = "{}\nA. {}\nB. {}\nC. {}\nD. {}\nAnswer:"  # MMLU's own form (Hendrycks et al. 2021), without worked examples


MISSING = {"perplexity": "there is no text of two tokens", "choice": "there are no questions"}


def inapplicable(plan: Plan) -> str:
    """Systems that share weights know the same language; what several models know is none of one system."""
    if plan.parts:
        return "several models answer"
    return f"answers with the weights of {plan.weights_of}: see there" if plan.weights_of else ""


def measure(evaluation: Evaluation, /) -> Scores:
    """The figures of `score`, on the run's own texts and questions."""
    language = evaluation.language
    return score(evaluation.answerer.model, language.texts, language.choices)


def score(model: Model, texts: Sequence[str], questions: Sequence[Choice]) -> Scores:
    """`perplexity` per token of the texts, and `choice`: percent of the questions whose right option is the likeliest.

    The tokens are those of the model's own tokenizer, so perplexities compare between models that share it. Each text is
    read by itself, in windows of 512 tokens; every token but a window's first is predicted from those before it. An
    option's score is its log-probability after the question.

    per_question: 0 or 1 by the question's place, from 0.
    """
    right = {str(n): float(won) for n, won in enumerate(_right(model, questions))}
    figures = {
        "perplexity": _perplexity(model, texts),
        "choice": 100 * sum(right.values()) / len(right) if right else None,
    }
    return Scores(
        figures={name: value for name, value in figures.items() if value is not None},
        per_question=right,
        absent={name: reason for name, reason in MISSING.items() if figures[name] is None},
    )


def _right(model: Model, questions: Sequence[Choice]) -> Iterator[bool]:
    """Of each question: is the likeliest option the answer?"""
    for batch in batched(questions, BATCH):
        texts, options = [choice.question for choice in batch], [choice.options for choice in batch]
        for choice, logprobs in zip(batch, model.score(texts, options, [None] * len(batch)), strict=True):
            yield choice.options[int(np.argmax(logprobs))] == choice.answer


def _perplexity(model: Model, texts: Sequence[str]) -> float | None:
    encoded = [model.tokenizer(text)["input_ids"] for text in texts]
    windows = sorted((window for ids in encoded for window in batched(ids, WINDOW)), key=len)
    sums = [_negative_log_likelihood(model, batch) for batch in batched(windows, BATCH)]
    tokens = sum(number for _, number in sums)
    return math.exp(sum(nats for nats, _ in sums) / tokens) if tokens else None


def _negative_log_likelihood(model: Model, windows: Sequence[Sequence[int]]) -> tuple[float, int]:
    """Nats over all tokens that are predicted, and how many those are."""
    import torch

    length = max(map(len, windows))
    ids = torch.tensor([[*window, *[0] * (length - len(window))] for window in windows], device=model.device)
    mask = torch.tensor([[1] * len(window) + [0] * (length - len(window)) for window in windows], device=model.device)
    with torch.inference_mode():
        logprobs = model.model(input_ids=ids, attention_mask=mask).logits[:, :-1].float().log_softmax(-1)
    predicted = logprobs.gather(-1, ids[:, 1:, None])[..., 0][mask[:, 1:].bool()]
    return -float(predicted.sum()), predicted.numel()


def mmlu(path: Path) -> Iterator[Choice]:
    """Read MMLU's questions: a CSV file, or those of `path`/test or of `path` itself (dev/ holds the worked examples).

    A line is a question, its options A to D and the letter of the right one; there is no header. The question names
    the options, and what is chosen is a letter. Raises BadInput, naming file and line, where a line is anything else.
    """
    folder = path / "test" if (path / "test").is_dir() else path
    files = [path] if path.is_file() else sorted(folder.glob("*.csv"))
    if not files:
        raise BadInput(f"{folder}: no CSV file here; name one, or MMLU's folder, which holds test/*.csv")
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
