"""The words for categories: which categories a scene's captions name, by word, plural, synonym and hyponym."""

import re
from collections.abc import Iterable
from functools import cache

import msgspec

from pstgen.core import resources
from pstgen.core.english import grammar
from pstgen.core.memo import cache_last
from pstgen.core.records import Instance, Scene


class Terms(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A category's row of data_sources/words.yaml: what people call it, and how far annotations of it can be trusted.

    say: what a question calls it, where that is not its name. words: synonyms and hyponyms. alike: categories that people
    confuse with it, or call by the same word. conspicuous: large and seldom hidden, so that annotators do not miss it.
    uncounted: comes in parts that people count differently. hollow: its outline encloses what is not part of it. vague:
    people do not agree on what has this name. unless: categories beside which it is likely to be something else.
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
def terms(category: str) -> Terms:
    """The category's row; one that the table lacks has no synonyms and is not conspicuous."""
    return _table().get(category, Terms())


@cache
def _table() -> dict[str, Terms]:
    return resources.read("data_sources", "words", dict[str, Terms])


@cache
def plural(noun: str) -> str:
    """The plural; in phrases like "pair of skis", of the first word.

    >>> plural("person"), plural("pair of scissors"), plural("TV")
    ('people', 'pairs of scissors', 'TVs')
    """
    head, of, rest = noun.partition(" of ")
    return (f"{head}s" if head.isupper() else str(grammar().plural(head))) + of + rest


def spoken(category: str) -> str:
    """What a question calls the category; any other word stands for itself."""
    return terms(category).say or category


@cache
def names(category: str) -> frozenset[str]:
    """Every word or phrase, in lower case, that names the category: singular and plural.

    >>> sorted(names("zebra"))
    ['zebra', 'zebras']
    """
    singular = (category, *terms(category).words)
    return frozenset(form for word in singular for form in (word, plural(word)))


@cache_last
def _phrases(captions: tuple[str, ...]) -> frozenset[str]:
    """All sequences of one to three words in the captions."""
    phrases: set[str] = set()
    for caption in captions:
        words = re.findall(r"[a-z]+", caption.lower())
        for length in (1, 2, 3):
            phrases.update(" ".join(words[i : i + length]) for i in range(len(words) - length + 1))
    return frozenset(phrases)


def mentioned_by_name(category: str, scene: Scene) -> bool:
    """Does any caption use the category's own name, or what a question calls it? Synonyms do not count."""
    own = {category, spoken(category)}
    return not {word.lower() for noun in own for word in (noun, plural(noun))}.isdisjoint(_phrases(scene.captions))


def names_any(names: Iterable[str], caption: str) -> bool:
    """Does the caption contain any of these words or phrases (lower case, at most three words)?

    >>> names_any(["zebra"], "Two Zebras and a zebra.")
    True
    """
    return not _phrases((caption,)).isdisjoint(names)


def mentioned(category: str, scene: Scene) -> bool:
    """Does any caption name the category?"""
    return not names(category).isdisjoint(_phrases(scene.captions))


def describe(thing: Instance) -> str:
    """The thing's noun, with its colour where the source knows it."""
    return f"{thing.colour} {spoken(thing.category)}".strip()
