"""What probes share: images as files and as features, folds that share no scene, and how surely twins are told apart."""

from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from hashlib import sha256
from typing import Any

import numpy as np
import pyarrow.parquet as pq
from numpy.typing import NDArray
from PIL.Image import DecompressionBombError

from pstgen.core.config import VerifyConfig
from pstgen.core.memo import cache_last
from pstgen.core.records import BadInput, Item, origin
from pstgen.dataset.store import BATCH_ROWS, Dataset
from pstgen.scenes import pixels
from pstgen.scenes.picture_features import Features, picture
from pstgen.verification import samples
from pstgen.verification.findings import Attribute, Proportion
from pstgen.verification.samples import Sample

MIN_PAIRS = 20  # to say anything
ENOUGH = 100  # pairs of a family, before its bound is held against one half
BOUNDS = 7  # that checks compare with one half: one of images, two of files, four of edits (two shares, both bounds)

Indices = NDArray[np.int64]
Classifier = Any  # in scikit-learn's way: `fit`, `predict_proba`
ItemFeatures = tuple[Item, Features]


@dataclass(frozen=True, slots=True)
class ImageFile:
    """An item with its image file: the name that it has in the set, and its bytes."""

    item: Item
    name: str
    data: bytes


def image_files(dataset: Dataset) -> Iterator[ImageFile]:
    """Every item's image, in the order of ids, a few in memory; targets and annotations stay on the disk."""
    cells = (
        cell
        for shard in dataset.shards
        for batch in pq.ParquetFile(shard, pre_buffer=False).iter_batches(BATCH_ROWS, columns=["image"])
        for cell in batch.column(0).to_pylist()
    )
    for item, cell in zip(dataset.items(), cells, strict=True):
        yield ImageFile(item, cell["path"], cell["bytes"])


@contextmanager
def naming(file: ImageFile) -> Iterator[None]:
    """Turn whatever fails while its bytes are read into BadInput that names the item."""
    try:
        yield
    except (OSError, SyntaxError, ValueError, DecompressionBombError) as error:
        raise BadInput(f"item {file.item.item_id}: its image {file.name} cannot be read: {error}") from None


def decoded(file: ImageFile) -> NDArray[np.uint8]:
    """(H, W, 3) uint8 RGB. Raises BadInput."""
    with naming(file):
        return pixels.decode(file.data)


@cache_last
def pictures(dataset: Dataset) -> list[ItemFeatures]:
    """Every item with `picture` of its image, and before it the place of the mark that is drawn into it.

    What several items show is looked at once, and kept for the next check. The mark: x and y, 0 to 1, or -1 where there
    is none.
    """
    known: dict[bytes, tuple[Features, NDArray[np.float64]]] = {}
    looked_at: list[ItemFeatures] = []
    for file in image_files(dataset):
        digest = sha256(file.data).digest()
        if digest not in known:
            image = decoded(file)
            known[digest] = picture(image), np.array(image.shape[1::-1], float)
        features, size = known[digest]
        mark = np.array(file.item.mark) / size if file.item.mark else np.array([-1.0, -1.0])
        looked_at.append((file.item, np.concatenate([mark.astype(np.float32), features])))
    return looked_at


@dataclass(frozen=True, slots=True)
class PairFeatures:
    """Two twins with the features, (D,) each, of their images. A group gives its control and, by a hash, one of its stress twins."""

    stress: Item
    control: Item
    features: tuple[Features, Features]

    @property
    def scenes(self) -> frozenset[str]:
        """Scenes of the source that they show."""
        return frozenset({origin(self.stress.scene_id), origin(self.control.scene_id)})

    def ordered(self, attribute: Attribute) -> tuple[Features, Features]:
        """The stress twin's features first, or those of the twin whose answer comes first in the alphabet."""
        stress_first = attribute == "role" or self.stress.answer < self.control.answer
        return self.features if stress_first else self.features[::-1]


def stacked(pairs: Sequence[PairFeatures], attribute: Attribute) -> tuple[Features, Features]:
    """(N, D) features of the first and of the second twin of every pair."""
    first, second = (np.stack(twins) for twins in zip(*(pair.ordered(attribute) for pair in pairs), strict=True))
    return first, second


def paired(item_features: Iterable[ItemFeatures]) -> list[PairFeatures]:
    """Join twins; of a group the control and the stress twin that a hash draws, since the first in order stands before most others. Pairs that show the same two scenes count once: they would not be independent draws."""
    twins: defaultdict[str, dict[str, ItemFeatures]] = defaultdict(dict)
    for item, features in sorted(item_features, key=lambda row: sha256(row[0].item_id.encode()).digest()):
        twins[item.pair_id].setdefault(item.role, (item, features))
    pairs: dict[frozenset[str], PairFeatures] = {}
    for _, by_role in sorted(twins.items()):
        if len(by_role) == 2:
            (stress, of_stress), (control, of_control) = by_role["stress"], by_role["control"]
            scenes = frozenset({stress.scene_id, control.scene_id})
            pairs.setdefault(scenes, PairFeatures(stress, control, (of_stress, of_control)))
    return list(pairs.values())


def by_family(item_features: Iterable[ItemFeatures]) -> dict[str, list[PairFeatures]]:
    """Join twins, each family's by themselves, in alphabetical order."""
    families: defaultdict[str, list[ItemFeatures]] = defaultdict(list)
    for item, features in item_features:
        families[item.family].append((item, features))
    return {family: paired(of_family) for family, of_family in sorted(families.items())}


def proportion(correct: NDArray[np.bool_], confidence: float, bounds: int = BOUNDS) -> Proportion:
    """The share of pairs, with bounds that hold for as many `bounds` together (Bonferroni).

    At a confidence of 95 %, one set of twenty has any share outside its interval.
    """
    return Proportion.from_hits(correct, 1 - (1 - confidence) / bounds)


def accuracy(
    pairs: Sequence[PairFeatures],
    attribute: Attribute,
    classifier: Callable[[], Classifier],
    config: VerifyConfig,
    bounds: int = BOUNDS,
) -> Proportion:
    """How often a classifier, trained on neither of the scenes, tells by the features which twin is which."""
    first, second = stacked(pairs, attribute)
    scenes = [pair.scenes for pair in pairs]
    correct = told_apart(first, second, scenes, classifier=classifier, folds=config.folds, seed=config.seed)
    return proportion(correct, config.confidence, bounds)


def scene_splits(scenes: Sequence[frozenset[str]], folds: int, seed: int) -> Iterator[tuple[Indices, Indices]]:
    """(indices to train on, indices to test) of each fold; they share no scene. scenes: what each sample shows."""
    owner = np.array([n for n, names in enumerate(scenes) for _ in names])
    shown = [
        Sample(name=f"{n}", pair=f"{n}", scene=name, question="", options=(), answer=0)
        for n, names in enumerate(scenes)
        for name in sorted(names)
    ]
    for split in samples.splits(shown, folds, seed):
        yield np.unique(owner[split.train]), np.unique(owner[split.test])


def told_apart(  # noqa: PLR0913 (columns of one table, and how to train)
    first: Features,
    second: Features,
    scenes: Sequence[frozenset[str]],
    *,
    classifier: Callable[[], Classifier],
    folds: int,
    seed: int,
) -> NDArray[np.bool_]:
    """(N,) bool: of each pair, does a classifier tell which twin is the first?

    first, second: (N, D). classifier: makes one that has not been trained; it is trained on the difference of the two, each
    pair both ways round. Where it finds nothing between them, a coin is tossed.
    """
    difference = first - second
    difference /= difference.std(0) + 1e-6
    correct = np.random.default_rng(seed).random(len(first)) < 0.5
    for train, test in scene_splits(scenes, folds, seed):
        if len(train):
            both_ways = np.concatenate([difference[train], -difference[train]])
            fitted = classifier().fit(both_ways, np.repeat([1, 0], len(train)))
            lead = fitted.predict_proba(difference[test])[:, 1] - fitted.predict_proba(-difference[test])[:, 1]
            correct[test] = np.where(np.abs(lead) > 1e-9, lead > 0, correct[test])
    return correct
