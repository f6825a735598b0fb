"""What the eye sees: the questions that measure it, its card, and the models that are shipped."""

import json
import os
import subprocess
import sys
from collections import defaultdict

import numpy as np
import pytest
from safetensors.torch import load_file

from pstgen.core import resources
from pstgen.models.huggingface import Model
from pstgen.training.eye import card, measure
from pstgen.training.eye.measure import Figure
from pstgen.training.recipe import WorldRecipe, of_model

FIGURES = [
    Figure("colour", "is", 400, 0.5, 262, 249, 205),
    Figure("colour", "of", 400, 0.25, 400, 397, 213),
    Figure("existence", "given", 400, 0.5, 390, 389, 200),
]


def test_questions_come_in_twos_with_one_text_and_two_answers():
    forms = defaultdict(list)
    for question in measure.held_out_questions(64, 6, WorldRecipe().families):
        neutral, lured = question.neutral, question.lured
        forms[question.form].append(neutral)
        assert question.image.shape == (64, 64, 3)
        assert neutral.answer == lured.answer
        assert neutral.options == lured.options
        assert neutral.answer in neutral.options
    assert set(forms) >= {("existence", "given"), ("count", "many"), ("colour", "of"), ("relation", "half")}
    for questions in forms.values():
        for first, second in zip(questions[::2], questions[1::2], strict=True):
            assert first.answer != second.answer


def test_right_answers_are_counted_of_every_way_to_ask():
    """A model that always scores the first option highest when it sees, and the last when it does not."""

    class Fake:
        def score(self, texts, options, images):
            assert len(texts) == len(options) == len(images)
            best = [0 if image is not None else len(o) - 1 for o, image in zip(options, images, strict=True)]
            return [tuple(float(n == b) for n in range(len(o))) for o, b in zip(options, best, strict=True)]

    recipe = WorldRecipe(drawn=64, families=("existence",))
    questions = list(measure.held_out_questions(64, 4, recipe.families))
    figures = measure.measure(Fake(), recipe, 4)
    assert sum(figure.questions for figure in figures) == len(questions)
    first = sum(question.neutral.options[0] == question.neutral.answer for question in questions)
    last = sum(question.neutral.options[-1] == question.neutral.answer for question in questions)
    assert [sum(getattr(figure, way) for figure in figures) for way in measure.WAYS] == [first, first, last]
    chances = [1 / len(question.neutral.options) for question in questions]
    total = measure.with_families(figures)[0]
    assert (total.family, total.form) == ("existence", "")
    assert total.chance == pytest.approx(np.mean(chances))


def test_the_interval_is_clopper_pearsons():
    assert measure.interval(0, 100) == pytest.approx((0.0, 0.0362), abs=1e-4)
    assert measure.interval(90, 100) == pytest.approx((0.8238, 0.9510), abs=1e-4)


def test_the_card_has_the_table_and_what_was_measured_stands_beside_it(tmp_path):
    card.write(tmp_path, WorldRecipe(), FIGURES, 2_500_000, "pstgen eye measure")
    text = (tmp_path / "README.md").read_text()
    assert "| **colour** |  | 800 | 38% |" in text
    assert "2.5 million" in text
    assert len(json.loads((tmp_path / "measured.json").read_text())["figures"]) == len(FIGURES)


# ------------------------------------------------------------------------------------------------- what is shipped


PLAIN = """
import sys, numpy
from transformers import AutoModelForImageTextToText, AutoProcessor
model = AutoModelForImageTextToText.from_pretrained(sys.argv[1], dtype="float32")
processor = AutoProcessor.from_pretrained(sys.argv[1])
chat = [{"role": "user", "content": [{"type": "image"}, {"type": "text", "text": "Is there a dog? Answer with one of: no, yes."}]}]
text = processor.apply_chat_template(chat, add_generation_prompt=True)
inputs = processor(images=[numpy.zeros((128, 128, 3), "uint8")], text=[text], return_tensors="pt")
out = model.generate(**inputs, max_new_tokens=3, do_sample=False)
print(processor.decode(out[0, inputs["input_ids"].shape[1]:], skip_special_tokens=True).strip())
assert not any(name.startswith("pstgen") for name in sys.modules)
"""


def test_the_eye_loads_and_answers_without_our_code(tmp_path):
    clean = {**os.environ, "HF_HUB_OFFLINE": "1"}
    command = [sys.executable, "-c", PLAIN, str(resources.model_folder("eye"))]
    done = subprocess.run(command, capture_output=True, text=True, check=False, cwd=tmp_path, env=clean)
    assert done.returncode == 0, done.stderr
    assert done.stdout.strip() in {"yes", "no"}


@pytest.mark.parametrize(("name", "least", "most"), [("eye", 2e6, 12e6), ("words", 1e5, 12e6)])
def test_the_shipped_weights_are_small(name, least, most):
    weights = resources.model_folder(name) / "model.safetensors"
    assert weights.stat().st_size < 16e6
    assert least < sum(tensor.numel() for tensor in load_file(weights).values()) < most


def test_the_card_of_the_eye_shows_the_figures_beside_it():
    folder = resources.model_folder("eye")
    rows = json.loads((folder / "measured.json").read_text())["figures"]
    assert card.table([Figure(**row) for row in rows]) in (folder / "README.md").read_text()


LEAST = 40  # questions of a sentence, to compare


@pytest.mark.slow
def test_the_card_of_the_eye_says_what_it_sees():
    """A smaller sample, measured anew, lies within the intervals of the card's figures and its own."""
    folder = resources.model_folder("eye")
    rows = json.loads((folder / "measured.json").read_text())["figures"]
    cards = {(row["family"], row["form"]): row for row in rows if row["questions"] >= LEAST}
    anew = measure.measure(Model(str(folder), "cpu"), of_model(folder), 100)
    figures = [figure for figure in anew if figure.questions >= LEAST]
    assert {(figure.family, figure.form) for figure in figures} <= set(cards)
    for figure in figures:
        row = cards[figure.family, figure.form]
        for way in measure.WAYS:
            low, high = measure.interval(getattr(figure, way), figure.questions)
            card_low, card_high = measure.interval(row[way], row["questions"])
            assert low <= card_high, (figure, way)
            assert high >= card_low, (figure, way)


@pytest.mark.slow
def test_the_eye_sees_what_its_card_says_and_blind_it_is_at_chance():
    """Poses and what touches it does not see, and the card says so too."""
    folder = resources.model_folder("eye")
    figures = measure.with_families(measure.measure(Model(str(folder), "cpu"), of_model(folder), 60))
    least = {"existence": 0.85, "colour": 0.85, "count": 0.75, "relation": 0.75, "depth": 0.8, "combination": 0.75}
    for row in (row for row in figures if not row.form and row.questions >= LEAST):
        assert row.neutral / row.questions >= least.get(row.family, 0), row
        assert np.isclose(row.blinded / row.questions, 0.5, atol=0.2)
