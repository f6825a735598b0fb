"""The words for categories: which categories a scene's captions name, by word, plural, synonym and hyponym."""

import re
from collections import defaultdict
from collections.abc import Iterable
from functools import cache, lru_cache
from itertools import pairwise

import msgspec

from pstgen.core import resources
from pstgen.core.english import grammar
from pstgen.core.memo import cache_last
from pstgen.core.records import Instance, Scene

NO_PLURALS = frozenset(  # what ends in s, or has two sides, and is one thing
    (
        *("alias", "atlas", "bias", "canvas", "dice", "gas", "glasses", "goggles", "headphones", "jeans", "leggings"),
        *("lens", "pants", "pliers", "scales", "scissors", "shorts", "sunglasses", "tights", "tongs", "trousers"),
    )
)


class Terms(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A category's row of data_sources/words.yaml: what people call it, and how far annotations of it can be trusted.

    say: what a question calls it, where that is not its name. words: synonyms and hyponyms. hints: words that make it
    likely but do not name it (a room, a part, a wider kind). rivals: words for what may be annotated as it and is not.
    several: words that say how many there are at least. alike: categories that people confuse with it, or call by the
    same word. conspicuous: large and seldom hidden, so that annotators do not miss it.
    uncounted: comes in parts that people count differently. hollow: its outline encloses what is not part of it. vague:
    people do not agree on what has this name. modelled: there are toys and statues of it. unless: categories beside which it
    is likely to be something else.
    """

    say: str = ""
    words: tuple[str, ...] = ()
    hints: tuple[str, ...] = ()
    rivals: tuple[str, ...] = ()
    several: dict[str, int] = {}
    alike: tuple[str, ...] = ()
    conspicuous: bool = False
    uncounted: bool = False
    hollow: bool = False
    vague: bool = False
    modelled: bool = False
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
    if not head.strip():
        return noun
    return (f"{head}s" if head.isupper() else str(grammar().plural(head))) + of + rest


def spoken(category: str) -> str:
    """What a question calls the category; any other word stands for itself."""
    return terms(category).say or category


@cache
def category(noun: str) -> str:
    """The category that a question calls so; any other word stands for itself.

    >>> category("table"), category("table lamp")
    ('dining table', 'table lamp')
    """
    return next((name for name, row in _table().items() if row.say == noun), noun)


@cache
def canonical(name: str) -> str:
    """A category's name as it is spoken of: in lower case, one word after another, of one thing; COCO's where it means one of COCO's.

    >>> canonical("Traffic_Light"), canonical("apples"), canonical("pottedplant"), canonical("WBC")
    ('traffic light', 'apple', 'potted plant', 'WBC')
    """
    words = re.sub(r"[\s_-]+", " ", name).strip()
    text = words if words.isupper() and words.lower() not in _table() else words.lower()
    joined = {row.replace(" ", ""): row for row in _table()}
    known = text if text in _table() else joined.get(text.replace(" ", ""))
    return known or _singular(text)


def _singular(noun: str) -> str:
    """The singular of what is plainly a plural; a pair of scissors has none, nor has what merely ends in s."""
    head, _, last = noun.rpartition(" ")
    if not (last.isascii() and last.isalpha()) or last in NO_PLURALS or last.endswith(("ss", "us", "is")):
        return noun
    singular = grammar().singular_noun(last)
    if not singular or plural(singular) != last:
        return noun
    return f"{head} {singular}".strip()


def is_speakable(category: str) -> bool:
    """Can a question use that name: words of letters, and nothing else?"""
    return bool(re.fullmatch(r"[^\W\d_]+(?:[ '&.][^\W\d_]+)*", category))


def is_coco(category: str) -> bool:
    """Is that one of COCO's categories, of which it is known what people call it and how far labels can be trusted?"""
    return category in _table()


@cache
def things() -> tuple[str, ...]:
    """What questions call COCO's categories."""
    return tuple(map(spoken, _table()))


@cache
def names(category: str) -> frozenset[str]:
    """Every word or phrase, in lower case, that names the category: singular and plural.

    >>> sorted(names("zebra"))
    ['zebra', 'zebras']
    """
    return _forms((category, *terms(category).words))


@cache
def _forms(singular: tuple[str, ...]) -> frozenset[str]:
    """The words, in lower case, and their plurals."""
    return frozenset(form.lower() for word in singular for form in (word, plural(word)))


@cache
def clues(category: str) -> frozenset[str]:
    """Every word or phrase, in lower case, that names the category or makes it likely."""
    return names(category) | _forms(terms(category).hints)


@cache
def plurals(category: str) -> frozenset[str]:
    """Every word or phrase that names more than one of the category, and never just one.

    >>> sorted(plurals("zebra")), sorted(plurals("sheep"))
    (['zebras'], ['ewes', 'lambs', 'rams'])
    """
    singular = {word.lower() for word in (category, spoken(category), *terms(category).words)}
    return names(category) - singular


@cache_last
def _phrases(captions: tuple[str, ...]) -> frozenset[str]:
    """All sequences of one to three words in the captions."""
    return frozenset().union(*map(_phrases_of, captions))


def _phrases_of(caption: str) -> set[str]:
    words = re.findall(r"[a-z]+", caption.lower())
    triples = zip(words, words[1:], words[2:], strict=False)
    return {*words, *map(" ".join, pairwise(words)), *map(" ".join, triples)}


def mentioned_by_name(category: str, scene: Scene) -> bool:
    """Does any caption use the category's own name, or what a question calls it? Synonyms do not count."""
    own = {category, spoken(category)}
    return not {word.lower() for noun in own for word in (noun, plural(noun))}.isdisjoint(_phrases(scene.captions))


def names_any(names: Iterable[str], caption: str) -> bool:
    """Does the caption contain any of these words or phrases (lower case, at most three words)?

    >>> names_any(["zebra"], "Two Zebras and a zebra.")
    True
    """
    return not _phrases_of(caption).isdisjoint(names)


def categories_in(text: str, categories: Iterable[str]) -> frozenset[str]:
    """Those of the categories that the text names, by a word for them.

    >>> sorted(categories_in("Are there two Zebras by the car?", ["zebra", "dog", "car"]))
    ['car', 'zebra']
    """
    phrases = _phrases_of(text)
    return frozenset(kind for kind in categories if not names(kind).isdisjoint(phrases))


def speak_of(names: Iterable[str], scene: Scene) -> bool:
    """Does any caption of the scene contain any of them?"""
    return not _phrases(scene.captions).isdisjoint(names)


def named(category: str, scene: Scene) -> bool:
    """Does any caption name the category, by a word for it and not for its kind or its place?

    A bathroom makes a sink likely, and so its absence unknown; it does not bear witness to one.
    """
    return not names(category).isdisjoint(_phrases(scene.captions))


@cache_last
def mentioned(scene: Scene) -> frozenset[str]:
    """The categories, of those that the source annotates, that a caption names or makes likely."""
    by_clue = _by_clue(scene.categories)
    return frozenset(kind for phrase in by_clue.keys() & _phrases(scene.captions) for kind in by_clue[phrase])


@lru_cache(4)
def _by_clue(categories: tuple[str, ...]) -> dict[str, list[str]]:
    """For each clue the categories that it makes likely."""
    kinds: defaultdict[str, list[str]] = defaultdict(list)
    for kind in categories:
        for clue in clues(kind):
            kinds[clue].append(kind)
    return dict(kinds)


def rivalled(category: str, scene: Scene) -> bool:
    """Does any caption name what may be annotated as this category and is not?"""
    return not _forms(terms(category).rivals).isdisjoint(_phrases(scene.captions))


def describe(thing: Instance) -> str:
    """The thing's noun, with its colour where the source knows it."""
    return f"{thing.colour} {spoken(thing.category)}".strip()
