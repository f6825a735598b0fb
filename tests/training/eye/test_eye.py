"""The eye's lessons, its training, and the models that are shipped."""

import json
import os
import subprocess
import sys
from collections import defaultdict
from dataclasses import replace

import msgspec
import numpy as np
import pytest
import torch
from safetensors.torch import load_file

from pstgen.core import resources
from pstgen.core.records import BadInput
from pstgen.models import from_scratch
from pstgen.models.judges import text
from pstgen.questions import wording
from pstgen.scenes.vocabulary import plural, spoken
from pstgen.scenes.world.plan import kinds
from pstgen.training.eye import lessons, model, recipe, report, training

SMALL = recipe.Recipe(
    size=64,
    vision={
        "hidden_size": 32,
        "intermediate_size": 64,
        "num_hidden_layers": 1,
        "num_attention_heads": 2,
        "patch_size": 16,
    },
    text={"hidden_size": 32, "intermediate_size": 64, "num_hidden_layers": 1, "num_attention_heads": 2},
    vocabulary=400,
    look_steps=2,
    steps=4,
    batch=2,
    questions=3,
    blind_every=2,
    grey=0.2,
    warm_up=1,
    dense=0.3,
)


@pytest.fixture(scope="module", autouse=True)
def fewer_scenes():
    """The prior from a few scenes: what is tested here does not depend on how many."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(lessons, "PRIOR_SCENES", 40)
        patch.setattr(training, "CORPUS", 10)
        yield


@pytest.fixture(scope="module")
def teacher():
    return lessons.Lessons(SMALL, 8)


@pytest.fixture(scope="module")
def words(teacher):
    return from_scratch.tokenizer(training._corpus(teacher), SMALL.vocabulary)


def test_a_page_is_the_same_whenever_it_is_asked_for(teacher):
    for draw in (teacher.seen, teacher.heard):
        first, again = draw(7), draw(7)
        assert first.questions == again.questions
        assert (first.pixels is None) == (draw == teacher.heard)
        if first.pixels is not None:
            assert (first.pixels == again.pixels).all()


def test_where_it_looks_words_tell_little_and_where_it_hears_they_tell_much(teacher):
    """A classifier of the words, cross-fitted by page, on yes/no questions."""

    def guessed(draw):
        asked = [(n, question) for n in range(300) for question in draw(n).questions if len(question.options) == 2]
        yes = [(n, question) for n, question in asked if question.answer in {"yes", "no"}]
        columns = (
            [q.text for _, q in yes],
            [q.answer for _, q in yes],
            [q.options for _, q in yes],
            [str(n) for n, _ in yes],
        )
        told = text.cross_fit(*columns, folds=5, seed=0)
        return np.mean([q.options[int(np.argmax(t))] == q.answer for (_, q), t in zip(yes, told, strict=True)])

    seen = guessed(lambda n: teacher.seen(n) if teacher.seen(n).patches is not None else lessons.Page(()))
    assert seen + 0.1 < guessed(teacher.heard)


def test_patches_say_what_covers_them_and_where_the_middles_are(teacher):
    page = next(page for page in map(teacher.seen, range(50)) if page.patches is not None)
    assert page.patches.shape == (8, 8, 3)
    assert page.patches[..., 0].max() <= len(kinds())
    assert (page.patches[..., 2] > 0).any()
    assert ((page.patches[..., 0] > 0) == (page.patches[..., 1] > 0)).all()


def test_tests_come_in_twos_with_one_question_and_two_answers():
    forms = defaultdict(list)
    for plain, lured, image in lessons.tests(64, 6, SMALL.families):
        forms[plain.form].append((plain, lured))
        assert image.shape == (64, 64, 3)
        assert plain.answer == lured.answer
        assert plain.options == lured.options
        assert plain.answer in plain.options
    assert set(forms) >= {("existence", "given"), ("count", "many"), ("colour", "of"), ("relation", "half")}
    for asked in forms.values():
        for (a, _), (b, _) in zip(asked[::2], asked[1::2], strict=True):
            assert a.answer != b.answer


def test_packed_questions_are_scored_as_one_by_one(teacher, words):
    """The image once, questions in rows that share it, gives the log-probabilities of plain prompts."""
    made, processor = model.build(SMALL, words)
    made.eval()
    pages = [replace(page, inventory=()) for page in map(teacher.seen, range(20)) if page.patches is not None][:3]
    batch = model.Packer(words, SMALL).pack(pages)
    asked = [(page, question) for page in pages for question in page.questions]
    texts = [
        words(f"{model.prompt(q)} ASSISTANT:")["input_ids"] + words(f" {q.answer}</s>")["input_ids"] for _, q in asked
    ]
    with torch.no_grad():
        seen = made.model.get_image_features(pixel_values=batch.pixels, return_dict=True)
        more = {"mm_encoder_outputs": {"image": seen}}
        chunks = list(training.hidden(made, batch, more, torch.device("cpu")))
        packed = [state for _, states in chunks for state in states]
        order = sorted(range(len(asked)), key=lambda n: len(texts[n]))
        for row, (page, question) in enumerate(asked[n] for n in order):
            content = [{"type": "image"}, {"type": "text", "text": model.prompt(question)}]
            text = processor.apply_chat_template([{"role": "user", "content": content}], add_generation_prompt=True)
            alone = made(**processor(images=[page.pixels], text=[text], return_tensors="pt")).logits[0, -1]
            last = int((batch.labels[row] != model.IGNORED).nonzero()[0]) - 1
            assert torch.allclose(made.lm_head(packed[row][last]), alone, atol=1e-4)


def test_a_run_that_is_cut_goes_on_to_the_same_weights(tmp_path, monkeypatch):
    monkeypatch.setattr(training, "KEEP_EVERY", 3)
    training.train(SMALL, tmp_path / "whole", lambda *_: None, "cpu")

    def cut(step, _):
        if step == 3:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        training.train(SMALL, tmp_path / "cut", cut, "cpu")
    steps = []
    training.train(SMALL, tmp_path / "cut", lambda step, _: steps.append(step), "cpu")
    assert steps == [3, 4, 5]
    whole, again = (load_file(tmp_path / name / "model.safetensors") for name in ("whole", "cut"))
    assert whole.keys() == again.keys()
    assert all(torch.allclose(whole[name], again[name], atol=2e-3) for name in whole)
    assert not (tmp_path / "cut" / "checkpoint").exists()


def test_a_language_model_alone_is_trained_by_the_same_code(tmp_path):
    from transformers import AutoModelForCausalLM, AutoTokenizer

    alone = msgspec.structs.replace(SMALL, vision={}, look_steps=0, steps=2)
    losses = []
    training.train(alone, tmp_path, lambda _, figures: losses.append(figures), "cpu")
    assert all(set(figures) == {"words", "norm", "rate"} for figures in losses)
    AutoModelForCausalLM.from_pretrained(tmp_path)
    AutoTokenizer.from_pretrained(tmp_path)


@pytest.mark.parametrize(("written", "said"), [("stepps: 3", "stepps"), ("steps: many", "int"), ("a: [", "mine.yaml")])
def test_a_recipe_that_is_none_is_one_clear_error(tmp_path, written, said):
    (tmp_path / "mine.yaml").write_text(written)
    with pytest.raises(BadInput, match=said):
        recipe.read(str(tmp_path / "mine.yaml"))
    with pytest.raises(BadInput, match="no such recipe"):
        recipe.read("nothing")


def test_the_interval_is_clopper_pearsons():
    assert report.interval(0, 100) == pytest.approx((0.0, 0.0362), abs=1e-4)
    assert report.interval(90, 100) == pytest.approx((0.8238, 0.9510), abs=1e-4)


def test_every_frame_has_words_for_every_question_of_the_lessons(teacher):
    for n in range(30):
        for question in teacher.seen(n).questions + teacher.heard(n).questions:
            assert question.form[1] in wording.forms(question.form[0])
            assert question.answer in question.options
            assert 2 <= len(question.options) <= 4


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
    words = [sys.executable, "-c", PLAIN, str(resources.model("eye"))]
    done = subprocess.run(words, capture_output=True, text=True, check=False, cwd=tmp_path, env=clean)
    assert done.returncode == 0, done.stderr
    assert done.stdout.strip() in {"yes", "no"}


@pytest.mark.parametrize(("name", "least", "most"), [("eye", 2e6, 12e6), ("words", 1e5, 12e6)])
def test_the_shipped_weights_are_small(name, least, most):
    weights = resources.model(name) / "model.safetensors"
    assert weights.stat().st_size < 16e6
    assert least < sum(tensor.numel() for tensor in load_file(weights).values()) < most


LEAST = 40  # questions of a sentence, to compare


@pytest.mark.slow
def test_the_card_of_the_eye_tells_what_it_sees():
    """A smaller sample, measured anew, lies within the intervals of the card's figures and its own."""
    place = resources.model("eye")
    rows = json.loads((place / "measured.json").read_text())["figures"]
    told = {(row["family"], row["form"]): row for row in rows if row["questions"] >= LEAST}
    anew = report.measure(report.Model(str(place), "cpu"), recipe.of(place), 100)
    assert {(row.family, row.form) for row in anew if row.questions >= LEAST} <= set(told)
    for row in (row for row in anew if row.questions >= LEAST):
        card = told[row.family, row.form]
        for way in ("neutral", "lured", "blinded"):
            low, high = report.interval(getattr(row, way), row.questions)
            low_told, high_told = report.interval(card[way], card["questions"])
            assert low <= high_told, (row, way)
            assert high >= low_told, (row, way)


@pytest.mark.slow
def test_the_eye_sees_existence_and_colour_and_counts_and_blind_it_is_at_chance():
    """What its card says that it sees; relations, size and depth it does not, and the card says so too."""
    place = resources.model("eye")
    figures = report.families(report.measure(report.Model(str(place), "cpu"), recipe.of(place), 60))
    least = {"existence": 0.85, "colour": 0.7, "count": 0.55}
    for row in (row for row in figures if row.questions >= LEAST):
        assert row.neutral / row.questions >= least.get(row.family, 0), row
        assert np.isclose(row.blinded / row.questions, 0.5, atol=0.2)


def test_the_inventory_says_what_the_scene_holds(teacher):
    """Oracle: the patches. A kind that is counted covers a cell or is hidden; one that is said to be absent covers none."""
    names = {spoken(name): n for n, name in enumerate(kinds(), 1)}
    names |= {plural(noun): n for noun, n in list(names.items())}
    for page in map(teacher.seen, range(12)):
        if page.patches is not None:
            shown = set(np.unique(page.patches[..., 0]).tolist())
            told = {names[noun]: said for noun, said in page.inventory}
            assert shown - {0} <= {n for n, said in told.items() if said != "0"}


def test_only_what_is_there_is_learnt_of_an_inventory(teacher, words):
    page = next(page for page in map(teacher.seen, range(20)) if page.inventory)
    batch = model.Packer(words, SMALL).pack([replace(page, questions=())])
    learnt = [words.decode(row[row != model.IGNORED]) for row in batch.labels]
    assert sorted("".join(learnt).split(",")[:-1]) == sorted(f" {there}" for _, there in page.inventory)


def test_a_patch_that_is_like_its_word_is_aligned_and_one_that_is_like_another_is_not(words):
    heads = model.Heads(8, model.names(words))
    assert [len(ids) for ids in heads.named] == [len(kinds()), 11]
    embedding = torch.randn(len(words), 64, generator=torch.Generator().manual_seed(0))
    kind, shade = 5, 3
    patches = torch.tensor([kind, shade, 0]).expand(1, 1, 1, model.CELLS, model.CELLS, 3)

    def like(kind, shade):
        codes = [
            embedding[ids[n - 1][ids[n - 1] >= 0]].sum(0) for ids, n in zip(heads.named, (kind, shade), strict=True)
        ]
        return sum(code / code.norm() for code in codes)[None, None]

    assert heads.alignment(like(kind, shade), embedding, patches) < 0.5
    assert heads.alignment(like(kind + 1, shade + 1), embedding, patches) > 3
