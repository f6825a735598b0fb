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
    if scene.complete:
        return Truth("no")
    if vocabulary.mentioned(category, scene):
        return unknown("not annotated, but a caption names it")
    if category in (scene.detected or ()):
        return unknown("not annotated, but detected at a low threshold")
    terms = vocabulary.terms(category)
    if not layout.by_category(scene).keys().isdisjoint(terms.alike):
        return unknown("not annotated, but something people call the same is")
    if not scene.captions or (scene.detected is None and not terms.conspicuous):
        return unknown("not annotated, but easily missed")
    return Truth("no")
