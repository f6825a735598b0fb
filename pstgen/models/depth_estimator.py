"""Depth of photographs, estimated by a Transformers depth model that the user names, and marked as such."""

from collections.abc import Callable, Iterable, Iterator
from dataclasses import replace
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from pstgen.core.records import Instance, Scene, Unavailable
from pstgen.core.resources import could_be_hub_id
from pstgen.models.loading import load_vision_model
from pstgen.scenes import pixels, png

METRIC = frozenset({"zoedepth", "glpn"})  # models that give metres; the others give about their inverse
MEDIAN = 3000.0  # millimetres, by definition, of a relative estimate
MAX_DEPTH = 65535.0  # millimetres, that 16 bits hold

Estimator = Callable[[NDArray[np.uint8]], NDArray[np.float32]]


def add_depth(scenes: Iterable[Scene], *, name: str, estimate: Estimator, folder: Path) -> Iterator[Scene]:
    """Pass scenes on with a depth map, written into `folder` once, and the median depth of every instance that has a mask.

    Those without an image stay as they are.
    """
    for scene in scenes:
        if not scene.path:
            yield scene
            continue
        file = folder / f"{scene.id.replace('/', '-')}.estimated.png"
        if not file.is_file():
            png.write(file, np.rint(estimate(pixels.image(scene)).clip(1, MAX_DEPTH)).astype(np.uint16))
        with_map = replace(scene, depth_path=str(file), depth_model=Path(name).name)
        depth = pixels.depth(with_map)
        if depth is None:
            raise Unavailable(f"{file}: cannot be written or read")
        yield replace(with_map, instances=tuple(_with_depth(thing, scene, depth) for thing in scene.instances))


def load(name: str) -> Estimator:
    """Open a depth model: (H, W, 3) uint8 RGB → (H, W) float32 millimetres; of a relative model, scaled so that MEDIAN is the median.

    Raises Unavailable where it does not load.
    """
    if not Path(name).is_dir() and not could_be_hub_id(name):
        raise Unavailable(f"{name}: no such depth model; name a folder, or a hub id OWNER/NAME")
    processor, model = load_vision_model(name, "AutoModelForDepthEstimation", "depth model")
    metric = model.config.model_type in METRIC or getattr(model.config, "depth_estimation_type", "") == "metric"

    def estimate(image: NDArray[np.uint8]) -> NDArray[np.float32]:
        import torch

        with torch.inference_mode():
            output = model(**processor(images=np.array(image), return_tensors="pt"))
        predicted = output.predicted_depth[0].float().numpy()
        full = cv2.resize(predicted, image.shape[1::-1], interpolation=cv2.INTER_LINEAR)
        if metric:
            return np.asarray(1000 * full, dtype=np.float32)
        inverse = np.clip(full, 1e-3 * max(float(full.max()), 1e-6), None)
        return np.asarray(MEDIAN * np.median(inverse) / inverse, dtype=np.float32)

    return estimate


def _with_depth(thing: Instance, scene: Scene, depth: NDArray[np.uint16]) -> Instance:
    mask = pixels.mask(thing, scene)
    return replace(thing, depth=round(float(np.median(depth[mask])) / 1000, 3)) if mask.any() else thing
