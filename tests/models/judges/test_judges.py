"""Judges: what they may know, and that batching changes nothing."""

import numpy as np
import pytest
from PIL import Image
from safetensors.torch import load_file, save_file

from pstgen.core import plugins
from pstgen.core.config import build_config
from pstgen.core.records import BadInput, Item, Unavailable
from pstgen.models.huggingface import Model
from pstgen.models.judges import lm, prior, text, vlm
from pstgen.questions.priors import counts


def item(n, question="Is there a cup?", answer="yes", options=("yes", "no"), **other):
    told = {
        "pair_id": f"p{n}",
        "role": "stress",
        "scene_id": f"s{n}",
        "image": "",
        "family": "existence",
        "form": "given",
    }
    told |= {"about": ("cup",), "frame": "neutral", "neutral": question, "lure": "no"}
    return Item(item_id=f"i{n:04}", question=question, answer=answer, options=options, **told | other)


@pytest.fixture(scope="module")
def model(tiny_llava):
    return Model(str(tiny_llava), "cpu")


@pytest.fixture
def photo():
    return np.random.default_rng(1).integers(0, 255, (48, 40, 3), np.uint8)


NOTHING = counts.fit({})  # a prior that expects nothing
QUESTIONS = ["How many cups?", "What colour is the dog in this picture, please?", "Is it left or right of the cup?"]
OPTIONS = [("1", "2", "3"), ("red", "orange", "light blue"), ("left", "right")]


@pytest.mark.parametrize("sees", [True, False])
def test_a_batch_scores_as_each_question_alone(model, photo, sees):
    images = [photo if sees else None] * 3
    together = model.score(QUESTIONS, OPTIONS, images)
    alone = [model.score([q], [o], [i])[0] for q, o, i in zip(QUESTIONS, OPTIONS, images, strict=True)]
    for a, b in zip(together, alone, strict=True):
        assert a == pytest.approx(b, abs=1e-4)


def test_an_image_that_rows_share_is_looked_at_once_and_scores_the_same(model, photo):
    other = 255 - photo
    images = [photo, other, photo]
    assert model.checked
    looks = []
    tower = model.model.model.vision_tower

    def note(_, args, kwargs):
        looks.append(len(args[0] if args else kwargs["pixel_values"]))

    hook = tower.register_forward_pre_hook(note, with_kwargs=True)
    shared = model.score(QUESTIONS, OPTIONS, images)
    hook.remove()
    apart = model.score(QUESTIONS, OPTIONS, [image.copy() for image in images])
    for a, b in zip(shared, apart, strict=True):
        assert a == pytest.approx(b, abs=1e-4)
    assert sum(looks) == 2


def test_a_score_is_the_sum_of_the_log_probabilities_of_its_tokens(model):
    """Worked out by hand: the whole text in one pass, no batch, no sharing."""
    import torch

    (told,) = model.score([QUESTIONS[1]], [("light blue",)], [None])
    begin = model.chat.ids(model.chat.text(QUESTIONS[1], with_image=False))
    option = model.tokens("light blue", QUESTIONS[1])
    with torch.inference_mode():
        logits = model.model(torch.tensor([begin + option])).logits[0].log_softmax(-1)
    assert told[0] == pytest.approx(sum(float(logits[len(begin) - 1 + k, t]) for k, t in enumerate(option)), abs=1e-4)


def test_the_image_matters_only_to_the_view_that_sees_it(tiny_llava, photo, tmp_path):
    paths = [tmp_path / f"{n}.png" for n in range(3)]
    for n, path in enumerate(paths):
        Image.fromarray(photo if n else 255 - photo).save(path)
    opened = vlm.open(build_config(vlm=str(tiny_llava), device="cpu"))
    judges = [judge.learn([], [str(paths[2])], NOTHING) for judge in opened]
    twins = [item(0, image=str(paths[0])), item(1, image=str(paths[1]))]
    for judge in judges:
        first, second = judge.answer(twins)
        assert (first.logprobs == second.logprobs) == (not judge.sees)
        assert (judge.key(twins[0]) == judge.key(twins[1])) == (not judge.sees)
    assert [judge.name for judge in judges if judge.sees] == ["vlm/seeing"]


def test_the_revision_tells_one_set_of_weights_from_another(tiny_llava, tmp_path, model):
    import shutil

    other = tmp_path / "other"
    shutil.copytree(tiny_llava, other)
    weights = load_file(other / "model.safetensors")
    name = next(iter(weights))
    save_file(weights | {name: weights[name] + 1}, other / "model.safetensors", {"format": "pt"})
    assert Model(str(other), "cpu").revision != model.revision


def test_weights_that_are_missing_are_no_model(tiny_llava, tmp_path):
    import shutil

    broken = tmp_path / "broken"
    shutil.copytree(tiny_llava, broken)
    weights = load_file(broken / "model.safetensors")
    weights.pop(next(name for name in weights if "vision" in name))
    save_file(weights, broken / "model.safetensors", {"format": "pt"})
    with pytest.raises(Unavailable, match="weights are missing"):
        Model(str(broken), "cpu")


@pytest.mark.parametrize("content", [{}, {"config.json": "{}"}, {"config.json": "not json"}])
def test_a_folder_that_is_no_model_is_said_with_its_name(tmp_path, content):
    folder = tmp_path / "mine"
    folder.mkdir()
    for name, text_ in content.items():
        (folder / name).write_text(text_)
    with pytest.raises(Unavailable, match="mine"):
        Model(str(folder), "cpu")


def test_a_language_model_reads_words_alone(tiny_llava, tmp_path):
    """A tiny Llama on its own; twins get the same, whatever they show."""
    import transformers

    words = transformers.AutoTokenizer.from_pretrained(tiny_llava)
    config = transformers.LlamaConfig(
        vocab_size=len(words), hidden_size=32, intermediate_size=64, num_hidden_layers=1, num_attention_heads=2
    )
    transformers.LlamaForCausalLM(config).save_pretrained(tmp_path / "lm")
    words.save_pretrained(tmp_path / "lm")
    (judge,) = lm.open(build_config(lm=str(tmp_path / "lm"), device="cpu"))
    first, second, other = judge.answer([item(0, image="a"), item(1, image="b"), item(2, question="Is there a dog?")])
    assert first.logprobs == pytest.approx(second.logprobs, abs=1e-5) != other.logprobs
    with pytest.raises(BadInput, match="--lm"):
        lm.open(build_config())


def test_pickled_weights_are_refused(tiny_llava, tmp_path):
    import shutil

    import torch

    broken = tmp_path / "pickled"
    shutil.copytree(tiny_llava, broken)
    torch.save(load_file(broken / "model.safetensors"), broken / "pytorch_model.bin")
    (broken / "model.safetensors").unlink()
    with pytest.raises(Unavailable, match="safetensors"):
        Model(str(broken), "cpu")


def test_without_a_scene_to_stand_for_another_one_that_view_alone_is_left_out(tiny_llava):
    opened = vlm.open(build_config(vlm=str(tiny_llava), device="cpu"))
    judges = {judge.name: judge.learn([], [], NOTHING) for judge in opened}
    assert [name for name, judge in judges.items() if judge is None] == ["vlm/other-image"]


def test_the_text_judge_never_learns_from_the_pair_it_judges():
    """Each pair has a word of its own that tells its answer; whoever saw it would win."""
    items = [
        item(n, question=f"secret{n // 2}?", answer="yes" if n // 2 % 2 else "no", pair_id=f"p{n // 2}")
        for n in range(200)
    ]
    (judge,) = text.open(build_config())
    right = sum(v.choice == i.answer_index for v, i in zip(judge.answer(items), items, strict=True))
    assert right < 140


def test_the_text_judge_learns_what_words_tell():
    items = [
        item(n, question=f"{'Surely' if n % 2 else 'Hardly'} a cup {n}?", answer="yes" if n % 2 else "no")
        for n in range(200)
    ]
    (judge,) = text.open(build_config())
    assert all(v.choice == i.answer_index for v, i in zip(judge.answer(items), items, strict=True))


@pytest.mark.parametrize("name", ["prior", "text"])
def test_a_judge_that_reads_words_gives_twins_the_same(name):
    lessons = [item(n, question=f"Is there a cup {n % 3}?", answer="yes" if n % 3 else "no") for n in range(60)]
    (opened,) = plugins.load("judges", name).open(build_config())
    judge = opened.learn(lessons, [], NOTHING)
    twins = [item(900, role="stress", pair_id="p"), item(901, role="control", pair_id="p", answer="no")]
    first, second = judge.answer(twins)
    assert first.logprobs == second.logprobs
    assert np.exp(first.logprobs).sum() == pytest.approx(1)


def test_what_nothing_could_be_learnt_for_is_left_out_and_the_prior_is_taken_as_it_was_fitted():
    (words,), (counted,) = (plugins.load("judges", name).open(build_config()) for name in ("text", "prior"))
    assert words.learn([], [], NOTHING) is None
    assert counted.learn([], [], NOTHING).expectation is NOTHING
    with pytest.raises(RuntimeError, match="nothing yet"):
        list(counted.answer([item(0)]))


def test_the_prior_answers_by_what_is_likely_and_decides_by_what_the_words_add():
    """A mouse is mostly not there, and oftener than elsewhere where there is a keyboard."""
    question = ("existence", "given", ("mouse", "keyboard"))
    at_all = ("existence", "given at all", ("mouse",))
    fitted = counts.fit({(question, "yes"): 40, (question, "no"): 60, (at_all, "yes"): 40, (at_all, "no"): 960})
    judge = prior.Prior().learn([], [], fitted)
    (verdict,) = judge.answer([item(0, about=("mouse", "keyboard"))])
    assert np.exp(verdict.logprobs) == pytest.approx(fitted.expect(question, ("yes", "no")))
    assert verdict.logprobs[0] < verdict.logprobs[1]
    assert verdict.choice == 0
    added = [each.value for each in fitted.associate(question, ("yes", "no"))]
    assert verdict.calibrated[0] - verdict.calibrated[1] == pytest.approx(added[0] - added[1])
    assert np.exp(verdict.calibrated).sum() == pytest.approx(1)


def test_the_prior_answers_which_thing_is_there():
    tally = {(("existence", "given", (kind, "keyboard")), a): n for kind, yes in (("mouse", 60), ("kite", 1)) for a, n in (("yes", yes), ("no", 100 - yes))}  # fmt: skip
    tally |= {(("existence", "given at all", (kind,)), a): n for kind in ("mouse", "kite") for a, n in (("yes", 100), ("no", 900))}  # fmt: skip
    judge = prior.Prior().learn([], [], counts.fit(tally))
    (verdict,) = judge.answer([item(0, options=("kite", "mouse"), answer="mouse", form="which", about=("keyboard",))])
    assert verdict.choice == 1
