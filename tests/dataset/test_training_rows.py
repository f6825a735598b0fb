"""What trainers are given of a row: its words, what is wrong, what rewards need."""

import json
from dataclasses import replace
from types import SimpleNamespace

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from pstgen.core.records import Item
from pstgen.dataset import schema, training_rows


def row(role, answer, pair="p"):
    item = Item(
        item_id=f"{pair}-{answer}",
        pair_id=pair,
        role=role,
        scene_id="world/1",
        image="",
        family="colour",
        form="",
        about=("cup",),
        frame="neutral",
        question="What colour is the cup?",
        neutral="What colour is the cup?",
        options=("red", "blue", "green"),
        answer=answer,
        lure="red",
    )
    return SimpleNamespace(item=item)


def test_the_options_are_said_in_words_and_in_an_order_that_gives_nothing_away():
    item = row("control", "red").item
    assert training_rows.question(item) == "What colour is the cup? Answer with one of: blue, green, red."
    assert training_rows.question(replace(item, options=item.options[::-1])) == training_rows.question(item)


def test_what_is_wrong_for_a_twin_is_right_for_another():
    pair = [row("control", "red"), row("stress", "blue")]
    assert [training_rows.wrong_answer(twin, pair) for twin in pair] == ["blue", "red"]


def test_in_a_group_a_stress_twin_rejects_the_lure():
    group = [row("stress", "blue"), row("control", "red"), row("stress", "green")]
    assert [training_rows.wrong_answer(twin, group) for twin in group] == ["red", "blue", "red"]


def test_twins_come_together_and_one_pair_at_a_time():
    read = []

    def rows():
        for pair in "pqr":
            for role, answer in (("control", "red"), ("stress", "blue")):
                read.append(pair)
                yield row(role, answer, pair)

    first = next(training_rows.twins(rows()))
    assert [twin.item.item_id for twin in first] == ["p-red", "p-blue"]
    assert read == ["p", "p", "q"]


@pytest.mark.parametrize("records", [[], [{"a": "ä"}], [{"a": 1}, {"a": 2}]])
def test_a_list_is_json_whatever_its_length(tmp_path, records):
    training_rows.write_list(tmp_path / "list.json", iter(records))
    assert json.loads((tmp_path / "list.json").read_text(encoding="utf-8")) == records


def test_parquet_is_written_as_it_was_given_also_where_a_column_is_empty_at_first(tmp_path):
    columns = {"mask": training_rows.MASK, "boxes": pa.list_(pa.list_(pa.float64()))}
    records = [{"mask": None, "boxes": []}] * 100 + [
        {"mask": {"size": [1, 2], "counts": "11"}, "boxes": [[0.0, 0, 1, 1]]}
    ]
    training_rows.write_parquet(tmp_path, columns, iter(records))
    assert pq.read_table(tmp_path / training_rows.PARQUET).to_pylist() == records


def test_a_picture_in_a_list_is_a_picture_to_datasets_also_before_version_4():
    """Which knows no `List`; both versions read a list of JSON with what is in it."""
    note = schema.described({"images": pa.list_(schema.IMAGE)}).metadata[b"huggingface"]
    assert json.loads(note)["info"]["features"] == {"images": [{"_type": "Image"}]}
