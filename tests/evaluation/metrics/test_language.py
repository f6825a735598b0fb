"""Language: perplexity against a loop by hand, choices without an image, MMLU's files."""

import math

import msgspec
import pytest
import torch

from pstgen.core.records import BadInput
from pstgen.evaluation import data
from pstgen.evaluation.metrics import Choice, language
from pstgen.training.recipe import Recipe

TEXTS = ["Is there a dog in the picture?", "How many cups? 1 2 3 4", "left", "The cup is left of the dog. " * 3]


def surprise(model, text):
    """(nats, tokens), one prediction after another."""
    ids = model.tokenizer(text)["input_ids"]
    nats = 0.0
    for n in range(1, len(ids)):
        with torch.inference_mode():
            logits = model.model(input_ids=torch.tensor([ids[:n]])).logits[0, -1]
        nats -= float(logits.log_softmax(-1)[ids[n]])
    return nats, len(ids) - 1


def test_perplexity_is_that_of_one_token_after_another_whatever_the_batch(llava):
    sums = [surprise(llava, text) for text in TEXTS]
    expected = math.exp(sum(nats for nats, _ in sums) / sum(number for _, number in sums))
    assert language.score(llava, TEXTS, []).figures["perplexity"] == pytest.approx(expected, rel=1e-4)


def test_a_text_longer_than_a_window_is_read_in_windows(llava, monkeypatch):
    monkeypatch.setattr(language, "WINDOW", 8)
    ids = llava.tokenizer(TEXTS[3])["input_ids"]
    assert len(ids) > 8
    whole = language.score(llava, TEXTS[3:], []).figures["perplexity"]
    monkeypatch.setattr(language, "WINDOW", 512)
    assert whole != language.score(llava, TEXTS[3:], []).figures["perplexity"]


def test_a_choice_is_right_where_its_answer_is_the_likeliest_option(llava):
    options = ("1", "2", "left", "right")
    choices = [Choice(f"How many cups {n}?", options, answer) for n in range(20) for answer in options]
    scores = language.score(llava, [], choices)
    assert scores.figures == {"choice": 25}  # one of four is said, whichever
    assert sum(scores.per_question.values()) == 20


def test_what_was_not_given_is_absent_and_never_0(llava):
    scores = language.score(llava, [], [])
    assert scores.figures == {}
    assert set(scores.absent) == {"perplexity", "choice"}


@pytest.fixture
def mmlu(tmp_path):
    (tmp_path / "test").mkdir()
    (tmp_path / "dev").mkdir()
    (tmp_path / "test" / "art_test.csv").write_text('"Who, then?",Ann,Bob,"Cy, too",Di,C\n"Two\nlines",1,2,3,4,A\n')
    (tmp_path / "dev" / "art_dev.csv").write_text("Why?,a,b,c,d,D\n")
    return tmp_path


def test_mmlu_files_are_read_as_published(mmlu):
    letters = ("A", "B", "C", "D")
    assert list(language.mmlu(mmlu)) == [
        Choice("Who, then?\nA. Ann\nB. Bob\nC. Cy, too\nD. Di\nAnswer:", letters, "C"),
        Choice("Two\nlines\nA. 1\nB. 2\nC. 3\nD. 4\nAnswer:", letters, "A"),
    ]
    why = [Choice("Why?\nA. a\nB. b\nC. c\nD. d\nAnswer:", letters, "D")]
    assert list(language.mmlu(mmlu / "dev")) == list(language.mmlu(mmlu / "dev" / "art_dev.csv")) == why


def test_a_recipe_may_name_mmlu_instead_of_the_worlds_questions(llava, mmlu):
    """From the file to the figure: captions of the world, choices of MMLU."""
    recipe = Recipe(exam_scenes=2, scenes=2, size=64, families=("existence",), mmlu=mmlu)
    kept = data.language(recipe)
    assert list(kept.choices) == list(language.mmlu(mmlu))
    assert kept.texts
    assert set(language.score(llava, kept.texts, kept.choices).per_question) == {"0", "1"}
    world = data.language(msgspec.structs.replace(recipe, mmlu=None))
    assert world.texts == kept.texts
    assert world.choices
    assert not set(world.choices) & set(kept.choices)


@pytest.mark.parametrize(
    ("line", "said"),
    [
        (b"Why?,a,b,c,d\n", "5 cells"),
        (b"Why?,a,b,c,d,E\n", "'E'"),
        (b"Why?,a,b,c,d,D,\n", "7 cells"),
        (b"\n", "0 cells"),
        (b'"Why?,a,b,c,d,D\n', "not CSV"),
        (b"Wh\xff?,a,b,c,d,D\n", "UTF-8"),
    ],
)
def test_a_line_that_is_no_question_is_refused_by_file_and_line(mmlu, line, said):
    file = mmlu / "test" / "art_test.csv"
    file.write_bytes(b"Why?,a,b,c,d,D\n" + line)
    with pytest.raises(BadInput, match=said) as refused:
        list(language.mmlu(mmlu))
    assert str(file) in str(refused.value)
    assert "line 2" in str(refused.value) or said == "UTF-8"


def test_a_folder_without_questions_is_refused(tmp_path):
    with pytest.raises(BadInput, match="no CSV"):
        list(language.mmlu(tmp_path))
