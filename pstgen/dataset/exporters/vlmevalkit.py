"""PST_circular.tsv: multiple choice as VLMEvalKit reads it, which takes a TSV of an unknown name for a `CustomMCQDataset`.

Source: VLMEvalKit's page "Develop new Benchmark", and the modules vlmeval.dataset.image_base, .image_mcq and .utils.multiple_choice of
the package ms-vlmeval 0.0.20. A cell `image` holds base64, or, where it has at most 64 characters, the `index` of the row whose image it
shares. Where a name has "circular" in it, rows whose `index` differs by a multiple of 1,000,000 count as right when all of them are;
that is made for orders of the same options, and is what a pair needs.

VLMEvalKit reads the TSV with pandas, which takes a column of numbers with gaps for floats ("2" is asked as "2.0") and some words
for gaps. Where a column would become floats, options that are numbers are written in words, in all columns.
"""

import csv
import hashlib
from base64 import b64encode
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path

from pstgen.core.records import BadInput, Item
from pstgen.dataset import exported
from pstgen.dataset.rows import Row
from pstgen.dataset.store import Dataset
from pstgen.models.parsing import LETTERS

NAME = "PST_circular"  # no other part of it is one by which VLMEvalKit knows a benchmark with rules of its own
TWIN = 1_000_000  # between the indices of two twins
TEMPLATES = {"README.md": "md"}
EXTRA = ("category", "l2-category", "item_id", "pair_id", "role", "lure", "frame")
GAPS = frozenset(  # what pandas.read_csv takes for a gap
    [
        "#N/A",
        "#N/A N/A",
        "#NA",
        "-1.#IND",
        "-1.#QNAN",
        "-NaN",
        "-nan",
        "1.#IND",
        "1.#QNAN",
        "<NA>",
        "N/A",
        "NA",
        "NULL",
        "NaN",
        "None",
        "n/a",
        "nan",
        "null",
    ]
)


def write(dataset: Dataset, folder: Path, /) -> None:
    """Write PST_circular.tsv and README.md. category: the family; l2-category: the frame; answer, lure: letters.

    Raises BadInput where an option is a word that pandas takes for a gap, or where the set has a million pairs, which VLMEvalKit cannot
    tell apart.
    """
    most, in_words = _columns(dataset.items(), dataset.folder)
    letters = LETTERS[:most]
    with (folder / f"{NAME}.tsv").open("w", encoding="utf-8", newline="") as file:
        table = csv.writer(file, delimiter="\t", lineterminator="\n")
        table.writerow(["index", "image", "question", *letters, "answer", *EXTRA])
        table.writerows(_lines(_indexed(dataset.rows(), dataset.folder), most, in_words=in_words))
    exported.write_task(folder, "vlmevalkit", TEMPLATES, dataset, name=NAME, in_words=in_words)


def _indexed(rows: Iterable[Row], folder: Path) -> Iterator[tuple[int, Row]]:
    """Every row and its index: the number of its pair, from 1, and TWIN more for each twin before it."""
    pairs: dict[str, int] = {}
    seen = Counter[str]()
    for row in rows:
        pair = row.item.pair_id
        number = pairs.setdefault(pair, len(pairs) + 1)
        if number == TWIN:
            raise BadInput(
                f"{folder}: has {TWIN:,} pairs or more, which VLMEvalKit cannot tell apart; export with `--to lmms-eval`"
            )
        yield number + TWIN * seen[pair], row
        seen[pair] += 1


def _lines(rows: Iterable[tuple[int, Row]], most: int, *, in_words: bool) -> Iterator[list[str]]:
    first: dict[bytes, int] = {}  # the row that holds a picture, by its hash
    for index, row in rows:
        item = row.item
        holder = first.setdefault(hashlib.sha256(row.image).digest(), index)
        image = b64encode(row.image).decode() if holder == index else str(holder)
        options = [_in_words(option) if in_words else option for option in item.options]
        gaps = [""] * (most - len(options))
        lure = LETTERS[item.options.index(item.lure)]
        extra = [item.family, item.frame, item.item_id, item.pair_id, item.role, lure, item.frame]
        yield [str(index), image, item.question, *options, *gaps, exported.letter(item), *extra]


def _columns(items: Iterable[Item], folder: Path) -> tuple[int, bool]:
    """How many options there are at most, and whether numbers must be written in words. Raises BadInput like `write`."""
    values: list[set[str]] = []
    counts = set[int]()
    for item in items:
        if taken := GAPS.intersection(item.options):
            raise BadInput(
                f"{folder}: item {item.item_id} has the option {min(taken)!r}, which VLMEvalKit reads as no option; "
                "export with `--to lmms-eval` or `--to evalscope`"
            )
        counts.add(len(item.options))
        values += [set() for _ in item.options[len(values) :]]
        for column, option in zip(values, item.options, strict=False):
            column.add(option)
    gappy = [n >= min(counts, default=0) for n in range(len(values))]
    return len(values), any(_changes(sorted(column), gaps=gaps) for column, gaps in zip(values, gappy, strict=True))


def _changes(column: Sequence[str], *, gaps: bool) -> bool:
    """Does pandas turn these options into other text?

    >>> _changes(["1", "2"], gaps=False), _changes(["1", "2"], gaps=True), _changes(["2", "yes"], gaps=True)
    (False, True, False)
    """
    if not all(map(_is_number, column)):
        return False
    return gaps or any(not option.isdecimal() or str(int(option)) != option for option in column)


def _is_number(option: str) -> bool:
    try:
        float(option)
    except ValueError:
        return False
    return True


def _in_words(option: str) -> str:
    import inflect

    return str(inflect.engine().number_to_words(option)) if _is_number(option) else option
