"""What words say of a scene: which categories its captions name, by word, plural, synonym and hyponym."""

import re
from collections.abc import Iterable
from functools import cache

import msgspec

from pstgen.core import resources
from pstgen.core.english import grammar
from pstgen.core.memo import for_the_last
from pstgen.core.records import Scene


class Vocabulary(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What people call a category, and how far the silence of annotators can be trusted.

    say: what a question calls it, where that is not its name. words: synonyms and hyponyms. alike: categories that people mistake for it, or call the same.
    conspicuous: large and seldom hidden, so that annotators do not miss it. uncounted: comes in parts that one person counts and another does not.
    """

    say: str = ""
    words: tuple[str, ...] = ()
    alike: tuple[str, ...] = ()
    conspicuous: bool = False
    uncounted: bool = False
    hollow: bool = False
    vague: bool = False
    unless: tuple[str, ...] = ()


@cache
def vocabulary(category: str) -> Vocabulary:
    """The table's row; a category that the table does not know has no synonyms and is not conspicuous."""
    return _table().get(category, Vocabulary())


@cache
def _table() -> dict[str, Vocabulary]:
    return resources.read("data_sources", "words", dict[str, Vocabulary])


@cache
def plural(noun: str) -> str:
    """The plural; of "pair of skis" and the like, that of the first word.

    >>> plural("person"), plural("pair of scissors"), plural("TV")
    ('people', 'pairs of scissors', 'TVs')
    """
    head, of, rest = noun.partition(" of ")
    return (f"{head}s" if head.isupper() else str(grammar().plural(head))) + of + rest


def spoken(category: str) -> str:
    """What a question calls the category; anything that is no category stands for itself."""
    return vocabulary(category).say or category


@cache
def names(category: str) -> frozenset[str]:
    """Every word or phrase, lower case, that names the category: singular and plural.

    >>> sorted(names("zebra"))
    ['zebra', 'zebras']
    """
    single = (category, *vocabulary(category).words)
    return frozenset(w for word in single for w in (word, plural(word)))


@for_the_last
def _phrases(captions: tuple[str, ...]) -> frozenset[str]:
    """All runs of one to three words of the captions."""
    phrases: set[str] = set()
    for caption in captions:
        words = re.findall(r"[a-z]+", caption.lower())
        for length in (1, 2, 3):
            phrases.update(" ".join(words[i : i + length]) for i in range(len(words) - length + 1))
    return frozenset(phrases)


def called(category: str, scene: Scene) -> bool:
    """Does any caption say the category's very name, or what a question calls it?"""
    own = {category, spoken(category)}
    return not {word.lower() for noun in own for word in (noun, plural(noun))}.isdisjoint(_phrases(scene.captions))


def names_any(names: Iterable[str], caption: str) -> bool:
    """Does the caption hold any of these words or phrases (lower case, at most three words)?

    >>> names_any(["zebra"], "Two Zebras and a zebra.")
    True
    """
    return not _phrases((caption,)).isdisjoint(names)


def mentioned(category: str, scene: Scene) -> bool:
    """Does any caption name the category?"""
    return not names(category).isdisjoint(_phrases(scene.captions))
