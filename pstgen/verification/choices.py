"""Options and answers as benchmarks write them: lists, letters, indices, or within the question."""

import ast
import re
import warnings
from collections.abc import Sequence
from typing import Any

LONGEST = 100_000  # characters of a list that Python wrote
NESTING, DEEPEST = "([{-+~", 100  # what its parser goes one level deeper for; more of the same are not parsed
DIGITS = 9  # of a place
YES_NO = ("yes", "no")
TRUTHS = {"1": 0, "true": 0, "0": 1, "false": 1}  # places in it
LETTERS = "ABCDEFGHIJ"
LETTER = re.compile(r"^\(?([A-Ja-j])\)?[.:)]?$")
MARKED = re.compile(r"(?:^|[\s,;])\(?([A-J])[.:)]\s+", re.MULTILINE)  # "A. a cup", "(A) a cup", "A: a cup"
MARKED_LOW = re.compile(r"(?:^|\s)\(([a-j])\)\s+")


def options(value: Any, question: str = "") -> tuple[str, ...]:
    """The options in a column's value, or those that the question lists; () where there are none."""
    if isinstance(value, dict):
        return tuple(str(part).strip() for part in value.values() if part is not None)
    if isinstance(value, str):
        return _written(value)
    if isinstance(value, (list, tuple)) and value:
        return tuple(_without_letter(str(part)) for part in value)
    return _marked(question)


def _written(text: str) -> tuple[str, ...]:
    """Of a text: a list as Python writes it, marked with letters, or one a line."""
    if text.strip().startswith("["):
        return _listed(text.strip())
    return _marked(text) or tuple(line.strip() for line in text.splitlines() if line.strip())


def _listed(text: str) -> tuple[str, ...]:
    """A list as Python writes it; () where it is none. Of a long or deep one Python's parser does not survive."""
    if len(text) > LONGEST or max(map(text.count, NESTING)) > DEEPEST:
        return ()
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # of escapes that Python does not know
            return tuple(str(part) for part in ast.literal_eval(text))
    except (ValueError, SyntaxError, TypeError, MemoryError, RecursionError):
        return ()


def _marked(text: str) -> tuple[str, ...]:
    """Parts of a text that begin with A, B, C, in that order.

    >>> _marked("Options: A: a cup, B: a dog"), _marked("(a) Open (b) Closed"), _marked("A cup")
    (('a cup', 'a dog'), ('Open', 'Closed'), ())
    """
    for pattern in (MARKED, MARKED_LOW):
        found = list(pattern.finditer(text))
        wanted = LETTERS[: len(found)]
        if len(found) > 1 and "".join(match[1].upper() for match in found) == wanted:
            ends = [*(match.start() for match in found[1:]), len(text)]
            return tuple(text[match.end() : end].strip(" ,;\n") for match, end in zip(found, ends, strict=True))
    return ()


def _without_letter(option: str) -> str:
    """An option of a list without the letter that stands before it.

    >>> _without_letter("(B) a dog"), _without_letter("A dog")
    ('a dog', 'A dog')
    """
    return re.sub(r"^\(?[A-J][.:)]\s+", "", option).strip()


def answer(value: Any, offered: Sequence[str]) -> int:
    """The index of the right option: as one of them, as its letter, or as its place; -1 where it is none.

    >>> answer("(A)", ["cup", "dog"]), answer("1", ["cup", "dog"]), answer("DOG", ["cup", "dog"]), answer("1", YES_NO), answer("(b)", YES_NO)
    (0, 1, 1, 0, 1)
    """
    if isinstance(value, (list, tuple)) and len(value) == 1:
        value = value[0]
    if isinstance(value, bool):
        value = "yes" if value else "no"
    low = [option.strip().lower() for option in offered]
    text = str(value).strip().lower().rstrip(".")
    if text in low:
        return low.index(text)
    if tuple(low) == YES_NO and text in TRUTHS:
        return TRUTHS[text]
    if match := LETTER.match(text):
        place = LETTERS.index(match[1].upper())
    else:
        place = (
            int(text) if text.isdecimal() and len(text) <= DIGITS else _place(_without_letter(str(value)).lower(), low)
        )
    return place if place < len(offered) else -1


def _place(text: str, low: Sequence[str]) -> int:
    return low.index(text) if text in low else -1
