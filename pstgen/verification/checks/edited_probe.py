"""Do edits leave traces that go with the role or the answer? A detector of edits is trained, and asked of twins."""

from hashlib import sha256

import numpy as np
from numpy.typing import NDArray

from pstgen.core.config import VerifyConfig
from pstgen.core.records import MATCHED, Item, origin
from pstgen.dataset.store import Dataset
from pstgen.scenes.picture_features import Features, residuals
from pstgen.verification import probes
from pstgen.verification.findings import Attribute, Finding, ProbeResult, untested
from pstgen.verification.probes import MIN_PAIRS, PairFeatures

SECONDS = 5.0
MAX_UNEDITED = 2000  # images that the detector is trained on
FIRST_TWIN: dict[Attribute, str] = {"role": "the stress twin", "answer": "the twin of the first answer"}


def examine(dataset: Dataset, config: VerifyConfig, /) -> Finding:
    """The detector may know edited images from others; what it must not know is which of two edited twins is which.

    Sound as long as the more edited-looking twin is the stress twin, or that of the alphabetically first answer, in half
    of the pairs: neither bound of either share passes one half by `config.probe_over`.
    """
    drawn = _drawn(dataset)
    items = [item for item in dataset.items() if item.item_id in drawn]
    edited = np.array([item.twin != MATCHED for item in items], bool)
    if min(edited.sum(), (~edited).sum()) < 2 * MIN_PAIRS:
        reason = f"{edited.sum()} edited pictures and {(~edited).sum()} others, too few to train a detector"
        return untested("edited_probe", reason)
    images = (file for file in probes.image_files(dataset) if file.item.item_id in drawn)
    features = np.stack([residuals(probes.decoded(file)) for file in images])
    score = suspicion(features, edited, items, folds=config.folds, seed=config.seed)
    pairs = probes.paired((item, score[n : n + 1]) for n, item in enumerate(items) if edited[n])
    if len(pairs) < MIN_PAIRS:
        return untested("edited_probe", f"{len(pairs)} edited pairs of different scenes, too few to probe")
    return _finding(pairs, _area(edited, score), config)


def _finding(pairs: list[PairFeatures], area: float, config: VerifyConfig) -> Finding:
    results = [_probe(pairs, attribute, config) for attribute in FIRST_TWIN]
    problems = (
        f"of edited twins the one that looks more edited is {FIRST_TWIN[result.attribute]} "
        f"in {result.accuracy} of {len(pairs):,} pairs"
        for result in results
        if not result.sound
    )
    summary = f"{len(pairs):,} edited pairs: a detector of edits (area under its curve {area:.2f}) takes " + ", ".join(
        f"{FIRST_TWIN[result.attribute]} for the more edited one in {result.accuracy}" for result in results
    )
    return Finding(
        check="edited_probe",
        summary=summary,
        problems=tuple(problems),
        figures={"detector/area": area},
        probes=tuple(results),
    )


def _probe(pairs: list[PairFeatures], attribute: Attribute, config: VerifyConfig) -> ProbeResult:
    """How often the first twin looks more edited than the second."""
    first, second = probes.stacked(pairs, attribute)
    share = probes.proportion((first > second).ravel(), config.confidence)
    sound = share.low <= 0.5 + config.probe_over and share.high >= 0.5 - config.probe_over
    return ProbeResult(clue="traces of edits", attribute=attribute, accuracy=share, sound=sound)


def _area(edited: NDArray[np.bool_], score: Features) -> float:
    """The area under the detector's ROC curve."""
    from sklearn.metrics import roc_auc_score

    return float(roc_auc_score(edited, score))


def suspicion(features: Features, edited: NDArray[np.bool_], items: list[Item], *, folds: int, seed: int) -> Features:
    """(N,) how edited each image looks to a detector that was not trained on its scene. features: (N, D)."""
    from sklearn.linear_model import LogisticRegression

    features = (features - features.mean(0)) / (features.std(0) + 1e-6)
    score = np.zeros(len(features), np.float32)
    for train, test in probes.scene_splits([frozenset({origin(item.scene_id)}) for item in items], folds, seed):
        if len(set(edited[train].tolist())) == 2:
            detector = LogisticRegression(C=0.1, max_iter=200, class_weight="balanced")
            score[test] = detector.fit(features[train], edited[train]).decision_function(features[test])
    return score


def _drawn(dataset: Dataset) -> frozenset[str]:
    """Ids of all edited items, and of one item of each of MAX_UNEDITED other scenes, drawn by a hash."""
    first: dict[str, str] = {}  # item of each scene that is not edited
    edited: list[str] = []
    for item in dataset.items():
        if item.twin != MATCHED:
            edited.append(item.item_id)
        else:
            first.setdefault(item.scene_id, item.item_id)
    scenes = sorted(first, key=lambda name: sha256(name.encode()).digest())[:MAX_UNEDITED]
    return frozenset((*edited, *(first[scene] for scene in scenes)))
