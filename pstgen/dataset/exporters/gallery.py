"""index.html: all pairs on a page to be searched and filtered, twins beside each other, the evidence outlined, every judge's answer."""

from base64 import b64encode
from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from hashlib import sha256
from itertools import groupby, islice
from mimetypes import guess_type
from pathlib import Path

import msgspec
from more_itertools import interleave_longest

from pstgen.core import pages
from pstgen.core.progress import Progress, silent
from pstgen.core.records import BadInput, Item, Pair, Score
from pstgen.dataset import evidence, exported
from pstgen.dataset.rows import Row
from pstgen.dataset.store import Dataset

FILE = "index.html"
LARGEST = 256 * 2**20  # bytes of a page that holds its pictures; browsers hardly open larger ones
Answers = dict[str, str]  # a judge's choice by item_id; of a blind judge by ""


class Twin(msgspec.Struct, frozen=True):
    """An item as the page shows it.

    image: an address beside the page, or a data URI. width, height, mark, joints (x, y, COCO's v), outline (data of an SVG
    path): in pixels of the image. words: what shows the answer. written: the clause that is written into the image, if any.
    """

    id: str
    role: str
    answer: str
    image: str
    width: int
    height: int
    outline: str
    joints: list[tuple[int, int, int]]
    mark: tuple[float, float] | None
    words: str
    written: str
    licence: str


class Verdict(msgspec.Struct, frozen=True):
    """What a judge chose, a choice a twin, "" where it was invalid. sees: was it given the pictures?"""

    judge: str
    sees: bool
    choices: list[str]


class Entry(msgspec.Struct, frozen=True):
    """A pair as the page shows it; the control twin is the last."""

    id: str
    family: str
    frame: str
    twin: str
    direction: str
    question: str
    neutral: str
    options: tuple[str, ...]
    lure: str
    twins: list[Twin]
    verdicts: list[Verdict]


def write(
    dataset: Dataset, folder: Path, /, *, inline: bool = False, most: int | None = None, progress: Progress = silent
) -> None:
    """Write index.html, and beside it images/ with the set's own files.

    inline: put the pictures into the page instead. most: so many pairs at most, as many of each family as there are, chosen by
    a hash of their names. Raises BadInput where a page with its pictures would be larger than LARGEST.
    """
    chosen = None if most is None else set(islice(_drawn(dataset), most))
    known = dataset.rows() if chosen is None else dataset.rows_of(chosen)
    rows = progress(known, "pictures", dataset.manifest.items if chosen is None else None)
    entries, size = list[Entry](), 0
    for entry in _entries(rows, _answers(dataset.scores()), None if inline else folder):
        entries.append(msgspec.convert(msgspec.to_builtins(entry), Entry))  # are its cells of the right kinds?
        size += sum(len(twin.image) for twin in entry.twins)
        if size > LARGEST:
            raise BadInput(
                f"{dataset.folder}: a page with its pictures would have more than {LARGEST >> 20} MiB after {len(entries)} "
                f"pairs; name fewer with --most, or leave out --inline"
            )
    (folder / FILE).write_text(page(entries, dataset.manifest.origin.get("name", "")), encoding="utf-8")


def page(entries: Sequence[Entry], source: str) -> str:
    """The page. Its one script runs by its hash; the pairs are data, which a browser does not run. source: what the set is of."""
    script = Path(__file__).with_suffix(".js").read_text(encoding="utf-8")
    return pages.render(
        "dataset/exporters/gallery.html.jinja",
        pairs=len(entries),
        source=source,
        data=msgspec.json.encode(entries).decode().replace("<", "\\u003c"),
        script=script,
        hash=b64encode(sha256(script.encode()).digest()).decode(),
    )


def _drawn(dataset: Dataset) -> Iterator[str]:
    """The names of all pairs, a pair of each family in turn."""
    families: defaultdict[str, list[str]] = defaultdict(list)
    for pair in dataset.pairs():
        families[pair.family].append(pair.pair_id)
    ranked = (sorted(names, key=lambda name: sha256(name.encode()).digest()) for _, names in sorted(families.items()))
    yield from interleave_longest(*ranked)


def _answers(scores: Iterable[Score]) -> dict[str, dict[str, Answers]]:
    """What was chosen in the wordings that were kept, by pair, then by judge."""
    answers: defaultdict[str, dict[str, Answers]] = defaultdict(dict)
    for score in scores:
        if score.kept:
            answers[score.pair_id].setdefault(score.judge, {})[score.item_id] = score.choice
    return answers


def _entries(rows: Iterable[Row], answers: dict[str, dict[str, Answers]], folder: Path | None) -> Iterator[Entry]:
    """The pairs in the order of their names. folder: where pictures are written, or None to hold them."""
    for name, found in groupby(rows, key=lambda row: row.item.pair_id):
        twins = sorted(((row.item, _twin(row, folder)) for row in found), key=lambda twin: twin[0].role == "control")
        items = [item for item, _ in twins]
        control = items[-1]
        yield Entry(
            id=name,
            family=control.family,
            frame=control.frame,
            twin=control.twin,
            direction=Pair(tuple(items[:-1]), control).direction or "other",
            question=control.question,
            neutral=control.neutral,
            options=control.options,
            lure=control.lure,
            twins=[twin for _, twin in twins],
            verdicts=sorted((_verdict(*judged, items) for judged in answers.get(name, {}).items()), key=_order),
        )


def _order(verdict: Verdict) -> tuple[bool, str]:
    """Blind judges first."""
    return verdict.sees, verdict.judge


def _verdict(judge: str, answers: Answers, items: Sequence[Item]) -> Verdict:
    choices = [answers.get(item.item_id, answers.get("", "")) for item in items]
    return Verdict(judge=judge, sees="" not in answers, choices=choices)


def _twin(row: Row, folder: Path | None) -> Twin:
    item = row.item
    return Twin(
        id=item.item_id,
        role=item.role,
        answer=item.answer,
        image=exported.write_image(row, folder) if folder else _data_uri(row),
        width=row.scene.width,
        height=row.scene.height,
        outline=evidence.path(row),
        joints=[(round(joint.x), round(joint.y), joint.visibility) for joint in evidence.joints(row)],
        mark=item.mark,
        words=evidence.words(row),
        written=item.label,
        licence=row.scene.licence,
    )


def _data_uri(row: Row) -> str:
    kind = guess_type(f"x{row.suffix}")[0] or "image/png"
    return pages.data_uri(row.image, kind.removeprefix("image/"))
