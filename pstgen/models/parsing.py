"""Reads an answer in a model's own words: strictly, so that nothing is guessed, and fairly, so that "Yes, it is." is a yes."""

import re
import string
from collections.abc import Sequence
from functools import cache, lru_cache
from typing import Any

LETTERS = string.ascii_uppercase
THOUGHT = re.compile(r"^.*</think>", re.DOTALL)
ANNOUNCED = re.compile(r"\banswer(?: is:?|:)(?: that)?\s*", re.IGNORECASE)  # "Answer: X", "the answer is X"
DECORATION = re.compile(r"[*_`\"\u201c\u201d\u2018\u2019]|\\boxed|\\text|[{}$]")
LETTERED = re.compile(r"\(?([A-Z])(?:[).:]+(?=\s|$)|\)|$)(?:\s+|$)")  # "A", "A.", "(A)", "A) yes"
SPOKEN = re.compile(r"\b(?:option|choice|letter) \(?([A-Z])\b", re.IGNORECASE)
DENIED = re.compile(r"(?:\bnot|n't|\bnever|\bneither|\brather than|\binstead of)\s+(?:an?\s+|the\s+)?$")
NUMBERS = 100  # numerals below this are read in words, too


def parse(text: str, options: Sequence[str]) -> int | None:
    """The index of the one option that a text names, in the order in which options are lettered; None where it is none or several.

    A letter counts alone or before a full stop, colon or bracket; an option by its whole words, a number in digits or in
    words. Where an answer is announced ("The answer is …"), what comes after counts; a thought that is closed does not.

    >>> parse("Yes, it is.", ("no", "yes")), parse("The answer is B", ("no", "yes")), parse("two", ("1", "2"))
    (1, 1, 1)
    >>> parse("It could be red or blue.", ("red", "blue")), parse("I cannot see it.", ("no", "yes"))
    (None, None)
    """
    said = DECORATION.sub("", THOUGHT.sub("", text)).strip()
    *_, announced = ANNOUNCED.split(said)
    for part in dict.fromkeys((announced.strip(), said)):
        named = _named(part, tuple(options))
        if len(named) == 1:
            return named.pop()
        if named:
            return None
    return None


def _named(text: str, options: tuple[str, ...]) -> set[int]:
    """Every option that the text names, by its letter or its words; all of them where it denies one."""
    whole = _plain(text)
    for n, option in enumerate(options):
        if whole in _spellings(option) or whole == LETTERS[n].lower():
            return {n}
    named: set[int] = set()
    rest = text
    if letter := LETTERED.match(text):
        named.add(LETTERS.index(letter[1]))
        rest = text[letter.end() :]
    named |= {LETTERS.index(letter.upper()) for letter in SPOKEN.findall(rest)}
    if named and max(named) >= len(options):
        return set(range(len(options)))
    found, denied = _in_words(_plain(rest), options)
    return set(range(len(options))) if denied else named | found


def _in_words(text: str, options: tuple[str, ...]) -> tuple[set[int], bool]:
    """Which options a text names, the longest first, each place once; does it deny one that it does not name as well?"""
    spelt = sorted(((spelling, n) for n, option in enumerate(options) for spelling in _spellings(option)), reverse=True)
    found: set[int] = set()
    denied = False
    for spelling, n in sorted(spelt, key=lambda pair: -len(pair[0])):
        pattern = re.compile(rf"(?<![\w-]){re.escape(spelling)}(?![\w-])")
        while match := pattern.search(text):
            denied |= bool(DENIED.search(text[: match.start()]))
            found.add(n)
            text = f"{text[: match.start()]}#{text[match.end() :]}"
    return found, denied


def _plain(text: str) -> str:
    """Lower case, single spaces, without the full stop at its end."""
    return " ".join(text.lower().split()).strip(" .,!;:")


@cache
def _numbers() -> Any:
    import inflect

    return inflect.engine()


@lru_cache(maxsize=4096)
def _spellings(option: str) -> frozenset[str]:
    plain = _plain(option)
    spellings = {plain, plain.removeprefix("the ")}
    if plain.isdecimal() and int(plain) < NUMBERS:
        spellings.add(_numbers().number_to_words(int(plain)))
    return frozenset(spellings)
