"""Reasons why records were left out, grouped: those that differ by numbers, names or sizes alone count as the same."""

import re
from collections import Counter
from collections.abc import Iterable, Mapping

from pstgen.core.report import Refusal

NOUNS = {"image": "picture"}  # by the first word of a record's name, where users call it otherwise

TAKEN = " was taken"  # how a reason ends of what is odd, and stays


def kind(reason: str) -> str:
    """A reason without its numbers, lists and quoted words.

    >>> kind("is 3x4, annotated as 'cup'") == kind("is 12x9, annotated as 'dog'")
    True
    """
    return re.sub(r"\d[\d.,]*|\[[^]]*\]|'[^']*'", "#", reason)


def grouped(reasons: Mapping[str, int]) -> list[tuple[str, int]]:
    """The commonest reason of each kind, with the count of the whole kind; the commonest kind first.

    >>> grouped({"is 3x4, annotated as 4x3": 1, "is 9x9, annotated as 8x9": 2, "is empty": 1})
    [('is 9x9, annotated as 8x9', 3), ('is empty', 1)]
    """
    kinds: dict[str, Counter[str]] = {}
    for reason, n in reasons.items():
        kinds.setdefault(kind(reason), Counter())[reason] += n
    return _commonest_first((same.most_common(1)[0][0], same.total()) for same in kinds.values())


def left_out(refusals: Iterable[Refusal]) -> list[tuple[str, int]]:
    """What was left out and why, with counts; the commonest first.

    What was taken all the same, in part, is no more than odd.

    >>> left_out([Refusal(file="a.jpg", record="image 1", reason="is empty")])
    [('picture left out: is empty', 1)]
    """
    by_noun: dict[str, Counter[str]] = {}
    for refusal in refusals:
        noun = refusal.record.partition(" ")[0]
        by_noun.setdefault(NOUNS.get(noun, noun), Counter())[refusal.reason] += 1
    return _commonest_first(
        (f"{noun}{'s' * (n > 1)}{'' if reason.endswith(TAKEN) else ' left out'}: {reason}", n)
        for noun, reasons in by_noun.items()
        for reason, n in grouped(reasons)
    )


def _commonest_first(counts: Iterable[tuple[str, int]]) -> list[tuple[str, int]]:
    return sorted(counts, key=lambda row: (-row[1], row[0]))
