"""Reasons why records were left out, told together: those that differ by numbers, names or sizes alone are one."""

import re
from collections import Counter
from collections.abc import Iterable, Mapping

from pstgen.core.records import Refusal

NOUNS = {"image": "picture"}  # by the first word of a record's name, where it is called otherwise


def kind(reason: str) -> str:
    """A reason without its numbers, lists and quoted words.

    >>> kind("is 3x4, annotated as 'cup'") == kind("is 12x9, annotated as 'dog'")
    True
    """
    return re.sub(r"\d[\d.,]*|\[[^]]*\]|'[^']*'", "#", reason)


def alike(reasons: Mapping[str, int]) -> list[tuple[str, int]]:
    """Reasons that differ by numbers, names or sizes alone, as one each, with their counts; the commonest first.

    >>> alike({"is 3x4, annotated as 4x3": 1, "is 9x9, annotated as 8x9": 2, "is empty": 1})
    [('is 9x9, annotated as 8x9', 3), ('is empty', 1)]
    """
    kinds: dict[str, Counter[str]] = {}
    for reason, n in reasons.items():
        kinds.setdefault(kind(reason), Counter())[reason] += n
    told = [(same.most_common(1)[0][0], same.total()) for same in kinds.values()]
    return sorted(told, key=lambda row: (-row[1], row[0]))


def left_out(refusals: Iterable[Refusal]) -> list[tuple[str, int]]:
    """What was left out and why, with counts; the commonest first.

    >>> left_out([Refusal(file="a.jpg", record="image 1", reason="is empty")])
    [('picture left out: is empty', 1)]
    """
    by_noun: dict[str, Counter[str]] = {}
    for refusal in refusals:
        noun = refusal.record.partition(" ")[0]
        by_noun.setdefault(NOUNS.get(noun, noun), Counter())[refusal.reason] += 1
    told = [
        (f"{noun}{'s' * (n > 1)} left out: {reason}", n)
        for noun, reasons in by_noun.items()
        for reason, n in alike(reasons)
    ]
    return sorted(told, key=lambda row: (-row[1], row[0]))
