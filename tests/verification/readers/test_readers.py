"""Other people's formats: what is read, and how errors name what cannot be."""

import json
import os
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from pstgen.core import plugins
from pstgen.core.records import BadInput
from pstgen.verification import readers

COCO = os.environ.get("PSTGEN_COCO_ROOT")
VQA = Path(COCO).parent / "vqa_v2" if COCO else Path("none")


def read(form, path):
    return readers.load(form).read(path)


def test_pope(tmp_path):
    file = tmp_path / "pope.json"
    lines = [
        {"question_id": n, "image": "a.jpg", "text": f"Is there a dog? {n}", "label": ("yes", "no")[n]} for n in (0, 1)
    ]
    file.write_text("\n".join(map(json.dumps, lines)))
    first, second = read("pope", file)
    assert (first.question, first.options, first.answer, first.scene) == (
        "Is there a dog? 0",
        ("yes", "no"),
        0,
        "a.jpg",
    )
    assert (second.answer, second.scene) == (1, first.scene)
    assert first.pair != second.pair


def test_vlmevalkit_tsv_with_letters_and_without(tmp_path):
    (tmp_path / "mc.tsv").write_text("index\timage\tquestion\tA\tB\tC\tanswer\n7\txyz\tWhich?\tcup\tdog\t\tB\n")
    (sample,) = read("vlmevalkit_tsv", tmp_path / "mc.tsv")
    assert (sample.name, sample.options, sample.answer) == ("7", ("cup", "dog"), 1)
    (tmp_path / "yn.tsv").write_text("index\tquestion\tanswer\n1\tIs it?\tYes\n")
    (sample,) = read("vlmevalkit_tsv", tmp_path / "yn.tsv")
    assert (sample.options, sample.answer) == (("yes", "no"), 0)


def test_naturalbench_is_pairs(tmp_path):
    row = {"Question_0": "Is it red?", "Question_1": "Is it blue?", "Question_Type": "yes_no"}
    row |= {f"Image_{i}_Question_{q}": ("Yes", "No")[(i + q) % 2] for i in (0, 1) for q in (0, 1)}
    (tmp_path / "nb.json").write_text(json.dumps([row]))
    samples = read("naturalbench", tmp_path / "nb.json")
    assert len(samples) == 4
    for pair in {sample.pair for sample in samples}:
        twins = [sample for sample in samples if sample.pair == pair]
        assert len({sample.question for sample in twins}) == 1
        assert {sample.answer for sample in twins} == {0, 1}


def test_hugging_faces_parquet_with_an_index_or_a_word(tmp_path):
    rows = [
        {"question": "?", "choices": ["a", "b"], "answer": 1},
        {"question": "?", "choices": ["a", "b"], "answer": 0},
    ]
    pq.write_table(pa.Table.from_pylist(rows), tmp_path / "a.parquet")
    assert [sample.answer for sample in read("hf", tmp_path)] == [1, 0]
    pq.write_table(
        pa.Table.from_pylist([{"question": "?", "options": ["a", "b"], "answer": "b"}]), tmp_path / "b.parquet"
    )
    assert [sample.answer for sample in read("hf", tmp_path / "b.parquet")] == [1]


@pytest.mark.skipif(not VQA.is_dir(), reason="VQA v2's files are not at hand")
def test_vqa_gives_its_yes_or_no_questions():
    samples = read("vqa", VQA)
    assert 2500 < len(samples) < 3500
    assert {sample.options[sample.answer] for sample in samples} == {"yes", "no"}


@pytest.mark.parametrize(
    ("form", "content", "expected"),
    [
        ("pope", '{"text": "?", "label": "maybe"}', "line 1"),
        ("pope", "{", "line 1"),
        ("vlmevalkit_tsv", "question\tA\tB\tanswer\nWhich?\tx\ty\tZ\n", "line 2"),
        ("vlmevalkit_tsv", "a\tb\n1\t2\n", "question and answer"),
        ("naturalbench", '[{"Question_0": "?"}]', "row 0"),
        ("hf", "junk", "not parquet"),
    ],
)
def test_what_does_not_fit_is_an_error_that_names_file_and_record(tmp_path, form, content, expected):
    file = tmp_path / "file.txt"
    file.write_text(content)
    with pytest.raises(BadInput, match=expected) as error:
        read(form, file)
    assert "file.txt" in str(error.value)


@pytest.mark.parametrize("form", plugins.names("readers"))
def test_a_file_that_is_missing_is_an_error_that_names_it(tmp_path, form):
    with pytest.raises(BadInput, match="nowhere"):
        read(form, tmp_path / "nowhere")
