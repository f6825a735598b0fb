"""Answers are read as harnesses, servers and people write them; what cannot be measured is refused by file and row."""

import csv
import json

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from pstgen.core.records import BadInput, Item, Unavailable
from pstgen.evaluation import predictions

OPTIONS = {"a-a": ("no", "yes"), "a-b": ("no", "yes"), "b-a": ("red", "blue", "green"), "b-b": ("red", "blue", "green")}
GIVEN = {"a-a": "Yes, it is.", "a-b": "A", "b-a": "It is green.", "b-b": "I cannot see it."}
READ = {"a-a": "yes", "a-b": "no", "b-a": "green", "b-b": ""}


def item(name, options):
    return Item(
        item_id=name, pair_id=name[0], role="stress" if name.endswith("a") else "control", scene_id="world/1", image="",
        family="colour", form="of", about=("cup",), frame="neutral", question="Which?", neutral="Which?",
        options=options, answer=options[0], lure=options[1],
    )  # fmt: skip


ITEMS = [item(name, options) for name, options in OPTIONS.items()]


def read(file):
    return predictions.read(file, ITEMS, file.parent / "pst")


def lines(rows):
    return "".join(json.dumps(row) + "\n" for row in rows)


def rows(answer="answer"):
    return [{"item_id": name, answer: given} for name, given in GIVEN.items()]


def lmms_eval(name, given):
    """A line of the sample log of lmms-eval 0.7.3, which names the item in what the task's metrics returned."""
    score = {"item_id": name, "pair_id": name[0], "score": 1.0}
    log = {"doc_id": 3, "target": "B", "filtered_resps": given, "token_counts": [None], "doc_hash": "74234e98"}
    return log | {"pst_item": score, "pst_lure_rate": score, "input": "Which?\nA. no\nB. yes"}


def lmms_eval_with_doc(name, given):
    doc = {"item_id": name, "question": "Which?", "answer": "green", "options": ["no", "yes"]}
    return {"doc_id": 3, "doc": doc, "target": "B", "resps": [[given]], "filtered_resps": [given]}


def openai_batch(name, given):
    """A line of the Batch API's output file."""
    message = {"index": 0, "message": {"role": "assistant", "content": given, "refusal": None}, "finish_reason": "stop"}
    body = {"id": "chatcmpl-1", "object": "chat.completion", "choices": [message]}
    return {"id": "batch_req_7", "custom_id": name, "response": {"status_code": 200, "body": body}, "error": None}


def vlmevalkit(name, given):
    """A row of its table of predictions: that of the benchmark, whose `answer` is the right one, and the prediction."""
    return {
        "index": 7,
        "question": "Which?",
        "A": "no",
        "B": "yes",
        "answer": "A",
        "item_id": name,
        "prediction": given,
    }


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("lines.jsonl", lines(rows())),
        ("lines of predictions.jsonl", lines(rows("prediction"))),
        ("list.json", json.dumps(rows())),
        ("object.json", json.dumps(GIVEN)),
        ("objects.json", json.dumps({name: {"answer": given} for name, given in GIVEN.items()})),
        ("lmms-eval.jsonl", lines(lmms_eval(*row) for row in GIVEN.items())),
        ("lmms-eval with doc.jsonl", lines(lmms_eval_with_doc(*row) for row in GIVEN.items())),
        ("batch.jsonl", lines(openai_batch(*row) for row in GIVEN.items())),
        ("vlmevalkit.json", json.dumps([vlmevalkit(*row) for row in GIVEN.items()])),
    ],
)
def test_json_of_every_kind_gives_the_same_options(tmp_path, name, text):
    (tmp_path / name).write_text(text)
    assert read(tmp_path / name) == READ


def test_what_is_no_number_in_json_is_a_gap_as_vlmevalkit_writes_it(tmp_path):
    """Python's json, with which it dumps a table of pandas, writes NaN; within a text that is a word like any other."""
    table = [vlmevalkit(*row) | {"C": float("nan"), "hint": 'NaN "NaN" \\'} for row in GIVEN.items()]
    text = json.dumps(table, indent=4)
    assert text.count("NaN") == 3 * len(GIVEN)
    (tmp_path / "model_pst.json").write_text(text)
    assert read(tmp_path / "model_pst.json") == READ
    (tmp_path / "no_answer.json").write_text('[{"item_id": "a-a", "prediction": NaN}]')
    with pytest.raises(BadInput, match="has no answer to item 'a-a'"):
        read(tmp_path / "no_answer.json")


@pytest.mark.parametrize(("suffix", "by"), [("csv", ","), ("tsv", "\t")])
def test_tables_of_text_give_the_same_options(tmp_path, suffix, by):
    table = [vlmevalkit(*row) for row in GIVEN.items()]
    with (tmp_path / f"answers.{suffix}").open("w", newline="", encoding="utf-8-sig") as file:
        writer = csv.DictWriter(file, list(table[0]), delimiter=by)
        writer.writeheader()
        writer.writerows(table)
    assert read(tmp_path / f"answers.{suffix}") == READ


def test_parquet_gives_the_same_options(tmp_path):
    pq.write_table(pa.Table.from_pylist(rows("response")), tmp_path / "answers.parquet")
    assert read(tmp_path / "answers.parquet") == READ


def workbook(file, heads, *table):
    openpyxl = pytest.importorskip("openpyxl")
    book = openpyxl.Workbook()
    for row in (heads, *table):
        book.active.append(row)
    book.save(file)
    return file


def test_a_workbook_of_vlmevalkit_gives_the_same_options(tmp_path):
    table = [list(vlmevalkit(*row).values()) for row in GIVEN.items()]
    heads = list(vlmevalkit("a-a", ""))
    assert read(workbook(tmp_path / "model_pst.xlsx", heads, *table, [None] * len(heads))) == READ


def test_an_empty_cell_of_a_workbook_is_an_invalid_answer_and_never_the_right_one_beside_it(tmp_path):
    """VLMEvalKit's tables have the right answer in the column `answer`."""
    file = workbook(tmp_path / "model.xlsx", ["item_id", "answer", "prediction"], ["a-a", "yes", None])
    assert read(file) == {"a-a": ""}


def test_without_openpyxl_the_message_says_what_to_install(tmp_path, monkeypatch):
    monkeypatch.setitem(__import__("sys").modules, "openpyxl", None)
    (tmp_path / "x.xlsx").write_bytes(b"")
    with pytest.raises(Unavailable, match=r"x\.xlsx: .*pip install openpyxl"):
        read(tmp_path / "x.xlsx")


def test_a_number_may_stand_in_a_column_of_decimals(tmp_path):
    count = [item("c-a", ("1", "2", "3"))]
    pq.write_table(pa.table({"item_id": ["c-a"], "prediction": [2.0]}), tmp_path / "a.parquet")
    assert predictions.read(tmp_path / "a.parquet", count, tmp_path) == {"c-a": "2"}
    (tmp_path / "a.json").write_text('{"c-a": 3}')
    assert predictions.read(tmp_path / "a.json", count, tmp_path) == {"c-a": "3"}


def test_a_message_without_text_is_an_invalid_answer(tmp_path):
    (tmp_path / "batch.jsonl").write_text(lines([openai_batch("a-a", None), openai_batch("a-b", "B")]))
    assert read(tmp_path / "batch.jsonl") == {"a-a": "", "a-b": "yes"}


ROW = {"item_id": "a-a", "answer": "yes"}


@pytest.mark.parametrize(
    ("rows", "says"),
    [
        ([ROW, ROW], r"row 2 answers item 'a-a' a second time"),
        ([ROW, {"item_id": "z-a", "answer": "yes"}], r"1 of 2 answers are to items that .*pst does not have \('z-a'\)"),
        ([{"answer": "yes"}], r"row 1 has no item_id; .*there are: 'answer'"),
        ([{"item_id": "a-a", "score": 1}], r"row 1 has no answer to item 'a-a'; .*there are: 'item_id', 'score'"),
        ([{"item_id": "a-a", "answer": None}], r"row 1 has no answer to item 'a-a'; leave it out"),
        ([ROW | {"lure": "no", "role": "stress"}], r"holds the set's own answers"),
        ([openai_batch("a-a", "") | {"response": None, "error": {"code": "batch_expired"}}], r"no answer to item 'a-a'; leave it out"),
        ([], r"neither JSON nor JSON lines|holds no"),
    ],
)  # fmt: skip
def test_what_cannot_be_measured_is_refused_by_file_and_row(tmp_path, rows, says):
    file = tmp_path / "bad.jsonl"
    file.write_text(lines(rows))
    with pytest.raises(BadInput, match=rf"bad\.jsonl: .*{says}"):
        read(file)


@pytest.mark.parametrize("name", ["gone.jsonl", "gone.csv", "gone.parquet"])
def test_a_file_that_is_gone_is_named(tmp_path, name):
    with pytest.raises(BadInput, match=name):
        read(tmp_path / name)


@pytest.mark.parametrize("code", [b"", b"PK\x03\x04 no workbook", b"<html>"])
def test_a_damaged_workbook_is_named(tmp_path, code):
    pytest.importorskip("openpyxl")
    (tmp_path / "bad.xlsx").write_bytes(code)
    with pytest.raises(BadInput, match=r"bad\.xlsx: not a workbook that can be read"):
        read(tmp_path / "bad.xlsx")


PLACES = {"a-a": "[1, 2]", "a-b": '<point x="1.5" y="2">', "b-a": "[[1,2,3,4],[5,6,7,8]]", "b-b": "I cannot see it."}


def places(file):
    return predictions.texts(file, ITEMS, file.parent / "pst")


def test_places_are_kept_in_their_own_words(tmp_path):
    file = tmp_path / "answers.jsonl"
    file.write_text(lines({"item_id": name, "prediction": given} for name, given in PLACES.items()))
    assert places(file) == PLACES


@pytest.mark.parametrize(
    ("given", "text"),
    [
        ([1, 2], "[1,2]"),
        ([0.5, 0.25], "[0.5,0.25]"),
        ([[1, 2, 3, 4], [5, 6, 7, 8]], "[[1,2,3,4],[5,6,7,8]]"),
        ({"point_2d": [1, 2]}, '{"point_2d":[1,2]}'),
        ([{"bbox_2d": [1, 2, 3, 4], "label": "cup"}], '[{"bbox_2d":[1,2,3,4],"label":"cup"}]'),
        (["[1, 2]"], "[1, 2]"),  # as lmms-eval keeps a text
        (7, "7"),
    ],
)
def test_a_place_may_be_a_list_or_an_object_of_numbers(tmp_path, given, text):
    file = tmp_path / "answers.jsonl"
    file.write_text(lines([{"item_id": name, "prediction": given} for name in ("a-a", "a-b")]))
    assert places(file) == {"a-a": text, "a-b": text}


def test_an_object_of_places_by_item_is_read(tmp_path):
    file = tmp_path / "answers.json"
    file.write_text(json.dumps({"a-a": [1, 2], "a-b": "[3, 4]"}))
    assert places(file) == {"a-a": "[1,2]", "a-b": "[3, 4]"}


def test_a_servers_message_about_a_place_is_read(tmp_path):
    file = tmp_path / "batch.jsonl"
    message = {"body": {"choices": [{"message": {"content": "[1, 2]"}}]}}
    file.write_text(lines([{"custom_id": "a-a", "response": message}]))
    assert places(file) == {"a-a": "[1, 2]"}


def test_places_are_refused_as_options_are(tmp_path):
    file = tmp_path / "answers.jsonl"
    file.write_text(lines([{"item_id": "a-a", "prediction": [1, 2]}] * 2))
    with pytest.raises(BadInput, match="row 2 answers item 'a-a' a second time"):
        places(file)
    file.write_text(lines([{"item_id": "z-z", "prediction": [1, 2]}]))
    with pytest.raises(BadInput, match="1 of 1 answers are to items that"):
        places(file)
