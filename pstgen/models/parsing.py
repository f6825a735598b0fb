"""Reads an answer in a model's own words: strictly, so that nothing is guessed, and fairly, so that "Yes, it is." is a yes."""

import re
import string
from collections.abc import Sequence
from functools import cache, lru_cache
from typing import Any

LETTERS = string.ascii_uppercase
THOUGHT = re.compile(r"^.*</think>", re.DOTALL)
OPEN_THOUGHT = "<think>"
ANNOUNCED = re.compile(r"\banswer(?: is:?|:)(?: that)?\s*", re.IGNORECASE)  # "Answer: X", "the answer is X"
DECORATION = re.compile(r"[*_`\"\u201c\u201d\u2018]|\\boxed|\\text|[{}$]")
LETTERED = re.compile(
    r"^\(?([A-Z])\)?(?:(?=[.:,)])[.:,)]*\s*|\s*$)", re.MULTILINE
)  # "A", "A.", "(A)", "A) yes", on a line of its own
SPOKEN = re.compile(r"\b(?:option|choice|letter) \(?([A-Z])\b", re.IGNORECASE)
CLAUSE = re.compile(r"[.,;:!?]\s|\n")
DENIALS = r"\b(?:not|\w+n't|cannot|never|no|without|neither|nor|but|rather than|instead of|(?:more|less|fewer) than|at (?:least|most))\b"
TENS = r"twenty|thirty|forty|fifty|sixty|seventy|eighty|ninety"
COMPOUND = re.compile(rf"\b({TENS}) (one|two|three|four|five|six|seven|eight|nine)\b")
NUMBERS = 100  # numerals below this are read in words, too


def parse(text: str, options: Sequence[str], *, letters: bool = True) -> int | None:
    """The index of the one option that a text names; None where it names none or several, or denies one.

    letters: were the options lettered, in their order? A letter counts at the beginning of a line, before a full stop, comma,
    colon or bracket or alone; an option by its whole words, a number in digits or in words. Where an answer is announced
    ("The answer is …"), what comes after counts; a thought that is closed does not, one that is not closed is no answer.

    >>> parse("Yes, it is.", ("no", "yes")), parse("The answer is B", ("no", "yes")), parse("two", ("1", "2"))
    (1, 1, 1)
    >>> parse("It could be red or blue.", ("red", "blue")), parse("I cannot see it.", ("no", "yes"))
    (None, None)
    """
    said = DECORATION.sub("", THOUGHT.sub("", text).replace("\u2019", "'")).strip()
    if OPEN_THOUGHT in said:
        return None
    *_, announced = ANNOUNCED.split(said)
    for part in dict.fromkeys((announced.strip(), said)):
        named = _named(part, tuple(options), letters=letters)
        if len(named) == 1:
            return named.pop()
        if named:
            return None
    return None


def _named(text: str, options: tuple[str, ...], *, letters: bool) -> set[int]:
    """Every option that the text names, by its letter or its words; all of them where it denies one, or names what is none."""
    whole = _plain(text)
    for n, option in enumerate(options):
        is_letter = letters and n < len(LETTERS) and whole == LETTERS[n].lower()
        if is_letter or whole in _spellings(option):
            return {n}
    found = _in_words(LETTERED.sub("", text) if letters else text, options)
    if letters:
        found |= {LETTERS.index(letter.upper()) for letter in (*LETTERED.findall(text), *SPOKEN.findall(text))}
    every = set(range(len(options)))
    return every if found - every else found


def _in_words(text: str, options: tuple[str, ...]) -> set[int]:
    """Which options a text names, the longest first, each place once; all of them where it denies one."""
    spelt = sorted({(spelling, n) for n, option in enumerate(options) for spelling in _spellings(option)}, key=_longest)
    denial = re.compile(DENIALS)
    plain_options = {_plain(option) for option in options}
    found: set[int] = set()
    for clause in map(_plain, CLAUSE.split(text)):
        left = COMPOUND.sub(r"\1-\2", clause)
        denied = min((m.start() for m in denial.finditer(left) if m[0] not in plain_options), default=len(left))
        for spelling, n in spelt:
            pattern = re.compile(rf"(?<![\w-])(?<!\d[.,]){re.escape(spelling)}(?![\w-])(?![.,]\d)")
            for match in pattern.finditer(left):
                if match.start() > denied:
                    return set(range(len(options)))
                found.add(n)
            left = pattern.sub(lambda match: "#" * len(match[0]), left)
    return found


def _longest(spelt: tuple[str, int]) -> tuple[int, str, int]:
    return -len(spelt[0]), *spelt


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
