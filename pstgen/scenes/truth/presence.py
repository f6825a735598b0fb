"""Is there any of a category: three-valued; for an absence, annotations, captions and a detector must all be silent."""

from pstgen.core.memo import cache_last
from pstgen.core.records import Instance, Scene, Truth, unknown
from pstgen.scenes import vocabulary
from pstgen.scenes.truth import layout


@cache_last
def by_category(scene: Scene) -> dict[str, Truth]:
    """For every category that the source annotates, whether there is any."""
    things = layout.by_category(scene)
    return {category: exists(category, things.get(category, []), scene) for category in scene.categories}


def exists(category: str, things: list[Instance], scene: Scene) -> Truth:
    """Is there at least one? Yes where one is plain to see; no only where annotations, captions and the detector are silent."""
    if not things:
        return _absent(category, scene)
    if not any(layout.is_plain(thing, scene) for thing in things):
        return unknown("there, but small, cut off or a crowd")
    return Truth("yes")


def _absent(category: str, scene: Scene) -> Truth:
    doubt = "" if scene.complete else _doubt(category, scene)
    return unknown(f"not annotated, but {doubt}") if doubt else Truth("no")


def _doubt(category: str, scene: Scene) -> str:
    """Why there may be one on a photograph though none is annotated, or ""."""
    terms = vocabulary.terms(category)
    if category in vocabulary.mentioned(scene):
        return "a caption names it"
    if category in (scene.detected or ()):
        return "detected at a low threshold"
    if not layout.by_category(scene).keys().isdisjoint(terms.alike):
        return "something people call the same is"
    if terms.vague and not terms.conspicuous:
        return "people do not agree on the word"
    missed = not scene.captions or (scene.detected is None and not terms.conspicuous)
    return "easily missed" if missed else ""
