"""Questions that compare every two things of a scene, each alone of its kind: which of them is nearer, larger, ...?"""

from collections.abc import Callable, Iterator

from pstgen.core.records import Fact, Instance, Scene, Truth
from pstgen.scenes.truth import layout


def facts(scene: Scene, family: str, form: str, compare: Callable[[Instance, Instance], Truth]) -> Iterator[Fact]:
    """One fact of every two things, whose evidence is both. compare: which of the two it is, or why nobody knows."""
    for a, b in layout.couples(scene):
        yield Fact(
            scene_id=scene.id,
            family=family,
            form=form,
            about=(a.category, b.category),
            truth=compare(a, b),
            evidence=(a.id, b.id),
        )
