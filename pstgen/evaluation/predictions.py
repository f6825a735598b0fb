"""Answers that were made elsewhere: tables of item ids and answers, and what harnesses and servers write."""

import warnings
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import msgspec

from pstgen.core import reading
from pstgen.core.records import BadInput, Item, Unavailable
from pstgen.models.parsing import parse
from pstgen.verification import tables

NAMES = ("item_id", "custom_id", "question_id", "id", tables.KEY)  # columns that hold an item's id, the surest first
ANSWERS = ("prediction", "response", "output", "filtered_resps", "resps", "answer", "text")  # the surest first
SHOWN = 3  # ids that a message names
WITH_HEADS = frozenset({".csv", ".tsv", ".xlsx", ".parquet"})  # tables whose names are columns, never items
OURS = frozenset({"role", "lure"})  # columns of the set itself, whose `answer` is the right one


def read(file: Path, items: Iterable[Item], of: Path) -> dict[str, str]:
    """By item id the option that an answer names, "" where it names none or several; a file may answer a part of the set.

    items: of the whole set, which lies in the folder `of`. Answers are read as chat models write them (`models.parsing`).

    Read are parquet, JSON, JSON lines, CSV and TSV with a column `item_id` and one of `prediction`, `response` or `answer`; a
    JSON object of answers by item id; lmms-eval's sample logs, VLMEvalKit's .xlsx and .tsv of predictions, and what
    OpenAI's batches return. Raises BadInput where the file is none of these, names an item twice or one that the set lacks, or
    lacks an answer; Unavailable where a library is missing that reads it.

    Sources: `EvaluationTracker` of lmms-eval 0.7.3 (a line holds `filtered_resps` and, under the name of each metric, what the
    task returned, item_id included; where it is kept, `doc`); `dump` of `vlmeval.smp.file` (the columns of VLMEvalKit's TSV, and
    `prediction`); the output of OpenAI's Batch API (`custom_id`, `response.body`).
    """
    known = {item.item_id: item.options for item in items}
    return {name: _option(answer, known[name]) for name, answer in _texts(file, known, of, _answer).items()}


def texts(file: Path, items: Iterable[Item], of: Path) -> dict[str, str]:
    """By item id an answer in its own words, as `--ask point` and `--ask box` need it; of the files that `read` reads.

    An answer may be a list of numbers too, or a list of such lists, or an object that has one: it is read as its JSON. Raises
    what `read` raises.
    """
    return _texts(file, {item.item_id for item in items}, of, _place)


def _texts(
    file: Path, known: Collection[str], of: Path, answer_of: Callable[[Mapping[str, Any], Path], str | None]
) -> dict[str, str]:
    answers: dict[str, str] = {}
    for n, row in enumerate(_rows(file), 1):
        name, answer = _name(row, known), answer_of(row, file)
        if name is None or answer is None:
            raise BadInput(f"{file}: row {n} {_lacking(name, row)}")
        if name in answers:
            raise BadInput(f"{file}: row {n} answers item {name!r} a second time; keep one answer for each item")
        answers[name] = answer
    if not answers:
        raise BadInput(f"{file}: holds no answer")
    if unknown := sorted(answers.keys() - set(known)):
        raise BadInput(
            f"{file}: {len(unknown):,} of {len(answers):,} answers are to items that {of} does not have "
            f"({', '.join(map(repr, unknown[:SHOWN]))}): they are to another set, or to another version of it"
        )
    return answers


def _lacking(name: str | None, row: Mapping[str, Any]) -> str:
    there = ", ".join(sorted(map(repr, row))[:8]) or "none"
    if name is None:
        return f"has no item_id; needed are columns item_id and prediction (or answer), there are: {there}"
    if any(column in row for column in ANSWERS):
        return f"has no answer to item {name!r}; leave it out, and its pair is not counted"
    return f"has no answer to item {name!r}; needed is a column prediction (or answer), there are: {there}"


def _option(answer: str, options: Sequence[str]) -> str:
    choice = parse(answer, options)
    return "" if choice is None else options[choice]


def _rows(file: Path) -> Iterator[Mapping[str, Any]]:
    if file.suffix == ".xlsx":
        yield from _sheet(file)
        return
    for row in tables.rows(file):
        if file.suffix in WITH_HEADS or not _is_mapping_of_answers(row):
            yield row
        else:
            yield from ({"item_id": name, "answer": answer} for name, answer in row.items())


def _is_mapping_of_answers(row: Mapping[str, Any]) -> bool:
    return not set(row) & {*NAMES, *ANSWERS} and all(
        isinstance(answer, (str, int, float)) or _numbers(answer) for answer in row.values()
    )


def _name(row: Mapping[str, Any], known: Collection[str]) -> str | None:
    """The item's id: of the row, or of a part of it (`doc` of a harness, or one of its metrics)."""
    parts = [row, *(part for part in row.values() if isinstance(part, Mapping))]
    found = [str(part[name]) for part in parts for name in NAMES if isinstance(part.get(name), (str, int))]
    found = [name for name in found if name]
    return next((name for name in found if name in known), found[0] if found else None)


def _answer(row: Mapping[str, Any], file: Path) -> str | None:
    """The text of an answer, of the surest column that is there; of a server's reply its message, of a list its first.

    A cell that is empty is never made good by another column: in VLMEvalKit's tables that one holds the right answer.
    """
    column = next((name for name in ANSWERS if name in row), "")
    if column == "answer" and row.keys() >= OURS:
        raise BadInput(f"{file}: its column answer holds the set's own answers; name the model's prediction")
    given = row.get(column)
    if isinstance(given, Mapping):
        return _message(given)
    while isinstance(given, list) and given:
        given = given[0]
    if isinstance(given, float) and given.is_integer():
        return f"{given:.0f}"  # a number in a column of decimals
    return str(given) if isinstance(given, (str, int, float)) else None


def _place(row: Mapping[str, Any], file: Path) -> str | None:
    """The text of an answer, as `_answer` has it; of a list or an object that holds numbers its JSON."""
    given = row.get(next((name for name in ANSWERS if name in row), ""))
    return msgspec.json.encode(given).decode() if _holds_place(given) else _answer(row, file)


def _holds_place(given: object) -> bool:
    """Is it a place, an object that has one, or a list of such objects? A server's reply is none of these."""
    if isinstance(given, Mapping):
        return any(map(_numbers, given.values()))
    return _numbers(given) or (isinstance(given, list) and bool(given) and all(map(_holds_place, given)))


def _numbers(given: object) -> bool:
    """Is it a list of two numbers or more, or a list of such lists?"""
    if not isinstance(given, list) or not given:
        return False
    return all(map(_numbers, given)) or (len(given) > 1 and all(isinstance(part, int | float) for part in given))


def _message(reply: Mapping[str, Any]) -> str | None:
    """Of a chat completion the message's text, "" where it has none; None where the request failed."""
    try:
        content = reply.get("body", reply)["choices"][0]["message"]["content"]
    except (KeyError, IndexError, TypeError):
        return None
    return content if isinstance(content, str) else ""


def _sheet(file: Path) -> list[dict[str, Any]]:
    """Rows of the first sheet of a workbook, as VLMEvalKit writes it; an empty cell is an empty answer."""
    try:
        import openpyxl
    except ModuleNotFoundError:
        raise Unavailable(f"{file}: to read .xlsx, `pip install openpyxl`; or save it as .tsv") from None
    try:
        with reading.opened(file) as opened, warnings.catch_warnings():
            warnings.simplefilter("ignore")  # about styles that a program did not write
            sheet = openpyxl.load_workbook(opened, read_only=True, data_only=True).worksheets[0]
            sheet.reset_dimensions()  # as written they may be wrong
            heads, *rows = [list(row) for row in sheet.iter_rows(values_only=True)] or [[]]
    except OSError as error:
        raise BadInput(f"{file}: {error.strerror or error}") from None
    except Exception as error:  # noqa: BLE001 (whatever a damaged workbook makes the library raise)
        raise BadInput(f"{file}: not a workbook that can be read: {' '.join(str(error).split())}") from None
    names = ["" if head is None else str(head) for head in heads]
    filled = [["" if cell is None else cell for cell in row] for row in rows]
    return [{**dict.fromkeys(names, ""), **dict(zip(names, row, strict=False))} for row in filled if any(row)]
