"""VQA v2's rule, worked out by hand from its published description, and once more in another way."""

import json
import os
import random
import string
from collections import Counter
from fractions import Fraction
from itertools import combinations
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pstgen.core.records import BadInput
from pstgen.evaluation.metrics import vqa
from pstgen.questions.benchmarks import vqa_v2 as files

REAL = Path(os.environ.get("PSTGEN_VQA_ROOT", "none"))
SPELT = {
    "dont": "don't",  # codespell:ignore
    "isnt": "isn't",  # codespell:ignore
    "oclock": "o'clock",  # codespell:ignore
    "couldn'tve": "couldn't've",
    "couldnt've": "couldn't've",
    "somebody'd": "somebodyd",
    "thats": "that's",  # codespell:ignore
    "whos": "who's",  # codespell:ignore
    "hes": "he's",
    "cant": "can't",  # codespell:ignore
    "youre": "you're",  # codespell:ignore
    "yall'll": "y'all'll",
    "'ows'at": "'ow's'at",
}
COUNTED = dict(zip("none zero one two three four five six seven eight nine ten".split(), map(str, (0, *range(11)))))  # noqa: SIM905, B905


def plain(text):
    """The published processing once more, letter by letter: translate, then walk over the full stops."""
    grouped = any(a.isdecimal() and c.isdecimal() and b == "," for a, b, c in zip(text, text[1:], text[2:]))  # noqa: B905
    marks = set(string.punctuation) - set("#$%&'*.:^|~")
    text = text.translate(
        {ord(m): None if grouped or {f" {m}", f"{m} "} & _twos(text) else " " for m in marks},
    )
    kept, gone = "", 0
    for n, letter in enumerate(text):
        if letter == "." and not text[n + 1 : n + 2].isdecimal() and gone < 32:
            gone += 1
        else:
            kept += letter
    said = [COUNTED.get(word, word) for word in kept.lower().split()]
    return " ".join(SPELT.get(word, word) for word in said if word not in ("a", "an", "the"))


def _twos(text):
    return {text[n : n + 2] for n in range(len(text) - 1)}


def expected(prediction, answers):
    """The mean over all choices of nine of the ten people, each by itself, in fractions."""
    said, guess = (
        [" ".join(part.split(" ")).strip() for part in map(_spaced, texts)] for texts in (answers, [prediction])
    )
    if len(set(said)) > 1:
        said, guess = list(map(plain, said)), list(map(plain, guess))
    nines = [Counter(nine)[guess[0]] for nine in combinations(said, 9)]
    return float(sum(min(Fraction(1), Fraction(same, 3)) for same in nines) / len(nines))


def _spaced(text):
    return "".join(" " if letter in "\n\t" else letter for letter in text)


def ten(*groups):
    """Ten answers: each text as often as its number says."""
    return [text for number, text in groups for _ in range(number)]


@pytest.mark.parametrize(
    ("prediction", "answers", "score"),
    [
        # how many agree
        ("red", ten((10, "blue")), 0.0),
        ("red", ten((1, "red"), (9, "blue")), 0.3),  # nine subsets see one of three: 9 x 1/3 / 10
        ("red", ten((2, "red"), (8, "blue")), 0.6),  # (8 x 2/3 + 2 x 1/3) / 10
        ("red", ten((3, "red"), (7, "blue")), 0.9),  # (7 x 1 + 3 x 2/3) / 10
        ("red", ten((4, "red"), (6, "blue")), 1.0),
        ("red", ten((10, "red")), 1.0),
        # where all agree nothing is made alike, only spaces
        ("Yes", ten((10, "yes")), 0.0),
        ("yes.", ten((10, "yes")), 0.0),
        ("two", ten((10, "2")), 0.0),
        (" yes\n", ten((10, "yes")), 1.0),
        ("yes", ten((5, "yes"), (5, " yes\t")), 1.0),  # all agree, since spaces go first
        ("hot\tdog", ten((10, "hot\ndog")), 1.0),
        # where one does not, capitals, stops, articles, numbers and contractions are
        ("Yes.", ten((9, "yes"), (1, "no")), 1.0),
        ("two", ten((9, "2"), (1, "3")), 1.0),
        ("2", ten((4, "two"), (6, "3")), 1.0),
        ("none", ten((4, "0"), (6, "3")), 1.0),
        ("eleven", ten((4, "11"), (6, "3")), 0.0),
        ("The Dog", ten((4, "a dog"), (6, "cat")), 1.0),
        ("vitamin a", ten((4, "vitamin"), (6, "cat")), 1.0),
        ("the", ten((4, "a"), (6, "cat")), 1.0),  # both become nothing
        ("dont know", ten((4, "don't know"), (6, "cat")), 1.0),
        ("im here", ten((4, "i'm here"), (6, "cat")), 0.0),  # the list has it with a capital, after all are small
        ("somebody'd", ten((4, "somebodyd"), (6, "cat")), 1.0),  # the one that loses its apostrophe
        ("lets go", ten((4, "let's go"), (6, "cat")), 0.0),
        # marks: gone beside a space, else a space
        ("t-shirt", ten((4, "t shirt"), (6, "cat")), 1.0),
        ("t-shirt", ten((4, "tshirt"), (6, "cat")), 0.0),
        ("red/blue", ten((4, "red blue"), (6, "cat")), 1.0),
        ("red, blue", ten((4, "red blue"), (6, "cat")), 1.0),
        ("a-b c- d", ten((4, "ab c d"), (6, "cat")), 1.0),  # one hyphen beside a space takes all hyphens along
        ("red ?", ten((4, "red"), (6, "cat")), 1.0),
        ("girl's", ten((4, "girls"), (6, "cat")), 0.0),
        ("2:50 pm", ten((4, "2:50 p.m."), (6, "cat")), 1.0),
        ("100%", ten((4, "100"), (6, "cat")), 0.0),  # per cent is not among the marks
        # commas between digits go, and take all other marks along
        ("100,978", ten((4, "100978"), (6, "cat")), 1.0),
        ("1,000 t-shirts", ten((4, "1000 tshirts"), (6, "cat")), 1.0),
        ("1,000 t-shirts", ten((4, "1000 t shirts"), (6, "cat")), 0.0),
        # full stops go unless a digit follows, whatever is before them
        ("3.5", ten((4, "35"), (6, "cat")), 0.0),
        ("3. 5", ten((4, "3 5"), (6, "cat")), 1.0),
        ("u.s.a", ten((4, "usa"), (6, "cat")), 1.0),
        (".5", ten((4, "5"), (6, "cat")), 0.0),
        ("x" + 33 * ".", ten((4, "x."), (6, "cat")), 0.0),  # 32 stops go, so the prediction keeps one that "x." loses
        ("x" + 32 * ".", ten((4, "x."), (6, "cat")), 1.0),
        ("", ten((4, "."), (6, "cat")), 1.0),
    ],
)
def test_an_answer_scores_what_the_published_rule_gives_it(prediction, answers, score):
    assert vqa.accuracy(prediction, answers) == pytest.approx(score, abs=1e-12)
    assert expected(prediction, answers) == pytest.approx(score, abs=1e-12)


WORDS = [*SPELT, *COUNTED, "a", "The", "Yes", "no", "red", "t-shirt", "1,000", "3.5", ".", "x", "im", "2:50", "p.m."]
TEXTS = st.lists(st.sampled_from([*WORDS, *string.punctuation, " ", "\n", "\t", ""]), max_size=5).map("".join)
TALK = st.lists(st.sampled_from(WORDS), max_size=3).map(" ".join)


@given(st.data())
def test_any_answers_score_what_an_independent_implementation_gives(data):
    pool = data.draw(st.lists(TEXTS | TALK, min_size=1, max_size=4))
    answers = data.draw(st.lists(st.sampled_from(pool), min_size=10, max_size=10))
    prediction = data.draw(st.sampled_from(pool) | TEXTS)
    assert vqa.accuracy(prediction, answers) == pytest.approx(expected(prediction, answers), abs=1e-9)


@given(TEXTS | st.text(max_size=12))
def test_any_text_is_made_alike_as_an_independent_implementation_does(text):
    assert vqa.normalize(text) == plain(text)


@pytest.mark.parametrize(("wrong", "right"), SPELT.items())
def test_a_missing_apostrophe_is_put_in(wrong, right):
    assert vqa.normalize(wrong) == right


@pytest.mark.skipif(not REAL.is_dir(), reason="VQA v2's files are not at hand")
def test_on_real_questions_people_score_what_an_independent_implementation_gives():
    (file,) = REAL.glob("*annotations.json")
    rows = json.loads(file.read_text())["annotations"]
    assert len(rows) == 9009
    draw = random.Random(0)
    predictions = {str(row["question_id"]): draw.choice(row["answers"])["answer"] for row in rows}
    scores = vqa.score(predictions, REAL)
    theirs = {
        str(row["question_id"]): expected(
            predictions[str(row["question_id"])], [said["answer"] for said in row["answers"]]
        )
        for row in rows
    }
    assert scores.per_question == pytest.approx(theirs, abs=1e-6)
    assert scores.figures["overall"] == pytest.approx(100 * sum(theirs.values()) / len(theirs), abs=1e-6)
    for kind in files.ANSWER_TYPES:
        of_kind = [theirs[str(row["question_id"])] for row in rows if row["answer_type"] == kind]
        assert scores.figures[f"answer type {kind}"] == pytest.approx(100 * sum(of_kind) / len(of_kind), abs=1e-6)
    assert not scores.absent
    assert sum(name.startswith("question type") for name in scores.figures) == 65


def row(number, *answers, kind="other", **more):
    texts = answers or ten((10, "red"))
    said = [{"answer": text, "answer_confidence": "yes", "answer_id": n} for n, text in enumerate(texts, 1)]
    fields = {"question_id": number, "image_id": 1, "question_type": "what", "answer_type": kind, "answers": said}
    return fields | {"multiple_choice_answer": "red"} | more


def written(folder, *rows):
    asked = [{"question_id": one["question_id"], "image_id": 1, "question": "?"} for one in rows]
    (folder / "v2_OpenEnded_mscoco_val2014_questions.json").write_text(json.dumps({"questions": asked}))
    (folder / "v2_mscoco_val2014_annotations.json").write_text(json.dumps({"annotations": list(rows)}))
    return folder


def test_accuracy_is_given_over_all_by_answer_type_and_by_question_type_and_what_was_not_asked_is_absent(tmp_path):
    rows = row(1), row(2, kind="yes/no"), row(3, kind="yes/no", question_type="is")
    scores = vqa.score({"1": "red", "2": "blue", "3": "red"}, written(tmp_path, *rows))
    assert scores.figures == pytest.approx(
        {
            "overall": 200 / 3,
            "answer type other": 100,
            "answer type yes/no": 50,
            "question type what": 50,
            "question type is": 100,
        }
    )
    assert scores.per_question == {"1": 1.0, "2": 0.0, "3": 1.0}
    assert set(scores.absent) == {"answer type number"}


def test_only_the_questions_that_were_asked_count(tmp_path):
    scores = vqa.score({"1": "red"}, written(tmp_path, row(1), row(2)), question_ids={"1"})
    assert scores.figures["overall"] == 100


@pytest.mark.parametrize(
    ("rows", "predictions", "asked", "said"),
    [
        ([row(1), row(2)], {"1": "red"}, None, r"no prediction for question 2 \(1 such\)"),
        ([row(1)], {"1": "red", "7": "red", "8": "red"}, None, r"a prediction for question 7 \(2 such\)"),
        ([row(1)], {"5": "red"}, {"5"}, "has no question 5"),
        ([row(1)], {}, (), "no question was asked"),
        ([row(1, "red", "blue")], {"1": "red"}, None, "question 1 has 2 answers"),
        ([row(1, kind="colour")], {"1": "red"}, None, "answer type 'colour'"),
        ([row(1), row(1)], {"1": "red"}, None, "question 1 occurs 2 times"),
    ],
)
def test_what_does_not_fit_is_refused_with_file_and_question(tmp_path, rows, predictions, asked, said):
    with pytest.raises(BadInput, match=said) as error:
        vqa.score(predictions, written(tmp_path, *rows), asked)
    assert "annotations.json" in str(error.value)
