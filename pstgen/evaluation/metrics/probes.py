"""What a linear map reads from the patches, on their way from the encoder to the answer: where, how large, how far, how many."""

from collections import Counter
from collections.abc import Iterator, Sequence
from hashlib import sha256
from typing import Any, NamedTuple

import numpy as np
import torch
from more_itertools import batched
from numpy.typing import NDArray

from pstgen.core.records import Scene, Unavailable, origin
from pstgen.dataset.rows import Row, on_disk
from pstgen.evaluation.metrics import Evaluation, Scores
from pstgen.models.chat import Image
from pstgen.models.huggingface import Model
from pstgen.scenes import pixels
from pstgen.training import grid_targets
from pstgen.training.grid_targets import COVERED, Grid
from pstgen.training.modeling import Vlm, encode_images, is_llava
from pstgen.training.systems import Plan

EXPENSIVE = True
ITEMS = 480  # of the stress test, about
LEAST = 32  # patches or images of other scenes, to which a map is fitted
PENALTIES = np.logspace(-1, 5, 7)  # of the ridge, of which the best is chosen on what the map is fitted to
BATCH = 16
PATCHES = 64  # of an image, drawn by its scene's name where it has more
STAGES = ("encoder", "projector", "language")
TARGETS = ("column", "row", "size", "depth", "number")

Values = NDArray[np.floating[Any]]


def inapplicable(plan: Plan) -> str:
    """Patches are of one model that sees, and go by its weights."""
    if plan.parts or not plan.sees:
        return "several models answer" if plan.parts else "never sees an image"
    return f"answers with the weights of {plan.weights_of}: see there" if plan.weights_of else ""


def measure(evaluation: Evaluation, /) -> Scores:
    """The figures of `score`, on some of the stress test's items."""
    try:
        return score(evaluation.answerer.model, evaluation.rows(ITEMS))
    except Unavailable as error:
        return Scores(figures={}, absent={"encoder/column": str(error)})


def score(model: Model, rows: Sequence[Row]) -> Scores:
    """R² (at most 1; 0 is the mean, below 0 worse) of ridge regression on scenes that it was not fitted to, by stage and target.

    encoder: patches as the projector gets them; projector: as the language model does; language: its last layer at the
    image's tokens, before any question. column, row: of the patch; size: log share of the image of the thing that covers it
    most; depth: log metres in its middle; number: of things of each kind in the image, from the mean of all patches.
    Scenes are halved, and each half is read by a map that was fitted to the other; edits of a scene stay together.
    Raises Unavailable where the model is not of LLaVA's kind. Source of the method: Alain and Bengio (2016).
    """
    config = model.model.config
    if not is_llava(config):
        raise Unavailable(f"{model.name}: is a {config.model_type}; patches are probed of LLaVA's kind")
    side = int(config.vision_config.image_size)
    vlm = Vlm(model.model, model.processor, side // config.vision_config.patch_size, side)
    once = list({row.scene.id: row for row in rows}.values())
    kinds = sorted({thing.category for row in once for thing in row.scene.instances})
    probed = [found for batch in batched(once, BATCH) for found in _probed(model, vlm, batch, kinds)]
    halves = np.array([_digest(row)[0] % 2 for row in once])
    figures, absent = dict[str, float](), dict[str, str]()
    for stage, target in ((stage, target) for stage in STAGES for target in TARGETS):
        whole = target == "number"
        x = [found.means[stage] if whole else found.patches[stage] for found in probed]
        r2 = _r2(x, [found.targets[target] for found in probed], halves)
        if r2 is None:
            absent[f"{stage}/{target}"] = f"fewer than {LEAST} patches or images tell it, or it is everywhere the same"
        else:
            figures[f"{stage}/{target}"] = r2
    return Scores(figures=figures, absent=absent)


class _Probed(NamedTuple):
    """Of one image: by stage P of its patches (P, width) and the mean of all (1, width), and what they are to tell."""

    patches: dict[str, Values]
    means: dict[str, Values]
    targets: dict[str, Values]


def _probed(model: Model, vlm: Vlm, rows: Sequence[Row], kinds: Sequence[str]) -> Iterator[_Probed]:
    stages = _features(model, vlm, [pixels.decode(row.image) for row in rows])
    for n, row in enumerate(rows):
        chosen = np.random.default_rng(list(_digest(row))).permutation(vlm.cells**2)[:PATCHES]
        patches, means = {}, {}
        for name, values in stages.items():
            patches[name], means[name] = values[n][chosen], values[n].mean(0, keepdims=True)
        targets = _targets(vlm, row)
        yield _Probed(
            patches,
            means,
            {**{name: each[chosen] for name, each in targets.items()}, "number": _numbers(row.scene, kinds)},
        )


def _digest(row: Row) -> bytes:
    return sha256(origin(row.scene.id).encode()).digest()


def _features(model: Model, vlm: Vlm, images: Sequence[Image]) -> dict[str, Sequence[Values]]:
    """By stage, of each image (G, width)."""
    text = [vlm.prompt("", with_image=True)] * len(images)
    inputs = model.processor(text=text, images=list(map(np.array, images)), return_tensors="pt")
    inputs = inputs.to(model.device, model.model.dtype)
    with torch.inference_mode():
        seen, projected, _ = encode_images(model.model, {"pixel_values": inputs["pixel_values"]}, vlm.cells)
        said = model.model.model(**inputs, output_hidden_states=True, return_dict=True).hidden_states[-1]
    at_image = inputs["input_ids"] == model.model.config.image_token_id
    language = [hidden[where] for hidden, where in zip(said, at_image, strict=True)]
    stages = zip(STAGES, (seen, projected, language), strict=True)
    return {stage: [each.float().cpu().numpy() for each in values] for stage, values in stages}


def _targets(vlm: Vlm, row: Row) -> dict[str, Values]:
    """What each patch shows, (G, 1), NaN where that is unknown."""
    with on_disk(row) as scene:
        grid = grid_targets.from_scene(scene, vlm.cells, scene.categories, vlm.window(scene.width, scene.height))
    places = np.arange(vlm.cells**2)
    shown = {"column": places % vlm.cells, "row": places // vlm.cells, "size": _sizes(grid), "depth": grid.depth}
    return {name: np.asarray(values, np.float32)[:, None] for name, values in shown.items()}


def _sizes(grid: Grid) -> Values:
    """Log share of the image that the thing covers which covers most of the patch; NaN where none covers it much."""
    things = grid.coverage[(grid.codes[:, :-1] >= 0).any(1)].astype(float)  # the others are joints, or nothing
    if not len(things):
        return np.full(grid.coverage.shape[1], np.nan)
    most = things.argmax(0)
    logs = np.log(np.maximum(things.mean(1), 1e-6))[most]
    return np.where(things.max(0) >= COVERED, logs, np.nan)


def _numbers(scene: Scene, kinds: Sequence[str]) -> Values:
    counted = Counter(thing.category for thing in scene.instances)
    return np.array([[float(counted[kind]) for kind in kinds]])


def _r2(features: Sequence[Values], targets: Sequence[Values], halves: NDArray[np.int64]) -> float | None:
    """Of both halves together; None where either has too little, or all is the same."""
    from sklearn.linear_model import RidgeCV
    from sklearn.pipeline import make_pipeline
    from sklearn.preprocessing import StandardScaler

    x, y = (np.concatenate(each).astype(np.float64) for each in (features, targets))
    half = np.repeat(halves, [len(each) for each in targets])
    known = np.isfinite(y).all(1)
    x, y, half = x[known], y[known], half[known]
    if min(np.count_nonzero(half == n) for n in (0, 1)) < LEAST or not np.ptp(y, axis=0).any():
        return None
    read = np.empty_like(y)
    for n in (0, 1):
        fitted = make_pipeline(StandardScaler(), RidgeCV(PENALTIES)).fit(x[half == n], y[half == n])
        read[half != n] = fitted.predict(x[half != n]).reshape(-1, y.shape[1])
    return float(1 - ((y - read) ** 2).sum() / ((y - y.mean(0)) ** 2).sum())
