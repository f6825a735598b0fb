"""A fitted prior as a file, prior.json: counts, what they were counted on, and a seal."""

from collections import Counter, defaultdict
from collections.abc import Mapping
from hashlib import sha256
from pathlib import Path

import msgspec

from pstgen.core import __version__, reading, scratch
from pstgen.core.records import BadInput
from pstgen.questions.families import Question
from pstgen.questions.priors import Tally

FORMAT = 2  # 2 counts things without their contexts too


class Row(msgspec.Struct, frozen=True, array_like=True):
    """One question and how often it had each answer."""

    family: str
    form: str
    about: tuple[str, ...]
    answers: dict[str, int]


class PriorFile(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """prior.json. scenes: how many were counted; fitted_on: where they come from, with sha256; seal: sha256 of the counts."""

    kind: str = "pstgen prior"
    format: int
    pstgen: str
    scenes: int
    fitted_on: dict[str, str]
    counts: list[Row]
    seal: str

    @property
    def tally(self) -> Tally:
        """The counts by question and answer."""
        return Counter(
            {((row.family, row.form, row.about), answer): n for row in self.counts for answer, n in row.answers.items()}
        )


def write(file: Path, tally: Tally, scenes: int, fitted_on: Mapping[str, str]) -> None:
    """Write a prior; the same counts give the same bytes. Raises Unavailable where it cannot be written."""
    by_question: defaultdict[Question, dict[str, int]] = defaultdict(dict)
    for (question, answer), n in sorted(tally.items()):
        by_question[question][answer] = n
    rows = [Row(*question, answers) for question, answers in by_question.items()]
    file_content = PriorFile(
        format=FORMAT, pstgen=__version__, scenes=scenes, fitted_on=dict(fitted_on), counts=rows, seal=_seal(rows)
    )
    scratch.put(file, msgspec.json.encode(file_content, order="deterministic") + b"\n")


def read(file: Path) -> PriorFile:
    """Read a prior. Raises BadInput where there is none, it is of another format, or its counts are not those sealed."""
    try:
        content = reading.json(reading.content(file), PriorFile)
    except OSError as error:
        raise BadInput(f"{file}: {error.strerror}; `pstgen priors --save {file}` writes one") from None
    except msgspec.DecodeError as error:
        raise BadInput(f"{file}: is no prior that pstgen wrote: {error}") from None
    if content.format != FORMAT:
        raise BadInput(f"{file}: has format {content.format}; this pstgen reads format {FORMAT}: write it anew")
    if content.seal != _seal(content.counts) or any(n < 1 for row in content.counts for n in row.answers.values()):
        raise BadInput(f"{file}: its counts are not those that were written; write it anew with `pstgen priors --save`")
    return content


def digest(file: Path) -> str:
    """sha256 of a prior's file."""
    return sha256(file.read_bytes()).hexdigest()


def _seal(rows: list[Row]) -> str:
    return sha256(msgspec.json.encode(rows, order="deterministic")).hexdigest()
