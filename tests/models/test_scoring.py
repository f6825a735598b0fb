"""All roads to a score give the same, and where memory runs out the rows become fewer and nothing is lost."""

from itertools import pairwise

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from pstgen.core.records import TooLarge
from pstgen.models import scoring
from pstgen.models.huggingface import TOKENS, Passes
from pstgen.models.scoring import NotShared, Prompt, is_out_of_memory, within_memory

SIZES = ((48, 64), (96, 32), (64, 64), (40, 120), (33, 97))
ASKED = (  # question, options, the number of its image
    ("Is there a dog in the picture?", ("yes", "no"), 0),
    ("How many cups are there?", ("1", "2", "3", "10"), 0),
    ("What colour is the car?", ("blue", "dark green", "traffic-light orange"), 1),
    ("Is there a cat to the left of the very small cup, as most people would say?", ("no", "yes"), 2),
    ("Which is nearer?", ("the dog", "the car"), 0),
    ("Which?", ("the dog", "the dog on the chair", "the car"), 3),
    ("How many?", ("4", "none"), 4),
    ("Is there a dog in the picture?", ("yes", "no"), 1),
)
QUESTIONS, OPTIONS, NUMBERS = zip(*ASKED, strict=True)


@pytest.fixture(scope="module")
def images():
    rng = np.random.default_rng(1)
    patches = [rng.integers(0, 255, (h // 8 + 1, w // 8 + 1, 3), dtype=np.uint8) for h, w in SIZES]
    return [p.repeat(8, 0).repeat(8, 1)[:h, :w].copy() for p, (h, w) in zip(patches, SIZES, strict=True)]


def scores(model, road, images, rows=32):
    shown = [images[n] for n in NUMBERS] if images else [None] * len(ASKED)
    return model.score_by(road, QUESTIONS, OPTIONS, shown, rows)


def same(rows, others):
    for a, b in zip(rows, others, strict=True):
        assert a == pytest.approx(b, abs=1e-4)


class Memory:
    """A call that takes so many jobs at once and says what it was called with."""

    def __init__(self, room, error=torch.OutOfMemoryError):
        self.room, self.error = room, error
        self.tried, self.done = [], []

    def __call__(self, jobs):
        self.tried.append(len(jobs))
        if len(jobs) > self.room:
            raise self.error("CUDA out of memory. Tried to allocate 2.00 GiB.")
        self.done.extend(jobs)
        return [-job for job in jobs]


JOBS = st.integers(0, 90).map(range)


@given(JOBS, st.integers(1, 40), st.integers(1, 40))
def test_however_little_fits_nothing_is_lost_repeated_or_moved(jobs, room, rows):
    memory = Memory(room)
    assert list(within_memory(memory, jobs, rows)) == [-job for job in jobs]
    assert memory.done == list(jobs)


@given(JOBS, st.integers(1, 40), st.integers(1, 40))
def test_rows_are_halved_where_memory_runs_out_and_stay_as_few(jobs, room, rows):
    memory = Memory(room)
    list(within_memory(memory, jobs, rows))
    for before, after in pairwise(memory.tried):
        assert after <= (before if before <= room else before // 2)
    assert sum(tried > room for tried in memory.tried) <= rows.bit_length()


def test_half_as_many_are_tried_next_and_what_fits_is_kept():
    memory = Memory(5)
    list(within_memory(memory, range(20), 16))
    assert memory.tried == [16, 8, 4, 4, 4, 4, 4]


def test_where_all_fits_batches_are_as_large_as_they_may_be():
    memory = Memory(100)
    list(within_memory(memory, range(70), 32))
    assert memory.tried == [32, 32, 6]


@pytest.mark.parametrize(
    "message",
    [
        "CUDA out of memory. Tried to allocate 2.00 GiB.",
        "MPS backend out of memory (MPS allocated: 1 GB)",
        "[enforce fail at alloc_cpu.cpp:117] DefaultCPUAllocator: can't allocate memory: you tried to allocate 9 bytes.",
        "DefaultCPUAllocator: not enough memory: you tried to allocate 9 bytes.",
    ],
)
def test_every_device_says_in_its_own_words_that_memory_is_out(message):
    assert is_out_of_memory(RuntimeError(message))
    assert not is_out_of_memory(RuntimeError("mat1 and mat2 shapes cannot be multiplied"))


def test_one_row_that_does_not_fit_is_too_large_and_says_why_in_a_line():
    with pytest.raises(TooLarge, match=r"one row does not fit the memory: CUDA out of memory$"):
        list(within_memory(Memory(0), range(5), 4))


@pytest.mark.parametrize("error", [ValueError("no"), RuntimeError("shapes cannot be multiplied"), NotShared()])
def test_another_error_is_passed_on_and_nothing_tried_again(error):
    tried = []

    def call(jobs):
        tried.append(jobs)
        raise error

    with pytest.raises(type(error)) as told:
        list(within_memory(call, range(8), 4))
    assert told.value is error
    assert len(tried) == 1


@pytest.fixture
def small(tiny_folder):
    """A fresh model on a device that has room for so many tokens in a pass."""
    from pstgen.models.huggingface import Model

    def model(name, tokens):
        built = Model(str(tiny_folder(name)), "cpu")

        def check(_, __, kwargs):
            if kwargs["input_ids"].numel() > tokens:
                raise torch.OutOfMemoryError("CUDA out of memory. Tried to allocate 2.00 GiB.")

        built.model.register_forward_pre_hook(check, with_kwargs=True)
        return built

    return model


@pytest.mark.parametrize("road", ["shared", "padded"])
@pytest.mark.parametrize("seeing", [True, False])
def test_a_small_memory_changes_no_score(tiny, small, images, road, seeing):
    shown = images if seeing else None
    cramped = small("llava", 70)
    with pytest.raises(torch.OutOfMemoryError):
        scoring.by_shared_prefix(cramped, [prompt_of(cramped, n, shown) for n in range(len(ASKED))])
    same(scores(cramped, road, shown), scores(tiny("llava"), "single", shown))


def prompt_of(model, n, images):
    return model._prompt(QUESTIONS[n], OPTIONS[n], images[NUMBERS[n]] if images else None)


@pytest.mark.parametrize("road", ["shared", "padded", "single"])
def test_a_model_of_which_one_row_does_not_fit_is_too_large(small, images, road):
    with pytest.raises(TooLarge, match="one row"):
        scores(small("llava", 3), road, images)


@pytest.mark.parametrize("seeing", [True, False])
@pytest.mark.parametrize("name", ["llava", "qwen2_5_vl", "smolvlm"])
def test_all_roads_give_the_same(tiny, images, name, seeing):
    """Images of unlike sizes, several questions about one, options of one token to five, one of which begins another."""
    model, shown = tiny(name), images if seeing else None
    expected = scores(model, "single", shown)
    for road in ("shared", "padded"):
        same(scores(model, road, shown), expected)
    assert len(set(expected)) == len(set(zip(QUESTIONS, NUMBERS if seeing else QUESTIONS, strict=True)))


@pytest.mark.parametrize("seeing", [True, False])
def test_a_model_that_looks_back_only_so_far_is_not_shared_and_scores_the_same(tiny, images, seeing):
    model, shown = tiny("gemma3"), [images[0] if seeing else None] * 2
    questions = [QUESTIONS[3] + " And so on." * n for n in (8, 12)]  # beyond its window
    with pytest.raises(NotShared):
        model.score_by("shared", questions, OPTIONS[:2], shown)
    expected = model.score_by("single", questions, OPTIONS[:2], shown)
    same(model.score_by("padded", questions, OPTIONS[:2], shown), expected)
    same(model.score(questions, OPTIONS[:2], shown), expected)


def test_gemmas_padded_rows_score_as_each_alone(tiny, images):
    model = tiny("gemma3")
    same(scores(model, "padded", images), scores(model, "single", images))


@pytest.mark.parametrize("name", ["lm_llama3", "lm_gpt2", "lm_llama_base", "lm_chatml"])
def test_language_models_score_alike_on_all_roads(tiny, name):
    model = tiny(name)
    expected = scores(model, "single", None)
    for road in ("shared", "padded"):
        same(scores(model, road, None), expected)


@pytest.mark.parametrize("name", ["llava", "qwen2_5_vl"])
@pytest.mark.parametrize("rows", [2, 5])
def test_how_many_rows_go_at_once_changes_no_score(tiny, images, name, rows):
    model = tiny(name)
    for road in ("shared", "padded"):
        same(scores(model, road, images, rows), scores(model, "single", images))


def test_an_images_words_do_not_move_the_next_questions_without_one(tiny, images):
    """Qwen keeps, from pass to pass, how far a picture moved the positions of what follows."""
    model, asked = tiny("qwen2_5_vl"), ([(0, ()), (1, (5,))], QUESTIONS[:2], [None] * 2)
    with torch.inference_mode():
        before = scores(model, "padded", None), model.next_token_logprobs(*asked)
        scores(model, "single", images)
        assert torch.equal(model.next_token_logprobs(*asked), before[1])
    scores(model, "single", images)
    same(scores(model, "padded", None), before[0])


def test_a_question_that_is_asked_twice_is_scored_once(tiny, images, monkeypatch):
    model, seen = tiny("llava"), []
    plain = scoring.by_shared_prefix
    monkeypatch.setattr(scoring, "by_shared_prefix", lambda m, prompts: seen.extend(prompts) or plain(m, prompts))
    first, second = model.score_by("shared", QUESTIONS[:1] * 2, OPTIONS[:1] * 2, [images[0]] * 2)
    assert first == second
    assert len(seen) == 1


@pytest.mark.parametrize("road", ["padded", "single"])
def test_forced_tokens_that_generate_does_not_follow_are_an_error(tiny, images, monkeypatch, road):
    model = tiny("llava")
    plain = model.model.generate

    def stray(**inputs):
        output = plain(**inputs)
        output.sequences[-1, -1] = 7
        return output

    monkeypatch.setattr(model.model, "generate", stray)
    with pytest.raises(RuntimeError, match="did not follow"):
        scores(model, road, images)


def test_an_end_of_text_among_the_forced_tokens_ends_nothing(tiny):
    """Options are followed to their last token, whatever the model takes for its end."""
    model = tiny("lm_llama3")
    of = Prompt(model.chat.text("Q?", with_image=False), ((model.tokenizer.eos_token_id, 5, 6), (5, 6, 7)), None)
    with torch.inference_mode():
        (row,) = scoring.by_generation(model, [of], 2)
        ids = model.chat.ids(of.text)
        logits = model.model(torch.tensor([ids + list(of.answers[0])])).logits[0].log_softmax(-1)
    by_hand = sum(float(logits[len(ids) - 1 + k, token]) for k, token in enumerate(of.answers[0]))
    assert row[0] == pytest.approx(by_hand, abs=1e-4)


def test_answers_that_differ_in_their_last_token_alone_share_a_row():
    assert Prompt("", ((1, 2), (1, 3), (4,), (5,)), None).prefixes == ((1,), ())


@given(st.lists(st.lists(st.integers(1, 5000), min_size=1, max_size=6), min_size=1, max_size=6))
def test_a_pass_takes_several_images_only_while_all_are_equally_long(batches):
    passes = Passes()
    for n, lengths in enumerate(batches, 1):
        passes.learn(lengths)
        assert passes.images >= 1
        assert passes.images == 1 or passes.images * max(lengths) <= TOKENS
        if any(len(set(seen)) > 1 for seen in batches[:n]):
            assert passes.images == 1
