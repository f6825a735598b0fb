"""One person's audit of one sample. Its only memory is audit.jsonl, so nothing is lost with the process."""

from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from threading import Lock
from typing import get_args

import msgspec

from pstgen.core.records import BadInput
from pstgen.verification import annotations
from pstgen.verification.annotations import Annotation, Rating
from pstgen.verification.audit.sample import Picture, Twins

CONFIDENCE = 0.95  # of the bounds that are printed


class TwinView(msgspec.Struct, frozen=True):
    """What the page shows of a twin. width, height: of its image in pixels; overlay: is there one?"""

    item: str
    answer: str
    role: str
    chain: str
    width: int
    height: int
    overlay: bool


class PairView(msgspec.Struct, frozen=True):
    """What the page shows of a pair; it loads the images by item. method: how the twins were found or made."""

    pair: str
    family: str
    frame: str
    method: str
    question: str
    neutral: str
    options: tuple[str, ...]
    lure: str
    twins: list[TwinView]


class State(msgspec.Struct, frozen=True):
    """The verdicts that stand, by item; `item`: the one that was judged or taken back just now."""

    verdicts: dict[str, str]
    item: str = ""


class Start(msgspec.Struct, frozen=True):
    """All that the page needs when it opens."""

    folder: str
    who: str
    pairs: list[PairView]
    verdicts: dict[str, str]


class Session:
    """The verdicts of `who` on a sample of the dataset in `folder`, whose manifest has the seal `manifest`.

    Raises Unavailable where verdicts cannot be written there, BadInput where the file or the name is not valid.
    """

    def __init__(self, sample: Sequence[Twins], folder: Path, who: str, seed: int, manifest: str) -> None:
        if not who.strip() or not who.isprintable() or len(who) > 80:
            raise BadInput(f"--who {who!r}: a name of 1 to 80 printable characters is needed")
        self.sample, self.folder, self.who, self.seed, self.manifest = sample, folder, who, seed, manifest
        self.pictures: dict[str, Picture] = {picture.item.item_id: picture for twins in sample for picture in twins}
        self.path = folder / annotations.FILE
        self.lock = Lock()  # two windows may send verdicts at once
        annotations.append(self.path)  # may it be written?
        if foreign := sum(line.manifest != manifest for line in annotations.read(self.path)):
            raise BadInput(f"{self.path}: {foreign} of its verdicts are on another build of this dataset; move it away")

    def start(self) -> Start:
        """What the page needs to begin, or to go on."""
        pairs = [_pair_view(twins) for twins in self.sample]
        return Start(folder=str(self.folder), who=self.who, pairs=pairs, verdicts=self.state().verdicts)

    def state(self, item: str = "") -> State:
        """What this person's verdicts on the sample are, read from the file."""
        return State(verdicts={line.item: line.verdict for line in self._mine()}, item=item)

    def progress(self) -> str:
        """How far this person is, in words; of pairs, with bounds."""
        mine = self._mine()
        counts = Counter(line.verdict for line in mine)
        parts = ", ".join(f"{counts[rating]} {rating}" for rating in get_args(Rating))
        pairs = annotations.rate_pairs(mine, CONFIDENCE)
        of_pairs = f"; of {pairs}" if pairs else ""
        return f"{counts.total()} of {len(self.pictures)} labels judged by {self.who}: {parts}{of_pairs}"

    def judge(self, item: str, rating: Rating) -> State:
        """Write a verdict down. Raises BadInput where the sample has no such item, Unavailable where it cannot be written."""
        if item not in self.pictures:
            raise BadInput(f"{item}: is not in the sample")
        with self.lock:
            self._write(item, rating)
            return self.state(item)

    def undo(self) -> State:
        """Take the last verdict back that stands; `item` of the answer is "" where there is none."""
        with self.lock:
            mine = self._mine()
            if not mine:
                return self.state()
            annotations.append(self.path, msgspec.structs.replace(mine[-1], verdict="undo"))
            return self.state(mine[-1].item)

    def _write(self, item_id: str, rating: Rating) -> None:
        item = self.pictures[item_id].item
        annotation = Annotation(
            item=item_id,
            pair=item.pair_id,
            family=item.family,
            who=self.who,
            verdict=rating,
            seed=self.seed,
            manifest=self.manifest,
        )
        annotations.append(self.path, annotation)

    def _mine(self) -> list[Annotation]:
        """The verdicts of `who` on the sample that stand."""
        mine = (line for line in annotations.read(self.path) if (line.who, line.manifest) == (self.who, self.manifest))
        return annotations.standing([line for line in mine if line.item in self.pictures])


def _pair_view(twins: Twins) -> PairView:
    item = twins[0].item
    return PairView(
        pair=item.pair_id,
        family=item.family,
        frame=item.frame,
        method=item.twin,
        question=item.question,
        neutral=item.neutral,
        options=item.options,
        lure=item.lure,
        twins=[
            TwinView(
                item=picture.item.item_id,
                answer=picture.item.answer,
                role=picture.item.role,
                chain=picture.chain,
                width=picture.width,
                height=picture.height,
                overlay=picture.overlay is not None,
            )
            for picture in twins
        ],
    )
