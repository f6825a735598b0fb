"""Whatever is changed in a file of a benchmark, it is read, or what is wrong is named: never a traceback."""

import copy
import json
import os
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import NamedTuple

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from pstgen.core import plugins
from pstgen.core.records import BadInput
from pstgen.verification import readers

FUZZ = int(os.environ.get("PSTGEN_FUZZ", "0"))  # examples that are drawn anew; by default the same ones
EXAMPLES = FUZZ or 300
ROW = {"question": "Which?", "options": ["cup", "dog"], "answer": "B", "image": "a.jpg", "id": 7, "category": "kind"}
NATURAL = {"Question_0": "Is it?", "Question_1": "Which? (A) Left (B) Right", "Question_Type": "yes_no"} | {
    f"Image_{image}_Question_{question}": ("Yes", "No")[(image + question) % 2] for image in (0, 1) for question in (0, 1)
}  # fmt: skip
HALLUSION = {
    "category": "VS", "subcategory": "map", "set_id": "0", "figure_id": "1", "question_id": "1", "question": "Is it?",
    "visual_input": "1", "gt_answer": "1",
}  # fmt: skip
MMVP = {"Index": 1, "Question": "Open?", "Options": "(a) Open (b) Closed", "Correct Answer": "(a)"}
LETTERED = {"index": "7", "image": "xyz", "question": "Which?", "A": "cup", "B": "dog", "answer": "B"}
VQA = {"question_id": 1, "image_id": 2, "question": "Is it?", "multiple_choice_answer": "yes", "answers": []}


def as_json(value):
    return json.dumps(value).encode()


def as_lines(rows):
    return b"".join(as_json(row) + b"\n" for row in rows if isinstance(rows, list))


def as_table(by):
    """Cells as text; whatever stands there."""

    def written(rows):
        rows = [row for row in rows if isinstance(row, dict)] if isinstance(rows, list) else []
        names = list(dict.fromkeys(name for row in rows for name in row))
        lines = [names, *([str(row.get(name, "")) for name in names] for row in rows)]
        return "\n".join(by.join(line) for line in lines).encode(errors="replace")

    return written


def as_parquet(rows):
    """Empty where no table can be made of it."""
    sink = pa.BufferOutputStream()
    try:
        pq.write_table(pa.Table.from_pylist(rows), sink)
    except (pa.ArrowException, TypeError, AttributeError, OverflowError, ValueError):
        return b""
    return sink.getvalue().to_pybytes()


def as_words(lines):
    return "\n".join("\t".join(map(str, line)) if isinstance(line, list) else str(line) for line in lines).encode(errors="replace")  # fmt: skip


class Small(NamedTuple):
    """A small benchmark. files: what each of its files holds, by name. write: makes bytes of that."""

    files: dict[str, object]
    write: Callable[[object], bytes] = as_json


VALID = {  # by reader, and by how it is written
    "amber": Small({
        "query_all.json": [{"id": n, "image": "a.jpg", "query": "Is it?"} for n in (1, 2)],
        "annotations.json": [{"id": n, "type": "attribute", "truth": "no"} for n in (1, 2)],
    }),
    "columns": Small({"file.json": [ROW, ROW]}),
    "columns, named": Small({"file.json": {"7": ROW, "8": {"doc": ROW}}}),
    "columns, lines": Small({"file.jsonl": [ROW, ROW]}, as_lines),
    "columns, CSV": Small({"file.csv": [ROW | {"options": "A. cup B. dog"}] * 2}, as_table(",")),
    "columns, parquet": Small({"file.parquet": [ROW, ROW]}, as_parquet),
    "hallusionbench": Small({"file.json": [HALLUSION, HALLUSION | {"figure_id": "2"}]}),
    "mme": Small({"count/a.txt": [["Is it one?", "Yes"], ["Is it two?", "No"]]}, as_words),
    "mmvp": Small({"file.csv": [MMVP, MMVP]}, as_table(",")),
    "naturalbench": Small({"file.json": [NATURAL, NATURAL]}),
    "pope": Small({"file.json": [{"question_id": 1, "image": "a.jpg", "text": "Is it?", "label": "no"}] * 2}, as_lines),
    "sugarcrepe": Small({"file.json": {"0": {"filename": "0.jpg", "caption": "A cup.", "negative_caption": "A dog."}}}),
    "vlmevalkit_tsv": Small({"file.tsv": [LETTERED, LETTERED | {"index": "1000007"}]}, as_table("\t")),
    "vqa": Small({"v2_questions.json": {"questions": [VQA]}, "v2_annotations.json": {"annotations": [VQA]}}),
}  # fmt: skip
ODD = st.one_of(
    st.none(), st.booleans(), st.integers(), st.floats(), st.text(max_size=6), st.binary(max_size=4).map(repr),
    st.sampled_from([[], {}, [[]], "[" * 300, "['a', 'b'", "[1, {[]: 2}]", "['\\d', 'b']", "9" * 5000, "²", 10**400, "\0", "A" * 300, {"a": "b"}, [None, None], ["x", 1.5], "yes", "(B)", 1]),
)  # fmt: skip


def places(value, path=()):
    """Every place in a JSON value."""
    keys = value.keys() if isinstance(value, dict) else range(len(value)) if isinstance(value, list) else ()
    for key in keys:
        yield (*path, key)
        yield from places(value[key], (*path, key))


@st.composite
def changed(draw):
    """A small benchmark of any reader, a few of whose places hold something else, or nothing, and perhaps another byte."""
    name = draw(st.sampled_from(list(VALID)))
    files, write = copy.deepcopy(VALID[name].files), VALID[name].write
    for place in draw(st.lists(st.sampled_from([p for p in places(files) if len(p) > 1]), max_size=3)):
        with suppress(KeyError, IndexError, TypeError):  # an earlier change took the place away
            *above, key = place
            inner = files
            for step in above:
                inner = inner[step]
            if draw(st.booleans()):
                inner[key] = copy.deepcopy(draw(ODD))  # the same list, put into itself, has no end
            else:
                del inner[key]
    coded = {file: bytearray(write(value)) for file, value in files.items()}
    for code in coded.values():
        if code and draw(st.integers(0, 3)) == 0:
            at = draw(st.integers(0, len(code) - 1))
            code[at : at + draw(st.integers(0, 2))] = draw(st.binary(max_size=2))
        if code and draw(st.integers(0, 7)) == 0:
            del code[draw(st.integers(0, len(code) - 1)) :]
    return name.partition(",")[0], coded


def laid(folder, coded):
    """The path of a benchmark: the folder, where it is one of several files, or of a folder a task."""
    for name, code in coded.items():
        (folder / name).parent.mkdir(exist_ok=True)
        (folder / name).write_bytes(code)
    alone = len(coded) == 1 and "/" not in next(iter(coded))
    return folder / next(iter(coded)) if alone else folder


def attempt(path, form):
    """What was read, or the line that says why not."""
    try:
        return readers.read(path, form), ""
    except BadInput as error:
        return None, str(error)


def test_every_reader_has_a_small_file_that_it_reads(tmp_path):
    assert {name.partition(",")[0] for name in VALID} | {"hf"} == set(plugins.names("readers"))
    assert readers.load("hf") is readers.load("columns")  # its older name
    for name, small in VALID.items():
        folder = tmp_path / name
        folder.mkdir()
        path = laid(folder, {file: small.write(value) for file, value in small.files.items()})
        words = readers.read(path)
        assert words.format == name.partition(",")[0]
        assert words.samples


@settings(max_examples=EXAMPLES, derandomize=not FUZZ, suppress_health_check=list(HealthCheck), deadline=None)
@given(changed(), st.booleans())
def test_a_changed_file_gives_samples_reasons_or_one_clear_error(tmp_path_factory, made, told):
    """told: whether the format is named, or to be recognized."""
    form, coded = made
    path = laid(tmp_path_factory.mktemp("any"), coded)
    words, error = attempt(path, form if told else readers.AUTO)
    if words:
        assert all(0 <= sample.answer < len(sample.options) for sample in words.samples)
        assert all(line.strip() for line in words.refusals)
    else:
        assert str(path) in error
        assert "\n" not in error


@pytest.mark.parametrize("name", VALID)
def test_what_is_no_regular_file_is_named_and_not_waited_for(tmp_path, name):
    """A pipe that nobody writes into, in the place of each file."""
    small = VALID[name]
    for spoilt in small.files:
        folder = tmp_path / Path(spoilt).stem
        folder.mkdir()
        path = laid(folder, {file: small.write(value) for file, value in small.files.items()})
        (folder / spoilt).unlink()
        os.mkfifo(folder / spoilt)
        for form in (name.partition(",")[0], readers.AUTO):
            with pytest.raises(BadInput, match=r"not a regular file|no question|no parquet"):
                readers.read(path, form)
