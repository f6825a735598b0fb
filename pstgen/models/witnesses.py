"""Models that the user named to look at scenes before questions are asked: a detector, an estimate of depth."""

from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path

from pstgen.core.config import SourceConfig
from pstgen.core.records import Scene
from pstgen.models import depth_estimator, detector

Witness = Callable[[Iterator[Scene]], Iterator[Scene]]


def open(config: SourceConfig, work: Path) -> Witness | None:  # noqa: A001 (reads as witnesses.open)
    """Pass scenes on with what the named models say of them; None where none is named. work: a folder for depth maps."""
    models: list[Witness] = []
    if config.detector:
        detect = detector.load(config.detector)
        models.append(partial(detector.add_detections, detect=detect, threshold=config.detector_threshold))
    if config.depth_model:
        estimate = depth_estimator.load(config.depth_model)
        models.append(partial(depth_estimator.add_depth, name=config.depth_model, estimate=estimate, folder=work))
    if not models:
        return None

    def witness(scenes: Iterator[Scene]) -> Iterator[Scene]:
        for model in models:
            scenes = model(scenes)
        return scenes

    return witness
