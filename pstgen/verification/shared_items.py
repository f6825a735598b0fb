"""What two stress tests have in common: pictures, scenes, pairs, and questions about one picture."""

from collections.abc import Hashable, Iterable
from dataclasses import dataclass, field
from hashlib import sha256

from pstgen.core.records import BadInput, origin
from pstgen.dataset import sealing
from pstgen.dataset.store import Dataset
from pstgen.verification.probes import ImageFile

PICTURE, ALIKE, SCENE, PAIR, ITEM = "picture", "near-duplicate", "scene", "pair", "item"
KINDS = (PICTURE, ALIKE, SCENE, PAIR, ITEM)


@dataclass(frozen=True, slots=True)
class Contents:
    """What a set holds. pictures: hash of the bytes → the scene; questions: the same and the question → the item."""

    pictures: dict[bytes, str] = field(default_factory=dict)
    questions: dict[tuple[bytes, str], str] = field(default_factory=dict)
    scenes: set[str] = field(default_factory=set)
    pairs: set[str] = field(default_factory=set)

    @classmethod
    def of(cls, files: Iterable[ImageFile]) -> "Contents":
        """Read every item's picture once."""
        contents = cls()
        for file in files:
            item, digest = file.item, sha256(file.data).digest()
            contents.pictures.setdefault(digest, item.scene_id)
            contents.questions.setdefault((digest, item.question), item.item_id)
            contents.scenes.add(origin(item.scene_id))
            contents.pairs.add(item.pair_id)
        return contents


@dataclass(slots=True)
class Shared:
    """What is found in both, a line for each of a kind, while the other set passes.

    place: the other set's name. ids: does one id mean one scene in both? read: how many items have passed.
    """

    own: Contents
    place: str
    ids: bool
    read: int = 0
    found: dict[str, dict[Hashable, str]] = field(default_factory=lambda: {kind: {} for kind in KINDS})

    def add(self, file: ImageFile) -> None:
        """Compare one item of the other set, by the bytes of its picture and by its ids."""
        self.read += 1
        item, digest, place = file.item, sha256(file.data).digest(), self.place
        if scene := self.own.pictures.get(digest):
            line = f"scene {scene}: its picture is that of scene {item.scene_id} of {place}"
            self.found[PICTURE][scene, item.scene_id] = line
        if twin := self.own.questions.get((digest, item.question)):
            self.found[ITEM][twin] = f"item {twin}: asks what item {item.item_id} of {place} asks, of one picture"
        if self.ids and (source := origin(item.scene_id)) in self.own.scenes:
            self.found[SCENE][source] = f"scene {source}: is in {place}, too"
        if self.ids and item.pair_id in self.own.pairs:
            self.found[PAIR][item.pair_id] = f"pair {item.pair_id}: is in {place}, too"

    def add_alike(self, scene: str, other: str, differ: int, bits: int) -> None:
        """Two pictures that look alike; that counts only where they are not the same."""
        if (scene, other) not in self.found[PICTURE]:
            line = f"scene {scene}: looks like scene {other} of {self.place} ({differ} of {bits} bits differ)"
            self.found[ALIKE][scene, other] = line

    @property
    def lines(self) -> list[str]:
        """All that is shared."""
        return [line for lines in self.found.values() for line in lines.values()]

    @property
    def figures(self) -> dict[str, float]:
        """How many of each kind."""
        names = {ALIKE: "alike/against"} | {kind: f"{kind}s/against" for kind in (PICTURE, SCENE, PAIR, ITEM)}
        return {names[kind]: float(len(lines)) for kind, lines in self.found.items()}

    @property
    def words(self) -> str:
        """The same in words, "no …" where there is nothing."""
        counts = [f"{len(lines):,} {kind}{'s' * (len(lines) != 1)}" for kind, lines in self.found.items() if lines]
        both = ", ".join(counts) or "no picture, near-duplicate, scene, pair or item"
        ids = "" if self.ids else "; ids of scenes and pairs were not compared, since the sources differ"
        return f"{both} in common{ids}"


def one_source(first: Dataset, second: Dataset) -> bool:
    """Does one id mean one scene in both? Of a world that is drawn, only under one seed."""
    one, other = first.manifest.origin, second.manifest.origin
    return all(one.get(key) == other.get(key) for key in ("name", "seed"))


def refuse_changed(dataset: Dataset) -> None:
    """Raises BadInput where a file of items is not the one that the manifest names."""
    for shard in dataset.shards:
        named = dataset.manifest.files.get(shard.relative_to(dataset.folder).as_posix())
        if named != sealing.hashed(shard):
            raise BadInput(f"{shard}: is not the file that its manifest.json names; take the set as it was built")
    if not dataset.shards:
        raise BadInput(f"{dataset.folder}: has no data/test-*.parquet; take the set as it was built")
