"""Three ways of asking a model which option is right: by the options' words, by their letters, or in words of its own."""

import math
from collections.abc import Sequence
from typing import Any, Protocol, get_args

import numpy as np

from pstgen.core.config import Way
from pstgen.models.chat import Image
from pstgen.models.parsing import LETTERS, parse

PROMPT = "{question} Answer with one of: {options}."
BY_LETTER = "{question}\n{options}\nAnswer with the option's letter from the given choices directly."

WAYS: tuple[Way, ...] = get_args(Way)
MAX_TOKENS = 24  # of an answer in words of its own
CERTAIN = 0.999  # share of an option that is named, where nothing says how likely it is


class Answering(Protocol):
    """What can be asked: a model that is loaded here, or a server."""

    name: str

    @property
    def revision(self) -> str:
        """What exactly answers: weights, template, tokenizer, settings."""
        ...

    @property
    def chats(self) -> bool:
        """Does a chat template wrap the prompt?"""
        ...

    def score(
        self, questions: Sequence[str], options: Sequence[tuple[str, ...]], images: Sequence[Image | None], /
    ) -> list[tuple[float, ...]]:
        """Log-probability of every option after its prompt."""
        ...

    def generate(self, questions: Sequence[str], images: Sequence[Image | None], most: int, /) -> list[str]:
        """The greedy answer to every prompt, at most so many tokens."""
        ...


def prompt(question: str, options: Sequence[str]) -> str:
    """The text that a model is given; options in alphabetical order, since their order in an item is drawn later.

    >>> prompt("Is there a dog?", ("yes", "no"))
    'Is there a dog? Answer with one of: no, yes.'
    """
    return PROMPT.format(question=question, options=", ".join(sorted(options)))


def lettered(question: str, options: Sequence[str]) -> str:
    """The same with a letter before each option, in their order.

    >>> print(lettered("Is there a dog?", ("yes", "no")))
    Is there a dog?
    A. yes
    B. no
    Answer with the option's letter from the given choices directly.
    """
    lines = [f"{letter}. {option}" for letter, option in zip(LETTERS, options, strict=False)]
    return BY_LETTER.format(question=question, options="\n".join(lines))


def default_way(model: Answering) -> Way:
    """As the model's configuration says, which ours do; else by letters where a chat template wraps the prompt.

    A text that is only continued goes on with the options' words.
    """
    config = getattr(getattr(model, "model", None), "config", None)
    own: Way | None = getattr(config, "ask", None)
    return own or ("letters" if model.chats else "options")


def ask(
    model: Answering,
    way: Way,
    questions: Sequence[str],
    options: Sequence[tuple[str, ...]],
    images: Sequence[Image | None],
) -> list[tuple[float, ...]]:
    """Of every question, the log-probability of each option; () where an answer in words of its own names none, or several."""
    if way == "options":
        return model.score([prompt(*pair) for pair in zip(questions, options, strict=True)], options, images)
    if way == "letters":
        return _by_letter(model, questions, options, images)
    texts = model.generate([prompt(*pair) for pair in zip(questions, options, strict=True)], images, MAX_TOKENS)
    return [_certain(parse(text, of, letters=False), len(of)) for text, of in zip(texts, options, strict=True)]


def _by_letter(
    model: Answering,
    questions: Sequence[str],
    options: Sequence[tuple[str, ...]],
    images: Sequence[Image | None],
) -> list[tuple[float, ...]]:
    """The mean over the item's order and the reversed one of each option's log-probability, so that a love of A is no answer."""
    turned = [of[::-1] for of in options]
    prompts = [lettered(*pair) for order in (options, turned) for pair in zip(questions, order, strict=True)]
    letters = [tuple(LETTERS[: len(of)]) for of in options]
    scores = model.score(prompts, letters * 2, [*images, *images])
    forth, back = (map(_normalized, half) for half in (scores[: len(options)], scores[len(options) :]))
    return [tuple(((a + b[::-1]) / 2).tolist()) for a, b in zip(forth, back, strict=True)]


def _normalized(scores: Sequence[float]) -> Any:
    row = np.array(scores)
    return row - np.logaddexp.reduce(row)


def _certain(choice: int | None, options: int) -> tuple[float, ...]:
    if choice is None:
        return ()
    rest = math.log((1 - CERTAIN) / (options - 1))
    return tuple(math.log(CERTAIN) if n == choice else rest for n in range(options))
