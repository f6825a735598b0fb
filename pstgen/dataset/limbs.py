"""The part of a person that a question is about: the joints of a limb, the box around them, the pixels near them."""

from dataclasses import replace

import cv2
import numpy as np
from pycocotools import mask as coco_mask

from pstgen.core.records import Instance, Item, Keypoint, Region, Scene
from pstgen.scenes import pixels
from pstgen.scenes.truth import skeleton

THICK = 0.05  # of the longer side of a person's box: how far a limb reaches to either side of its bones


def focus(item: Item, scene: Scene) -> Scene:
    """The scene, its people in question cut down to the limbs that the item asks about; others are left whole.

    Of such a person there remain the labelled joints of the limbs, the box around these, and the part of the mask that is
    near them.
    """
    chains = skeleton.limbs(item.family, item.about)
    if not chains:
        return scene
    instances = (_cut(thing, chains, scene) if thing.id in item.evidence else thing for thing in scene.instances)
    return replace(scene, instances=tuple(instances))


def _cut(person: Instance, names: tuple[tuple[str, ...], ...], scene: Scene) -> Instance:
    """The person as the limbs with joints of these names; whole, where none of them is labelled."""
    labelled = {joint.name: joint for joint in person.keypoints if joint.visibility}
    chains = [joints for limb in names if (joints := [labelled[name] for name in limb if name in labelled])]
    if not chains:
        return person
    thick = max(1.0, THICK * max(person.region.width, person.region.height))
    kept = tuple(joint for chain in chains for joint in chain)
    near = np.zeros((scene.height, scene.width), np.uint8)
    for chain in chains:
        points = np.array([(round(joint.x), round(joint.y)) for joint in chain], np.int32)
        cv2.polylines(near, [points], isClosed=False, color=1, thickness=2 * round(thick))
        cv2.circle(near, points[0].tolist(), round(thick), 1, thickness=-1)
    seen = near & pixels.mask(person, scene)
    area = float(np.count_nonzero(seen))
    rle: bytes = coco_mask.encode(np.asfortranarray(seen))["counts"] if area else b""
    return replace(person, region=_around(kept, thick, scene), area=area, rle=rle, full_rle=b"", keypoints=kept)


def _around(joints: tuple[Keypoint, ...], margin: float, scene: Scene) -> Region:
    """The box around joints, with a margin in pixels, as far as it lies in the image."""
    xs, ys = [joint.x for joint in joints], [joint.y for joint in joints]
    left, top = max(0.0, min(xs) - margin), max(0.0, min(ys) - margin)
    right, bottom = min(float(scene.width), max(xs) + margin), min(float(scene.height), max(ys) + margin)
    return Region(x=left, y=top, width=max(1.0, right - left), height=max(1.0, bottom - top))
