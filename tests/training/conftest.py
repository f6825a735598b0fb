"""A recipe of the smallest models, and what they learn from: a dozen scenes of the world, drawn once."""

from dataclasses import replace

import msgspec
import pytest
import torch

from pstgen.evaluation import data
from pstgen.training import modeling, stages
from pstgen.training.examples import Course
from pstgen.training.recipe import Recipe
from pstgen.training.stages import Task
from pstgen.training.systems import Plan

SHAPE = {"hidden_size": 32, "intermediate_size": 64, "num_hidden_layers": 1, "num_attention_heads": 2}
SMALL = Recipe(
    scenes=12,
    size=64,
    vision={**SHAPE, "patch_size": 16},
    text={**SHAPE, "num_key_value_heads": 2},
    vocabulary=400,
    batch=4,
    questions=3,
    warm_up=1,
    reward_warm_up=4,
    keep_every=2,
    learning_rate=1e-2,
    encoder_rate=1e-2,
    head_rate=1e-2,
)


@pytest.fixture(autouse=True)
def one_thread():
    """Models this small are quickest on one thread, and add up in the same order."""
    torch.set_num_threads(1)


@pytest.fixture(scope="session")
def small():
    """The recipe with some settings changed."""
    return lambda **changed: msgspec.structs.replace(SMALL, **changed)


@pytest.fixture(scope="session")
def made(tmp_path_factory):
    """Folders of lessons and tokenizer."""
    out = tmp_path_factory.mktemp("train")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("XDG_CACHE_HOME", str(out / "cache"))
        told = data.folders(out, None, None, None)
        data.lessons(SMALL, told, lambda things, _what, _total: things)
    return told


@pytest.fixture(scope="session")
def course(made):
    """The lessons."""
    return Course(made.course)


@pytest.fixture(scope="session")
def vlm(made):
    """A small LLaVA of random weights with its processor; nobody trains it."""
    return modeling.vlm(SMALL, modeling.tokenizer(made.words), 0)


@pytest.fixture
def task(made, tmp_path):
    """A stage of some steps, in a folder of its own."""

    def of(stage, plan=Plan(), recipe=SMALL, steps=3, **more):  # noqa: B008 (frozen)
        told = Task(recipe, plan, made.course, made.words, tmp_path / stage, stage, 0, steps)
        return replace(told, **more)

    return of


@pytest.fixture
def learnt(task):
    """Learn a stage: its folder, and the figures of each step."""

    def of(*told, **more):
        one, figures = task(*told, **more), []
        stages.learn(one, lambda _step, parts: figures.append(parts))
        return one.out, figures

    return of
