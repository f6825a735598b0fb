"""The faces of people in photographs are blurred before a picture is judged, probed or written, but for what an item is about.

Sharp stay: the faces of the people in question, where it is asked about joints of the face; the limbs in question; and things in
question that are smaller than the face in front of which they are. Both twins of a pair get a new PNG as soon as one of them
shows a face. The questions are asked anew of what is left to see: a pair whose answers change is dropped.
"""

import os
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import replace
from functools import partial
from hashlib import sha256
from pathlib import Path

import numpy as np

from pstgen.core import workers
from pstgen.core.records import Instance, Item, Pair, Scene
from pstgen.dataset import limbs
from pstgen.questions import families
from pstgen.scenes import pixels, png, privacy
from pstgen.scenes.privacy import Face, Kept, Pixels
from pstgen.scenes.truth import skeleton

PERSON = "person"
CHANGED = "with blurred faces its answers would not be known"  # why a pair is dropped
WORLD = "--blur-faces changes nothing in the built-in world, which shows no real faces"
Shown = tuple[Pair, tuple[Scene, ...]]


def blur(
    pairs: Sequence[Pair], gallery: Mapping[str, Scene], work: Path, cores: int, dropped: Counter[tuple[str, str]]
) -> list[Pair]:
    """The pairs, their items with pictures of their own where a face is blurred; those whose answers change are dropped.

    gallery: the scenes that they show, by id. work: a folder for pictures. dropped: counts what is not kept, by family and
    reason.
    """
    shown = ((pair, tuple(gallery[item.scene_id] for item in pair.items)) for pair in pairs)
    blurred = list[Pair]()
    for pair in workers.parallel_map(partial(_blurred, work), shown, cores):
        if isinstance(pair, str):
            dropped[pair, CHANGED] += 1
        else:
            blurred.append(pair)
    return blurred


def summary(scenes: Sequence[Scene]) -> str:
    """A line that says how many faces are blurred, and of how many people none is known."""
    if all(scene.source == "world" for scene in scenes):
        return WORLD
    people = [thing for scene in scenes for thing in scene.instances if thing.category == PERSON]
    found = sum(len(privacy.faces(scene)) for scene in scenes)
    return (
        f"{found:,} faces are blurred in {len(scenes):,} pictures that may be shown; of {len(people) - found:,} other people, "
        "crowds among them, no joint of the head is annotated as seen, and nothing is blurred"
    )


def image(item: Item, scene: Scene) -> Pixels | None:
    """(H, W, 3) uint8: the scene's picture as the item shows it, before anything is drawn into it; None where no face is in it.

    Raises UnusableImage.
    """
    found, kept = hidden(item, scene)
    return privacy.blurred(pixels.image(scene), found, kept) if found else None


def hidden(item: Item, scene: Scene) -> tuple[list[Face], list[Kept]]:
    """The faces to blur for an item, and what stays sharp in front of them."""
    chains = skeleton.limbs(item.family, item.about)
    about_faces = any(joint in privacy.HEAD for chain in chains for joint in chain)
    asked = [thing for thing in limbs.focus(item, scene).instances if thing.id in item.evidence]
    found = [] if scene.source == "world" else privacy.faces(scene, item.evidence if about_faces else ())
    if not found:
        return [], []
    if about_faces:
        own = [each for thing in scene.instances if thing.id in item.evidence and (each := privacy.face(thing))]
        return found, [Kept(privacy.covered(own, scene.width, scene.height), 0.0)]
    kept = [_kept(thing, scene, limb=bool(chains)) for thing in asked if chains or thing.category != PERSON]
    largest, where = max(each.area for each in found), privacy.covered(found, scene.width, scene.height)
    return found, [part for part in kept if part.area <= largest and np.any(part.mask & where)]


def _kept(thing: Instance, scene: Scene, *, limb: bool) -> Kept:
    """A thing by its mask; where it has none, by its box."""
    if thing.rle:
        return Kept(pixels.mask(thing, scene), 0.0 if limb else thing.area)
    canvas, box = np.zeros((scene.height, scene.width), bool), thing.region
    canvas[max(0, int(box.y)) : int(np.ceil(box.bottom)), max(0, int(box.x)) : int(np.ceil(box.right))] = True
    return Kept(canvas, 0.0 if limb else box.width * box.height)


def _blurred(work: Path, shown: Shown, /) -> Pair | str:
    """The pair with its pictures, as it is where no twin shows a face; its family where an answer changes."""
    pair, scenes = shown
    plans = [hidden(item, scene) for item, scene in zip(pair.items, scenes, strict=True)]
    if not any(found for found, _ in plans):
        return pair
    files = [_file(work, scene, *plan) for scene, plan in zip(scenes, plans, strict=True)]
    blurred = zip(pair.items, scenes, files, plans, strict=True)
    if not all(_is_same(item, replace(scene, path=file)) for item, scene, file, (found, _) in blurred if found):
        return pair.family
    left = iter(files)
    return pair.map(lambda item: replace(item, image=next(left)))


def _file(work: Path, scene: Scene, found: list[Face], kept: list[Kept]) -> str:
    """A PNG of the scene with these faces blurred: the same file for all items that blur the same."""
    where = privacy.covered(found, scene.width, scene.height)
    parts = "".join(f"{part.area}{sha256(np.packbits(part.mask & where).tobytes()).hexdigest()}" for part in kept)
    key = sha256(f"{scene.id}{found}{parts}".encode()).hexdigest()[:16]
    file = work / f"{Path(scene.path).stem}-faces-{key}.png"
    if not file.is_file():
        draft = file.with_suffix(f".{os.getpid()}")
        png.write(draft, privacy.blurred(pixels.image(scene), found, kept))
        draft.replace(file)
    return str(file)


def _is_same(item: Item, scene: Scene) -> bool:
    """Is the answer what it was, and shown by the same things?"""
    fact = families.fact_of(item, scene)
    return fact is not None and fact.truth.answer == item.answer and fact.evidence == item.evidence
