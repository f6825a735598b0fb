"""How bright the image is."""

import cv2

from pstgen.core.records import Target
from pstgen.scenes import pixels


def render(scene, evidence, /):
    return Target(kind="foreign_target", pixels=pixels.read_only(cv2.cvtColor(pixels.image(scene), cv2.COLOR_RGB2GRAY)))
