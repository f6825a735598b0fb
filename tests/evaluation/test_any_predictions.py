"""Whatever stands in a file of predictions, it is read, or one line names what is wrong: never a traceback."""

import copy
import importlib.util
import json
import os
from contextlib import suppress
from io import BytesIO

import pyarrow as pa
import pyarrow.parquet as pq
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from pstgen.core.records import BadInput, Item
from pstgen.evaluation import predictions

FUZZ = int(os.environ.get("PSTGEN_FUZZ", "0"))  # examples that are drawn anew; by default the same ones
EXAMPLES = FUZZ or 300
NAMES = ("a-a", "a-b")
ITEMS = [
    Item(
        item_id=name, pair_id="a", role=role, scene_id="world/1", image="", family="count", form="of", about=("cup",),
        frame="neutral", question="Which?", neutral="Which?", options=("1", "2", "yes"), answer="1", lure="2",
    ) for name, role in zip(NAMES, ("stress", "control"), strict=True)
]  # fmt: skip
HUGE = "huge"  # stands for such a number
ODD = st.one_of(
    st.none(), st.booleans(), st.integers(), st.floats(allow_nan=False), st.text(max_size=6),
    st.sampled_from([[], {}, [[]], [["yes"]], {"body": []}, {"body": {"choices": [{}]}}, "9" * 5000, 10**400, HUGE, 1e308, "\0", "²", "<think>", "(Z)", "a-a", "A" * 300, {"item_id": "a-b"}, {"item_id": []}]),
)  # fmt: skip
COMPLETION = {"body": {"choices": [{"message": {"content": "yes"}}]}}
VALID = {
    "rows": [{"item_id": name, "prediction": "yes"} for name in NAMES],
    "object": dict.fromkeys(NAMES, "2"),
    "objects": {name: {"answer": "1"} for name in NAMES},
    "lmms-eval": [
        {"doc_id": 1, "filtered_resps": ["yes"], "doc": {"item_id": n}, "pst": {"item_id": n}} for n in NAMES
    ],
    "batch": [{"id": "batch_req", "custom_id": name, "response": COMPLETION, "error": None} for name in NAMES],
}
WRITTEN = ("json", "jsonl", "csv", "tsv", "parquet", "txt") + ("xlsx",) * bool(importlib.util.find_spec("openpyxl"))


def cells(value):
    return [row for row in value if isinstance(row, dict)] if isinstance(value, list) else [value]


def text(value):
    """JSON, with a whole number of more digits than Python writes."""
    return json.dumps(value).encode().replace(f'"{HUGE}"'.encode(), b"1" + b"0" * 5000)


def table(value, by):
    rows = cells(value)
    names = list(dict.fromkeys(name for row in rows for name in row))
    lines = [names, *([str(text(row.get(name, ""))[:99]) for name in names] for row in rows)]
    return "\n".join(by.join(map(str, line)) for line in lines).encode(errors="replace")


def parquet(value):
    """Empty where no table can be made of it."""
    sink = pa.BufferOutputStream()
    try:
        pq.write_table(pa.Table.from_pylist(cells(value)), sink)
    except (pa.ArrowException, TypeError, AttributeError, OverflowError, ValueError):
        return b""
    return sink.getvalue().to_pybytes()


def workbook(value):
    """A workbook of the rows that one can hold."""
    import openpyxl
    from openpyxl.utils.exceptions import IllegalCharacterError

    book, rows, file = openpyxl.Workbook(), cells(value), BytesIO()
    heads = list(dict.fromkeys(name for row in rows for name in row))
    for line in (heads, *(list(row.values()) for row in rows)):
        with suppress(IllegalCharacterError):
            book.active.append(
                [cell if isinstance(cell, (str, bool, float)) else str(text(cell)[:99]) for cell in line]
            )
    book.save(file)
    return file.getvalue()


def places(value, path=()):
    """Every place in a JSON value."""
    keys = value.keys() if isinstance(value, dict) else range(len(value)) if isinstance(value, list) else ()
    for key in keys:
        yield (*path, key)
        yield from places(value[key], (*path, key))


def put(value, path, odd):
    """Put something into a place of it, or take the place away; an earlier change may have done so."""
    *above, key = path
    try:
        for step in above:
            value = value[step]
        if odd == "gone":
            del value[key]
        else:
            value[key] = odd
    except (KeyError, IndexError, TypeError):
        pass


SHARE = st.floats(0, 1, exclude_max=True)
SPOILING = st.tuples(st.integers(0, 7), SHARE, st.integers(0, 2), st.binary(max_size=2))


def spoilt(code, kind, share, most, other):
    """Its bytes, in a quarter of the cases with others in a place, and in an eighth cut off there; workbooks hold the time."""
    at = int(share * len(code))
    if kind < 2:
        code[at : at + most] = other
    elif kind == 7:
        del code[at:]
    return bytes(code)


@st.composite
def changed(draw):
    """The suffix and the bytes of a file, a few of whose places hold something else, or nothing, and perhaps another byte."""
    value = copy.deepcopy(VALID[draw(st.sampled_from(list(VALID)))])
    for path in draw(st.lists(st.sampled_from(list(places(value))), max_size=3)):
        put(value, path, copy.deepcopy(draw(st.one_of(ODD, st.just("gone")))))
    suffix = draw(st.sampled_from(WRITTEN))
    if suffix in {"csv", "tsv"}:
        code = table(value, "," if suffix == "csv" else "\t")
    elif suffix == "jsonl":
        code = b"\n".join(text(row) for row in cells(value))
    else:
        code = {"parquet": parquet, "xlsx": workbook}.get(suffix, text)(value)
    return suffix, spoilt(bytearray(code), *draw(SPOILING))


def read_or_refused(folder, suffix, code):
    """The answers, or None where one line says what is wrong."""
    file = folder / f"answers.{suffix}"
    file.write_bytes(code)
    try:
        return predictions.read(file, ITEMS, folder)
    except BadInput as refusal:
        said = str(refusal)
    assert str(file) in said
    assert "\n" not in said
    return None


def test_what_the_changes_begin_with_is_read(tmp_path):
    for value in VALID.values():
        assert read_or_refused(tmp_path, "json", text(value)).keys() == set(NAMES)


@settings(max_examples=EXAMPLES, derandomize=not FUZZ, suppress_health_check=list(HealthCheck), deadline=None)
@given(changed())
def test_a_changed_file_gives_options_or_one_clear_line(tmp_path, made):
    answers = read_or_refused(tmp_path, *made)
    assert answers is None or (answers.keys() <= set(NAMES) and set(answers.values()) <= {"", "1", "2", "yes"})


@settings(max_examples=EXAMPLES, derandomize=not FUZZ, suppress_health_check=list(HealthCheck), deadline=None)
@given(st.sampled_from(WRITTEN), st.one_of(st.binary(max_size=60), st.text(max_size=60).map(lambda t: t.encode()), st.sampled_from([b"[" * 10**5, b'{"a":' * 10**5, b"1" * 10**4])))  # fmt: skip
def test_any_bytes(tmp_path, suffix, code):
    answers = read_or_refused(tmp_path, suffix, code)
    assert answers is None or answers.keys() <= set(NAMES)
