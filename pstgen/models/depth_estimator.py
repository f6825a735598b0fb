"""Depth of photographs, estimated by a Transformers depth model that the user names, and marked as such."""

from collections.abc import Callable, Iterable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from pstgen.core.records import Instance, Scene, Unavailable
from pstgen.scenes import pixels

METRIC = frozenset({"zoedepth", "glpn"})  # models that give metres; the others give something like one over them
MIDDLE = 3000.0  # millimetres that the middle of a relative estimate is called
MOST = 65535.0

Estimator = Callable[[NDArray[np.uint8]], NDArray[np.float32]]


def estimated(scenes: Iterable[Scene], *, name: str, estimate: Estimator, folder: Path) -> Iterator[Scene]:
    """Pass scenes on with a depth map (written into `folder` once) and the median depth of every thing that has a mask.

    Those without a picture stay as they are.
    """
    for scene in scenes:
        if not scene.path:
            yield scene
            continue
        file = folder / f"{scene.id.replace('/', '-')}.estimated.png"
        if not file.is_file():
            cv2.imwrite(str(file), np.rint(estimate(pixels.image(scene)).clip(1, MOST)).astype(np.uint16))
        known = replace(scene, depth_path=str(file), depth_model=Path(name).name)
        depth = pixels.depth(known)
        if depth is None:
            raise Unavailable(f"{file}: cannot be written or read")
        yield replace(known, instances=tuple(_placed(thing, scene, depth) for thing in scene.instances))


def load(name: str) -> Estimator:
    """(H, W, 3) uint8 RGB → (H, W) float32, millimetres or, of a model that knows no metres, relative to MIDDLE. Raises Unavailable where it does not load."""
    if not Path(name).is_dir() and (name.startswith((".", "/", "~")) or name.count("/") != 1):
        raise Unavailable(f"{name}: no such depth model; name a folder, or a hub id OWNER/NAME")
    try:
        import torch
        import transformers

        options: dict[str, Any] = {"local_files_only": Path(name).is_dir(), "trust_remote_code": False}
        reader = transformers.AutoImageProcessor.from_pretrained(name, **options)
        model = transformers.AutoModelForDepthEstimation.from_pretrained(name, use_safetensors=True, **options).eval()
    except Exception as error:  # a broken model folder can raise anything at all
        reason = str(error).strip().splitlines()[0] if str(error).strip() else type(error).__name__
        raise Unavailable(f"{name}: does not load as a depth model: {reason}") from error
    metric = model.config.model_type in METRIC or getattr(model.config, "depth_estimation_type", "") == "metric"

    def estimate(image: NDArray[np.uint8]) -> NDArray[np.float32]:
        with torch.inference_mode():
            told = model(**reader(images=image, return_tensors="pt")).predicted_depth[0].float().numpy()
        full = cv2.resize(told, image.shape[1::-1], interpolation=cv2.INTER_LINEAR)
        if metric:
            return np.asarray(1000 * full, dtype=np.float32)
        near = np.clip(full, 1e-3 * max(float(full.max()), 1e-6), None)
        return np.asarray(MIDDLE * np.median(near) / near, dtype=np.float32)

    return estimate


def _placed(thing: Instance, scene: Scene, depth: NDArray[np.uint16]) -> Instance:
    mask = pixels.mask(thing, scene)
    return replace(thing, depth=round(float(np.median(depth[mask])) / 1000, 3)) if mask.any() else thing
