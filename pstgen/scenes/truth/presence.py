"""Is there any of a category: three-valued; for an absence, annotations, captions and a detector must all be silent."""

from collections import defaultdict
from functools import lru_cache

from pstgen.core.memo import cache_last
from pstgen.core.records import Instance, Scene, Truth, unknown
from pstgen.scenes import vocabulary
from pstgen.scenes.truth import layout

NONE = Truth("no")


@cache_last
def by_category(scene: Scene) -> dict[str, Truth]:
    """For every category that the source annotates, whether there is any."""
    truths = dict.fromkeys(scene.categories, NONE) if scene.complete else _where_none_is_annotated(scene)
    things = layout.by_category(scene)
    truths.update((kind, exists(things[kind], scene)) for kind in truths.keys() & things.keys())
    return truths


def exists(things: list[Instance], scene: Scene) -> Truth:
    """Is there at least one? Yes where one of the things that are annotated as such is plain to see."""
    if not any(layout.is_plain(thing, scene) for thing in things):
        return unknown("there, but small, cut off or a crowd")
    return Truth("yes")


def _where_none_is_annotated(scene: Scene) -> dict[str, Truth]:
    """Of every category of a photograph: none only where captions and the detector are silent; what is said last weighs most."""
    truths = dict(_unnamed(scene.categories, captioned=bool(scene.captions), looked=scene.detected is not None))
    alike = _alike(scene.categories)
    doubts = {
        "something people call the same is": {
            other for kind in layout.by_category(scene) for other in alike.get(kind, ())
        },
        "detected at a low threshold": scene.detected or (),
        "a caption names it": vocabulary.mentioned(scene),
    }
    for doubt, kinds in doubts.items():
        truths.update(dict.fromkeys(truths.keys() & kinds, _not_annotated(doubt)))
    return truths


@lru_cache(4)
def _unnamed(categories: tuple[str, ...], *, captioned: bool, looked: bool) -> dict[str, Truth]:
    """What holds where nothing names them. looked: has a detector?"""
    truths = {}
    for category in categories:
        terms = vocabulary.terms(category)
        if terms.vague and not terms.conspicuous:
            truths[category] = _not_annotated("people do not agree on the word")
        elif not captioned or not (looked or terms.conspicuous):
            truths[category] = _not_annotated("easily missed")
        else:
            truths[category] = NONE
    return truths


@lru_cache(4)
def _alike(categories: tuple[str, ...]) -> dict[str, list[str]]:
    """For each category, those that people call the same as it, or take for it."""
    others: defaultdict[str, list[str]] = defaultdict(list)
    for category in categories:
        for kind in vocabulary.terms(category).alike:
            others[kind].append(category)
    return dict(others)


def _not_annotated(doubt: str) -> Truth:
    return unknown(f"not annotated, but {doubt}")
