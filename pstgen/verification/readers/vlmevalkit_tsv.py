"""VLMEvalKit's TSV: index, image, question, A, B, C, D, answer (a letter); yes/no questions too."""

from collections.abc import Iterator, Mapping
from hashlib import sha256
from pathlib import Path

from pstgen.verification import choices, tables
from pstgen.verification.choices import LETTERS, YES_NO
from pstgen.verification.samples import Sample
from pstgen.verification.tables import Row

INDEX = 64  # letters: a shorter image is the index of the row that has it
DIGITS = 18  # of an index that is a number
ROUND = 1_000_000  # what is added to an index for every further order of the same options


def recognizes(path: Path, columns: frozenset[str], /) -> bool:
    """A TSV with an index and a question."""
    return path.suffix == ".tsv" and {"index", "question", "answer"} <= columns


def read(path: Path, names: Mapping[str, str], /) -> Iterator[Sample | str]:  # noqa: ARG001
    """The image names the scene, as a hash of its own; orders of the same options are one pair, over one scene."""
    images: dict[str, str] = {}
    for n, row in enumerate(tables.rows(path), 2):
        yield _sample(n, row, images)


def _sample(line: int, row: Row, images: dict[str, str]) -> Sample | str:
    letters = [letter for letter in LETTERS if str(row.get(letter) or "").strip()]
    offered = tuple(str(row[letter]).strip() for letter in letters) or YES_NO
    text, label = str(row.get("question") or ""), str(row.get("answer") or "").strip()
    place = letters.index(label) if label in letters else choices.answer(label, offered)
    if not text or place < 0:
        return "has no question, or its answer is none of its options"
    name = str(row.get("index") or line).strip()
    pair = str(int(name) % ROUND) if name.isdecimal() and len(name) <= DIGITS else name
    scene = _scene(str(row.get("image") or ""), pair, images)
    images.setdefault(name, scene)
    return Sample(name, pair, scene, text, offered, place, category=str(row.get("category") or ""))


def _scene(image: str, pair: str, images: dict[str, str]) -> str:
    """Of a row whose image is the index of another, that one's."""
    if len(image) <= INDEX:
        return images.get(image.strip(), image.strip()) or pair
    return sha256(image.encode()).hexdigest()
