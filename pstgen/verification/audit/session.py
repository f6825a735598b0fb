"""One person's audit of one sample. Its only memory is audit.jsonl, so nothing is lost with the process."""

from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from threading import Lock
from typing import get_args

import msgspec

from pstgen.core.records import BadInput
from pstgen.verification import annotations
from pstgen.verification.annotations import Line, Word
from pstgen.verification.audit.sample import Picture, Twins


class Twin(msgspec.Struct, frozen=True):
    """What the page is told of a twin. width, height: of its image in pixels; overlay: is there one?"""

    item: str
    answer: str
    role: str
    chain: str
    width: int
    height: int
    overlay: bool


class Page(msgspec.Struct, frozen=True):
    """What the page is told of a pair; its pictures it asks for by item."""

    pair: str
    family: str
    frame: str
    made: str
    question: str
    neutral: str
    options: tuple[str, ...]
    lure: str
    twins: list[Twin]


class State(msgspec.Struct, frozen=True):
    """The verdicts that stand, by item; `item`: the one that was judged or taken back just now."""

    verdicts: dict[str, str]
    item: str = ""


class Told(msgspec.Struct, frozen=True):
    """All that the page is told when it opens."""

    folder: str
    who: str
    pages: list[Page]
    verdicts: dict[str, str]


class Session:
    """What `who` says of a sample of the dataset in `folder`, whose manifest has the seal `manifest`.

    Raises Unavailable where verdicts cannot be written there, BadInput where the file or the name is none.
    """

    def __init__(self, sample: Sequence[Twins], folder: Path, who: str, seed: int, manifest: str) -> None:
        if not who.strip() or not who.isprintable() or len(who) > 80:
            raise BadInput(f"--who {who!r}: a name of 1 to 80 printable characters is needed")
        self.sample, self.folder, self.who, self.seed, self.manifest = sample, folder, who, seed, manifest
        self.pictures: dict[str, Picture] = {one.item.item_id: one for twins in sample for one in twins}
        self.path = folder / annotations.FILE
        self.lock = Lock()  # two windows may speak at once
        annotations.append(self.path)  # may it be written?
        if others := sum(line.manifest != manifest for line in annotations.read(self.path)):
            raise BadInput(f"{self.path}: {others} of its verdicts are on another build of this dataset; move it away")

    def told(self) -> Told:
        """What the page needs to begin, or to go on."""
        pages = [_page(twins) for twins in self.sample]
        return Told(folder=str(self.folder), who=self.who, pages=pages, verdicts=self.state().verdicts)

    def state(self, item: str = "") -> State:
        """What this person's verdicts on the sample are, read from the file."""
        return State(verdicts={line.item: line.verdict for line in self._mine()}, item=item)

    def progress(self) -> str:
        """How far this person is, in words."""
        words = Counter(line.verdict for line in self._mine())
        parts = ", ".join(f"{words[word]} {word}" for word in get_args(Word))
        return f"{words.total()} of {len(self.pictures)} labels judged by {self.who}: {parts}"

    def say(self, item: str, word: Word) -> State:
        """Write a verdict down. Raises BadInput where the sample has no such item, Unavailable where it cannot be written."""
        if item not in self.pictures:
            raise BadInput(f"{item}: is not in the sample")
        with self.lock:
            self._write(item, word)
            return self.state(item)

    def undo(self) -> State:
        """Take the last verdict back that stands; `item` of the answer is "" where there is none."""
        with self.lock:
            mine = self._mine()
            if not mine:
                return self.state()
            annotations.append(self.path, msgspec.structs.replace(mine[-1], verdict="undo"))
            return self.state(mine[-1].item)

    def _write(self, item: str, word: Word) -> None:
        of = self.pictures[item].item
        line = Line(
            item=item,
            pair=of.pair_id,
            family=of.family,
            who=self.who,
            verdict=word,
            seed=self.seed,
            manifest=self.manifest,
        )
        annotations.append(self.path, line)

    def _mine(self) -> list[Line]:
        told = (line for line in annotations.read(self.path) if (line.who, line.manifest) == (self.who, self.manifest))
        return annotations.standing([line for line in told if line.item in self.pictures])


def _page(twins: Twins) -> Page:
    item = twins[0].item
    return Page(
        pair=item.pair_id,
        family=item.family,
        frame=item.frame,
        made=item.twin,
        question=item.question,
        neutral=item.neutral,
        options=item.options,
        lure=item.lure,
        twins=[
            Twin(
                item=one.item.item_id,
                answer=one.item.answer,
                role=one.item.role,
                chain=one.chain,
                width=one.width,
                height=one.height,
                overlay=one.overlay is not None,
            )
            for one in twins
        ],
    )
