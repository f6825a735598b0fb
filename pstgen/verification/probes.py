"""What probes share: pictures as files and as numbers, folds that share no scene, and how surely two are told apart."""

from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, Literal

import cv2
import numpy as np
import pyarrow.parquet as pq
from numpy.typing import NDArray
from PIL.Image import DecompressionBombError

from pstgen.core.config import VerifyConfig
from pstgen.core.records import BadInput, Item, origin
from pstgen.core.statistics import clopper_pearson
from pstgen.dataset.store import BATCH_ROWS, Dataset
from pstgen.scenes import pixels
from pstgen.verification import samples
from pstgen.verification.samples import Case

LEAST = 20  # couples, to say anything
ASKED = 7  # sides on which checks doubt a share: of pictures one, of files two, of a detector's scores two times two
LEVELS = 2  # residuals are cut off at, as in SPAM features (Pevny, Bas and Fridrich 2010)
GRID = 8  # cells a side, of the coarse picture
FILTERS = ([[0, 0, 0], [-1, 1, 0], [0, 0, 0]], [[0, -1, 0], [0, 1, 0], [0, 0, 0]], [[0, 1, 0], [1, -4, 1], [0, 1, 0]])

Numbers = NDArray[np.float32]
Rows = NDArray[np.int64]
By = Literal["role", "answer"]
Model = Callable[[], Any]


@dataclass(frozen=True, slots=True)
class Picture:
    """An item with its image file: the name that it has in the set, and its bytes."""

    item: Item
    name: str
    code: bytes


def pictures(dataset: Dataset) -> Iterator[Picture]:
    """Every item's picture, in the order of ids, a few in memory; targets and annotations stay on the disk."""
    cells = (
        cell
        for shard in dataset.shards
        for batch in pq.ParquetFile(shard, pre_buffer=False).iter_batches(BATCH_ROWS, columns=["image"])
        for cell in batch.column(0).to_pylist()
    )
    for item, cell in zip(dataset.items(), cells, strict=True):
        yield Picture(item, cell["path"], cell["bytes"])


@contextmanager
def named(picture: Picture) -> Iterator[None]:
    """Whatever fails while its bytes are read becomes BadInput that names the item."""
    try:
        yield
    except (OSError, SyntaxError, ValueError, DecompressionBombError) as error:
        raise BadInput(f"item {picture.item.item_id}: its image {picture.name} cannot be read: {error}") from None


def decoded(picture: Picture) -> NDArray[np.uint8]:
    """(H, W, 3) uint8 RGB. Raises BadInput."""
    with named(picture):
        return pixels.decoded(picture.code)


def residuals(image: NDArray[np.uint8]) -> Numbers:
    """(D,) of an (H, W, 3) image: how neighbouring high-pass residuals go together."""
    grey, told = cv2.cvtColor(image, cv2.COLOR_RGB2GRAY), list[Numbers]()
    for kernel in FILTERS:
        rest = cv2.filter2D(grey, cv2.CV_32F, np.array(kernel, np.float32)) / 2
        level = (np.clip(np.rint(rest), -LEVELS, LEVELS) + LEVELS).astype(np.uint8)
        for one, other in ((level[:, :-1], level[:, 1:]), (level[:-1], level[1:])):
            size = 2 * LEVELS + 1
            planes = [np.ascontiguousarray(one), np.ascontiguousarray(other)]
            counted = cv2.calcHist(planes, [0, 1], None, [size, size], [0, size, 0, size]).ravel()
            told.append(np.sqrt(counted / counted.sum()))
    return np.concatenate(told).astype(np.float32)


def coarse(image: NDArray[np.uint8]) -> Numbers:
    """(GRID * GRID,) of an (H, W, 3) image: how light it is where, 0 to 1."""
    grey = cv2.cvtColor(image, cv2.COLOR_RGB2GRAY)
    return (cv2.resize(grey, (GRID, GRID), interpolation=cv2.INTER_AREA).ravel() / 255).astype(np.float32)


@dataclass(frozen=True, slots=True)
class Couple:
    """Two twins, and their pictures in numbers, (D,) each. A group gives its control and its first stress twin."""

    stress: Item
    control: Item
    looks: tuple[Numbers, Numbers]

    @property
    def scenes(self) -> frozenset[str]:
        """Scenes of the source that they show."""
        return frozenset({origin(self.stress.scene_id), origin(self.control.scene_id)})

    def ordered(self, by: By) -> tuple[Numbers, Numbers]:
        """The stress twin's numbers first, or those of the alphabetically first answer."""
        return self.looks if by == "role" or self.stress.answer < self.control.answer else self.looks[::-1]


def couples(seen: Iterable[tuple[Item, Numbers]]) -> list[Couple]:
    """Join twins. Pairs that show the same two scenes count once: they would be no independent draws."""
    twins: defaultdict[str, dict[str, tuple[Item, Numbers]]] = defaultdict(dict)
    for item, look in seen:
        twins[item.pair_id].setdefault(item.role, (item, look))
    found: dict[frozenset[str], Couple] = {}
    for _, by_role in sorted(twins.items()):
        if len(by_role) == 2:
            (stress, one), (control, other) = by_role["stress"], by_role["control"]
            found.setdefault(frozenset({stress.scene_id, control.scene_id}), Couple(stress, control, (one, other)))
    return list(found.values())


@dataclass(frozen=True, slots=True)
class Told:
    """How often the first of two was told from the second: a share of couples, with an exact interval (Clopper-Pearson).

    All that probes ask share the doubt (Bonferroni): at a confidence of 95 %, one set of twenty has any share outside its
    interval.
    """

    share: float
    low: float
    high: float

    @classmethod
    def of(cls, right: NDArray[np.bool_], confidence: float) -> "Told":
        """Count who was right."""
        level = 1 - (1 - confidence) / ASKED
        return cls(float(right.mean()), *clopper_pearson(right.astype(np.int64), len(right), level))

    def __str__(self) -> str:
        """Share and interval, in per cent."""
        return f"{self.share:.1%} [{self.low:.1%}, {self.high:.1%}]"

    def figures(self, name: str) -> dict[str, float]:
        """As figures of a finding, under a name."""
        return {f"{name}/share": self.share, f"{name}/low": self.low, f"{name}/high": self.high}


def told(some: Sequence[Couple], by: By, model: Model, config: VerifyConfig) -> Told:
    """How often a classifier, which has seen neither of the scenes, tells by their looks which twin is which."""
    first, second = (np.stack(looks) for looks in zip(*(couple.ordered(by) for couple in some), strict=True))
    scenes = [couple.scenes for couple in some]
    right = apart(first, second, scenes, model=model, folds=config.folds, seed=config.seed)
    return Told.of(right, config.confidence)


def parts(scenes: Sequence[frozenset[str]], folds: int, seed: int) -> Iterator[tuple[Rows, Rows]]:
    """(rows that are asked, rows to learn from) of each fold; the latter show no scene that the former show."""
    owner = np.array([n for n, names in enumerate(scenes) for _ in names])
    shown = [
        Case(name=f"{n}", pair=f"{n}", scene=name, question="", options=(), answer=0)
        for n, names in enumerate(scenes)
        for name in sorted(names)
    ]
    for split in samples.splits(shown, folds, seed):
        yield np.unique(owner[split.asked]), np.unique(owner[split.learnt])


def apart(  # noqa: PLR0913 (columns of one table, and how to learn)
    first: Numbers, second: Numbers, scenes: Sequence[frozenset[str]], *, model: Model, folds: int, seed: int
) -> NDArray[np.bool_]:
    """Of each couple, is it told which one is the first? (N,) bool.

    first, second: (N, D). model: makes a classifier in scikit-learn's way; it learns the difference of the two, each
    couple both ways round. Where it finds nothing between them, a coin is tossed.
    """
    difference = first - second
    difference /= difference.std(0) + 1e-6
    right = np.random.default_rng(seed).random(len(first)) < 0.5
    for asked, learnt in parts(scenes, folds, seed):
        if len(learnt):
            lessons = np.concatenate([difference[learnt], -difference[learnt]])
            fitted = model().fit(lessons, np.repeat([1, 0], len(learnt)))
            pull = fitted.predict_proba(difference[asked])[:, 1] - fitted.predict_proba(-difference[asked])[:, 1]
            right[asked] = np.where(np.abs(pull) > 1e-9, pull > 0, right[asked])
    return right
