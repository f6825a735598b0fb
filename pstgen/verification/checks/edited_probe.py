"""Do edits leave traces that go with the role or the answer? A detector of edits is trained, and asked of twins."""

from hashlib import sha256

import numpy as np
from numpy.typing import NDArray

from pstgen.core.config import VerifyConfig
from pstgen.core.records import Finding, Item, origin
from pstgen.dataset.store import Dataset
from pstgen.verification import probes
from pstgen.verification.checks import untested
from pstgen.verification.probes import LEAST, By, Couple, Numbers, Told

MOST = 2000  # unedited pictures that the detector learns from
SAYS = {"role": "the stress twin", "answer": "the twin of the first answer"}


def examine(dataset: Dataset, config: VerifyConfig, /) -> Finding:
    """The detector may know edited pictures from others; what it must not know is which of two edited twins is which.

    Sound as long as the more edited-looking twin is the stress twin, or that of the alphabetically first answer, in half
    of the pairs: neither bound of either share passes one half by `config.probe_over`.
    """
    from sklearn.metrics import roc_auc_score

    seen = _looks(dataset)
    items = [item for item, _ in seen]
    edited = np.array([item.twin != "retrieved" for item in items], bool)
    if min(edited.sum(), (~edited).sum()) < 2 * LEAST:
        few = f"{edited.sum()} edited pictures and {(~edited).sum()} others, too few to train a detector"
        return untested("edited_probe", few)
    score = suspicion(np.stack([look for _, look in seen]), edited, items, folds=config.folds, seed=config.seed)
    couples = probes.couples((item, score[n : n + 1]) for n, item in enumerate(items) if edited[n])
    if len(couples) < LEAST:
        return untested("edited_probe", f"{len(couples)} edited pairs of different scenes, too few to probe")
    area = float(roc_auc_score(edited, score))
    asked: list[tuple[By, Told]] = [(by, _more(couples, by, config)) for by in ("role", "answer")]
    problems = (
        f"of edited twins the one that looks more edited is {SAYS[by]} in {told} of {len(couples):,} pairs"
        for by, told in asked
        if told.low > 0.5 + config.probe_over or told.high < 0.5 - config.probe_over
    )
    figures = {"detector/area": area} | {name: n for by, told in asked for name, n in told.figures(by).items()}
    summary = (
        f"{len(couples):,} edited pairs: a detector of edits (area under its curve {area:.2f}) takes "
        + ", ".join(f"{SAYS[by]} for the more edited one in {told}" for by, told in asked)
    )
    return Finding(check="edited_probe", summary=summary, problems=tuple(problems), figures=figures)


def suspicion(looks: Numbers, edited: NDArray[np.bool_], items: list[Item], *, folds: int, seed: int) -> Numbers:
    """(N,) how edited each picture looks to a detector that has not seen its scene. looks: (N, D)."""
    from sklearn.linear_model import LogisticRegression

    looks = (looks - looks.mean(0)) / (looks.std(0) + 1e-6)
    score = np.zeros(len(looks), np.float32)
    for asked, learnt in probes.parts([frozenset({origin(item.scene_id)}) for item in items], folds, seed):
        if len(set(edited[learnt].tolist())) == 2:
            detector = LogisticRegression(C=0.1, max_iter=200, class_weight="balanced")
            score[asked] = detector.fit(looks[learnt], edited[learnt]).decision_function(looks[asked])
    return score


def _looks(dataset: Dataset) -> list[tuple[Item, Numbers]]:
    """Every edited picture in numbers, and of the others MOST scenes', drawn by a hash."""
    others = {item.scene_id for item in dataset.items() if item.twin == "retrieved"}
    drawn = set(sorted(others, key=lambda name: sha256(name.encode()).digest())[:MOST])
    found: list[tuple[Item, Numbers]] = []
    for picture in probes.pictures(dataset):
        item = picture.item
        if item.twin != "retrieved" or item.scene_id in drawn:
            drawn.discard(item.scene_id)
            found.append((item, probes.residuals(probes.decoded(picture))))
    return found


def _more(couples: list[Couple], by: By, config: VerifyConfig) -> Told:
    """How often the first twin looks more edited than the second."""
    first, second = (np.concatenate(looks) for looks in zip(*(couple.ordered(by) for couple in couples), strict=True))
    return Told.of(first > second, config.confidence)
