"""Any table with a question, options and an answer a row, under the names that benchmarks give them.

So are MMBench-like parquet files, CV-Bench, BLINK, AI2D, A-OKVQA, RealWorldQA, MMMU, MMStar, MME and GQA (their yes/no
questions) read, sets of ours, and lmms-eval's sample logs, whose rows hold the benchmark's own under `doc`.
"""

from collections.abc import Iterator, Mapping
from hashlib import sha256
from pathlib import Path
from typing import Any

from pstgen.core.records import origin
from pstgen.verification import choices, tables
from pstgen.verification.choices import LETTERS, YES_NO
from pstgen.verification.samples import Sample
from pstgen.verification.tables import Row

NAMES = {  # what a column holds: its names, the surest first
    "question": ("question", "Question", "query", "text", "sentence", "prompt"),
    "options": ("options", "Options", "choices", "candidates", "multiple_choices"),
    "answer": ("answer_index", "correct_choice_idx", "answer", "Answer", "label", "gt_answer", "correct_answer", "Correct Answer", "ground_truth", "target"),
    "image": ("source_image_id", "image_id", "imageId", "image_name", "image_path", "filename", "image", "img"),
    "pair": ("pair_id",),
    "name": ("item_id", "question_id", "id", "index", "idx", tables.KEY),
    "category": ("category", "family", "task", "type", "sub_task", "subfield"),
}  # fmt: skip
PLACES = ("answer_index", "correct_choice_idx")  # columns that hold the place of an option
SHORT = 200  # letters: a longer image is its pixels, in letters


def read(path: Path, names: Mapping[str, str], /) -> Iterator[Sample | str]:
    """Row by row. A question without options is one of yes and no, if that is its answer."""
    for n, row in enumerate(tables.rows(path)):
        yield _sample(path, n, {**row, **row["doc"]} if isinstance(row.get("doc"), dict) else row, names)


def value(row: Row, what: str, names: Mapping[str, str]) -> Any:
    """What the row has of that; None where it has none."""
    columns = (names[what],) if what in names else NAMES[what]
    return next((row[column] for column in columns if not _is_empty(row.get(column))), None)


def _is_empty(cell: Any) -> bool:
    return cell is None or (isinstance(cell, (str, list, dict)) and not cell)


def _sample(path: Path, n: int, row: Row, names: Mapping[str, str]) -> Sample | str:
    text, label = value(row, "question", names), value(row, "answer", names)
    if text is None or label is None:
        return f"has no {'question' if text is None else 'answer'}"
    question = str(text)
    offered = choices.options(value(row, "options", names), question) or _lettered(row)
    if not offered and choices.answer(label, YES_NO) >= 0:
        offered = YES_NO
    index = next((row[column] for column in PLACES if isinstance(row.get(column), int)), None)
    place = choices.answer(label, offered) if index is None or "answer" in names else index
    if len(offered) < 2 or not 0 <= place < len(offered):
        return (
            "its answer is none of its options" if offered else "has no options, and its answer is neither yes nor no"
        )
    name = str(value(row, "name", names) or f"{path.name}-{n}")
    return Sample(
        name=name,
        pair=str(value(row, "pair", names) or f"{name}-{n}"),
        scene=_scene(value(row, "image", names), name),
        question=question,
        options=offered,
        answer=place,
        lure=offered.index(row["lure"]) if row.get("lure") in offered else -1,
        role=str(row.get("role") or ""),
        frame=str(row.get("frame") or ""),
        category=str(value(row, "category", names) or ""),
    )


def _lettered(row: Row) -> tuple[str, ...]:
    """Options in columns of their own: A, B, C, …"""
    return tuple(str(row[letter]).strip() for letter in LETTERS if str(row.get(letter) or "").strip())


def _scene(image: Any, name: str) -> str:
    if image is None or not isinstance(image, (str, int)):
        return name
    return origin(str(image)) if len(str(image)) <= SHORT else sha256(str(image).encode()).hexdigest()
