"""Official files of VQA v2 and of GQA as examples to learn from: which are found, and what is recorded of the others."""

import json
import os
from pathlib import Path

import pytest

from pstgen.core.records import BadInput
from pstgen.core.report import Refusals
from pstgen.questions.benchmarks import gqa, vqa_v2
from pstgen.questions.benchmarks.files import Example

VQA, GQA, COCO = (Path(os.environ.get(f"PSTGEN_{name}_ROOT", "none")) for name in ("VQA", "GQA", "COCO"))


def vqa_files(folder, images=(7,), annotated=None, subtype="val2014", **more):
    """Question 10 n about image n, annotated or not."""
    questions = [{"question_id": 10 * n, "image_id": n, "question": f"What is {n}?"} for n in images]
    annotations = [
        {"question_id": 10 * n, "image_id": n, "multiple_choice_answer": f"a {n}"}
        for n in (images if annotated is None else annotated)
    ]
    (folder / "v2_OpenEnded_mscoco_val2014_questions.json").write_text(
        json.dumps({"questions": questions, "data_subtype": subtype} | more)
    )
    (folder / "v2_mscoco_val2014_annotations.json").write_text(json.dumps({"annotations": annotations}))
    return folder


def image(file):
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_bytes(b"picture")
    return file


@pytest.mark.parametrize(
    "place",
    [
        "images/COCO_val2014_000000000007.jpg",
        "images/COCO_val2014_000000000007.png",
        "images/val2014/COCO_val2014_000000000007.jpg",
        "images/000000000007.jpg",
        "images/train2017/000000000007.jpg",
        "images/val2017/000000000007.jpg",
    ],
)
def test_an_image_of_vqa_is_found_under_either_of_coco_s_names(tmp_path, place):
    file = image(vqa_files(tmp_path) / place)
    refused = Refusals()
    assert list(vqa_v2.examples(tmp_path, refused)) == [Example("70", file, "What is 7?", "a 7")]
    assert list(vqa_v2.examples(tmp_path, refused, tmp_path / "images")) == [Example("70", file, "What is 7?", "a 7")]
    assert not refused.records


def test_without_a_folder_of_images_vqa_s_splits_are_beside_its_files(tmp_path):
    file = image(vqa_files(tmp_path) / "val2014/COCO_val2014_000000000007.jpg")
    assert [example.image for example in vqa_v2.examples(tmp_path, Refusals())] == [file]


def test_questions_without_image_or_annotation_are_recorded_and_the_others_given(tmp_path):
    vqa_files(tmp_path, images=(7, 8, 9), annotated=(7, 8))
    for n in (7, 9):
        image(tmp_path / f"images/COCO_val2014_{n:012}.jpg")
    refused = Refusals()
    assert [example.question_id for example in vqa_v2.examples(tmp_path, refused)] == ["70"]
    assert [(refusal.record, refusal.reason.split(" is not")[0]) for refusal in refused.records] == [
        ("question 80", "its image 8"),
        ("question 90", "has no annotation"),
    ]


def test_questions_without_annotations_are_an_error_where_nothing_can_be_recorded(tmp_path):
    with pytest.raises(BadInput, match=r"question 80 has no annotation \(2 of 3 such\)"):
        list(vqa_v2.rows(vqa_files(tmp_path, images=(7, 8, 9), annotated=(7,))))


def test_a_hostile_split_or_image_id_leads_nowhere(tmp_path):
    outside = image(tmp_path / "000000000007.jpg")
    folder = tmp_path / "set"
    (folder / "images").mkdir(parents=True)
    assert (folder / "images" / "../.." / outside.name).is_file()
    vqa_files(folder, subtype="../..")
    assert not list(vqa_v2.examples(folder, Refusals()))
    for name in ("../../000000000007", str(outside.with_suffix("")), "..", "", "a\\b", "C:x", "a\0b"):
        (folder / "val_balanced_questions.json").write_text(
            json.dumps({"1": {"imageId": name, "question": "?", "answer": "yes"}})
        )
        refused = Refusals()
        assert not list(gqa.examples(folder, refused))
        assert len(refused.records) == 1


def test_gqa_s_questions_without_image_or_answer_are_recorded_and_the_others_given(tmp_path):
    rows = {
        "1": {"imageId": "n1", "question": "Is it?", "answer": "yes"},
        "2": {"imageId": "n2", "question": "Is it?", "answer": "yes"},
        "3": {"imageId": "n1", "question": "Is it?"},
    }
    (tmp_path / "val_balanced_questions.json").write_text(json.dumps(rows))
    file = image(tmp_path / "images/n1.jpg")
    refused = Refusals()
    assert list(gqa.examples(tmp_path, refused)) == [Example("1", file, "Is it?", "yes")]
    assert [(refusal.record, refusal.reason[:9]) for refusal in refused.records] == [
        ("question 2", "its image"),
        ("question 3", "has no an"),
    ]


def test_a_file_may_be_named_instead_of_the_folder(tmp_path):
    image(vqa_files(tmp_path) / "images/000000000007.jpg")
    (tmp_path / "v2_OpenEnded_mscoco_train2014_questions.json").write_text('{"questions": []}')
    for name in ("v2_OpenEnded_mscoco_val2014_questions.json", "v2_mscoco_val2014_annotations.json"):
        assert len(list(vqa_v2.examples(tmp_path / name, Refusals()))) == 1
    with pytest.raises(BadInput, match=r"holds 2 files of VQA v2's questions.*train2014"):
        list(vqa_v2.examples(tmp_path, Refusals()))


def test_a_file_without_its_companion_is_refused_by_name(tmp_path):
    (vqa_files(tmp_path) / "v2_mscoco_val2014_annotations.json").unlink()
    with pytest.raises(BadInput, match="holds 0 files of VQA v2's annotations"):
        list(vqa_v2.rows(tmp_path))
    with pytest.raises(BadInput, match=r"v2_mscoco_val2014_annotations\.json: No such file"):
        list(vqa_v2.rows(tmp_path / "v2_OpenEnded_mscoco_val2014_questions.json"))


@pytest.mark.parametrize("content", ["{", "[]", '{"1": {"question": 5}}', "\xff"])
@pytest.mark.parametrize("read", [vqa_v2.examples, gqa.examples])
def test_what_is_not_such_a_file_is_refused_by_name(tmp_path, read, content):
    vqa_files(tmp_path)
    for name in ("v2_OpenEnded_mscoco_val2014_questions.json", "val_balanced_questions.json"):
        (tmp_path / name).write_bytes(content.encode("latin1"))
    with pytest.raises(BadInput, match=r"questions\.json: not a file of"):
        list(read(tmp_path, Refusals()))


@pytest.mark.parametrize("read", [vqa_v2.examples, gqa.examples])
def test_a_missing_folder_is_an_error(tmp_path, read):
    with pytest.raises(BadInput, match="nowhere: no such file or folder"):
        list(read(tmp_path / "nowhere", Refusals()))


def test_an_id_that_occurs_twice_is_refused(tmp_path):
    vqa_files(tmp_path, images=(7, 8, 8))
    with pytest.raises(BadInput, match="question 80 occurs 2 times"):
        list(vqa_v2.examples(tmp_path, Refusals()))
    row = '{"imageId": "n", "question": "?", "answer": "yes", "annotations": {"question": {"3": "4"}}}'
    (tmp_path / "val_balanced_questions.json").write_text(f'{{"5": {row}, "6": {row}, "6": {row}}}')
    with pytest.raises(BadInput, match="question 6 occurs 2 times"):
        list(gqa.examples(tmp_path, Refusals()))


@pytest.mark.skipif(not (VQA.is_dir() and COCO.is_dir()), reason="VQA v2's files are not at hand")
def test_real_questions_find_their_photographs():
    refused = Refusals()
    examples = list(vqa_v2.examples(VQA, refused, COCO))
    assert (len(examples), len(refused.records)) == (39, 9009 - 39)
    assert all(example.image.is_file() for example in examples)


@pytest.mark.skipif(not GQA.is_dir(), reason="GQA's file is not at hand")
def test_gqa_s_real_file_is_read_and_its_missing_images_are_recorded():
    refused = Refusals()
    assert not list(gqa.examples(GQA, refused))
    assert len(refused.records) == 1063
    rows = gqa.questions(GQA)[1]
    assert {row.types.semantic for row in rows.values()} == set(gqa.SEMANTIC)
    assert {row.types.structural for row in rows.values()} == set(gqa.STRUCTURAL)
