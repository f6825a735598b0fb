"""Other people's formats: what is read, and how errors name what cannot be."""

import json
import os
from contextlib import suppress
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from pstgen.core import plugins
from pstgen.core.records import BadInput
from pstgen.verification import readers

COCO = os.environ.get("PSTGEN_COCO_ROOT")
VQA = Path(COCO).parent / "vqa_v2" if COCO else Path("none")


def read(form, path):
    return readers.read(path, form).samples


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


def test_parquet_with_an_index_or_a_word_and_pictures_that_stay_unread(tmp_path):
    rows = [
        {"question": "?", "choices": ["a", "b"], "answer": 1, "image": {"bytes": b"x", "path": "a.png"}},
        {"question": "?", "choices": ["a", "b"], "answer": 0, "image": {"bytes": b"x", "path": "b.png"}},
    ]
    pq.write_table(pa.Table.from_pylist(rows), tmp_path / "a.parquet")
    assert [sample.answer for sample in read("columns", tmp_path)] == [1, 0]
    pq.write_table(
        pa.Table.from_pylist([{"question": "?", "options": ["a", "b"], "answer": "b"}]), tmp_path / "b.parquet"
    )
    assert [sample.answer for sample in read("columns", tmp_path / "b.parquet")] == [1]


ROWS = {  # as benchmarks publish theirs: a row, its options, and the place of the right one
    "CV-Bench": (
        {"question": "How many?", "choices": ["0", "1", "2"], "answer": "(B)", "type": "2D"},
        ("0", "1", "2"),
        1,
    ),
    "BLINK": (
        {"question": "Which?", "choices": ["the left", "the right"], "answer": "(A)"},
        ("the left", "the right"),
        0,
    ),
    "AI2D": ({"question": "What?", "options": ["moon", "sun"], "answer": "1"}, ("moon", "sun"), 1),
    "A-OKVQA": ({"question": "?", "choices": ["3", "2", "1"], "correct_choice_idx": 2}, ("3", "2", "1"), 2),
    "RealWorldQA": ({"question": "Where?\nA. Left.\nB. Right.\nAnswer with the letter.", "answer": "B"}, None, 1),
    "MMMU": ({"question": "?", "options": "['a cup', 'a dog']", "answer": "B"}, ("a cup", "a dog"), 1),
    "MMStar": ({"question": "Which?\nOptions: A: red, B: blue, C: grey", "answer": "C"}, ("red", "blue", "grey"), 2),
    "MME": (
        {"question": "Is it a cup? Please answer yes or no.", "answer": "No", "category": "existence"},
        ("yes", "no"),
        1,
    ),
    "GQA": ({"question": "Is it?", "answer": "yes", "imageId": "n7"}, ("yes", "no"), 0),
    "letters": ({"question": "?", "A": "cup", "B": "dog", "C": None, "answer": "A"}, ("cup", "dog"), 0),
    "a log of lmms-eval": (
        {"doc_id": 4, "doc": {"question": "?", "options": ["x", "y"], "answer": "y"}},
        ("x", "y"),
        1,
    ),
}


@pytest.mark.parametrize(("row", "options", "place"), ROWS.values(), ids=ROWS)
@pytest.mark.parametrize("end", ["json", "jsonl"])
def test_rows_are_read_as_benchmarks_publish_them(tmp_path, row, options, place, end):
    file = tmp_path / f"file.{end}"
    file.write_text(json.dumps([row] * 2) if end == "json" else f"{json.dumps(row)}\n" * 2)
    words = readers.read(file)
    assert words.format == "columns"
    assert len(words.samples) == 2
    assert words.samples[0].answer == place
    assert options is None or words.samples[0].options == options


def test_open_questions_are_counted_and_named(tmp_path):
    rows = [{"question": "?", "answer": answer} for answer in ("yes", "a dog", "no", "blue")]
    (tmp_path / "gqa.json").write_text(json.dumps({str(n): row for n, row in enumerate(rows)}))
    words = readers.read(tmp_path / "gqa.json")
    assert [sample.name for sample in words.samples] == ["0", "2"]
    assert words.refusals == ["2 left out (the first is row 2): has no options, and its answer is neither yes nor no"]


def test_columns_of_any_name_are_named(tmp_path):
    (tmp_path / "mine.csv").write_text("q,opts,gold\nWhich?,\"['x', 'y']\",y\n")
    with pytest.raises(BadInput, match=r"Its columns are: gold, opts, q; --question-column"):
        readers.read(tmp_path / "mine.csv")
    (sample,) = readers.read(
        tmp_path / "mine.csv", names={"question": "q", "options": "opts", "answer": "gold"}
    ).samples
    assert (sample.question, sample.options, sample.answer) == ("Which?", ("x", "y"), 1)


def test_circular_rows_of_vlmevalkit_are_one_pair_over_one_scene(tmp_path):
    """Row 1000003 shows the picture of row 3, and offers its options in another order."""
    lines = [
        "index\timage\tquestion\tA\tB\tanswer",
        f"3\t{'x' * 99}\tWhich?\tcup\tdog\tA",
        "1000003\t3\tWhich?\tdog\tcup\tB",
    ]
    (tmp_path / "circular.tsv").write_text("\n".join(lines))
    first, again = readers.read(tmp_path / "circular.tsv").samples
    assert first.scene == again.scene
    assert first.pair == again.pair
    assert first.correct_option == again.correct_option == "cup"


def test_sugarcrepe_puts_the_right_caption_first_in_half(tmp_path):
    rows = {
        str(n): {"filename": f"{n}.jpg", "caption": f"A cup {n}.", "negative_caption": f"A dog {n}."}
        for n in range(200)
    }
    (tmp_path / "replace_obj.json").write_text(json.dumps(rows))
    words = readers.read(tmp_path / "replace_obj.json")
    assert words.format == "sugarcrepe"
    assert all(sample.correct_option.startswith("A cup") for sample in words.samples)
    assert 70 < sum(sample.answer == 0 for sample in words.samples) < 130


def test_hallusionbench_pairs_a_question_over_figures(tmp_path):
    row = {
        "category": "VS",
        "subcategory": "map",
        "set_id": "0",
        "question_id": "1",
        "question": "Is it?",
        "visual_input": "1",
    }
    rows = [row | {"figure_id": str(n), "gt_answer": str(n)} for n in (0, 1)] + [
        row | {"visual_input": "0", "figure_id": "0", "gt_answer": "1"}
    ]
    (tmp_path / "h.json").write_text(json.dumps(rows))
    words = readers.read(tmp_path / "h.json")
    first, second = words.samples
    assert first.pair == second.pair
    assert first.scene != second.scene
    assert [sample.correct_option for sample in words.samples] == ["no", "yes"]
    assert words.refusals == ["1 left out (row 3): is asked without a figure"]


def test_amber_joins_queries_and_truths(tmp_path):
    (tmp_path / "query").mkdir()
    (tmp_path / "query" / "query_all.json").write_text(
        json.dumps([{"id": n, "image": "a.jpg", "query": "Is it?"} for n in (1, 2)])
    )
    (tmp_path / "annotations.json").write_text(
        json.dumps([{"id": 1, "type": "generative"}, {"id": 2, "type": "attribute", "truth": "no"}])
    )
    words = readers.read(tmp_path)
    assert words.format == "amber"
    assert [(sample.correct_option, sample.category) for sample in words.samples] == [("no", "attribute")]


def test_mme_and_mmvp(tmp_path):
    (tmp_path / "mme" / "count").mkdir(parents=True)
    (tmp_path / "mme" / "count" / "a.txt").write_text("Is it one?\tYes\nIs it two?\tNo\n")
    words = readers.read(tmp_path / "mme")
    assert words.format == "mme"
    assert [(sample.scene, sample.correct_option, sample.category) for sample in words.samples] == [
        ("count/a", "yes", "count"),
        ("count/a", "no", "count"),
    ]
    (tmp_path / "Questions.csv").write_text(
        "Index,Question,Options,Correct Answer\n1,Open?,(a) Open (b) Closed,(a)\n2,Open?,(a) Open (b) Closed,(b)\n"
    )
    first, second = readers.read(tmp_path / "Questions.csv").samples
    assert first.pair == second.pair
    assert [first.correct_option, second.correct_option] == ["Open", "Closed"]


@pytest.mark.skipif(not VQA.is_dir(), reason="VQA v2's files are not at hand")
def test_vqa_gives_its_yes_or_no_questions():
    words = readers.read(VQA)
    assert words.format == "vqa"
    assert 2500 < len(words.samples) < 3500
    assert {sample.correct_option for sample in words.samples} == {"yes", "no"}


@pytest.mark.parametrize(
    ("form", "content", "expected"),
    [
        ("pope", '{"text": "?", "label": "maybe"}', "row 1"),
        ("pope", "{", "neither JSON nor JSON lines"),
        ("vlmevalkit_tsv", '{"question": "Which?", "A": "x", "B": "y", "answer": "Z"}', "row 1"),
        ("naturalbench", '[{"Question_0": "?"}]', "row 1"),
        ("columns", "junk", "neither JSON nor JSON lines"),
        ("columns", "[]", "holds no rows"),
        ("columns", "7", "holds no rows"),
        ("columns", '{"a": 1}', "Its columns are: a"),
    ],
)
def test_what_does_not_fit_is_an_error_that_names_file_and_row(tmp_path, form, content, expected):
    file = tmp_path / "file.txt"
    file.write_text(content)
    with pytest.raises(BadInput, match=expected) as error:
        readers.read(file, form)
    assert "file.txt" in str(error.value)


@pytest.mark.parametrize("form", [*plugins.names("readers"), "auto"])
def test_a_file_that_is_missing_is_an_error_that_names_it(tmp_path, form):
    with pytest.raises(BadInput, match="nowhere"):
        readers.read(tmp_path / "nowhere", form)


@example({"question": False, "answer": False, "options": 1})
@given(
    st.recursive(
        st.none() | st.booleans() | st.integers() | st.text(max_size=9),
        lambda part: (
            st.lists(part, max_size=3)
            | st.dictionaries(
                st.sampled_from(["question", "answer", "options", "image", "doc", "text", "label"]), part, max_size=4
            )
        ),
        max_leaves=12,
    )
)
def test_any_json_gives_samples_or_one_clear_error(tmp_path_factory, value):
    file = tmp_path_factory.mktemp("any") / "file.json"
    file.write_text(json.dumps(value))
    with suppress(BadInput):
        samples = readers.read(file).samples
        assert samples
        assert all(0 <= sample.answer < len(sample.options) for sample in samples)
