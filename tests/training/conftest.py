"""A recipe of the smallest models, and what they learn from: a dozen scenes of the world, drawn once."""

from dataclasses import replace

import msgspec
import pytest
import torch

from pstgen.core.progress import silent
from pstgen.evaluation import data
from pstgen.training import modeling, stages
from pstgen.training.examples import Examples
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
    return lambda **changes: msgspec.structs.replace(SMALL, **changes)


@pytest.fixture(scope="session")
def paths(tmp_path_factory):
    """Folders of examples and tokenizer."""
    out = tmp_path_factory.mktemp("train")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("XDG_CACHE_HOME", str(out / "cache"))
        folders = data.paths(out)
        data.write_examples(SMALL, folders, silent)
    return folders


@pytest.fixture(scope="session")
def paired(tmp_path_factory):
    """Folders of as small examples of a world without typical answers, among which there are many pairs."""
    out = tmp_path_factory.mktemp("paired")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("XDG_CACHE_HOME", str(out / "cache"))
        folders = data.paths(out)
        data.write_examples(msgspec.structs.replace(SMALL, scenes=60, typicality=0.3), folders, silent)
    return folders


@pytest.fixture(scope="session")
def examples(paths):
    return Examples(paths.examples)


@pytest.fixture(scope="session")
def vlm(paths):
    """A small LLaVA of random weights with its processor; nobody trains it."""
    return modeling.load_vlm(SMALL, modeling.load_tokenizer(paths.tokenizer), 0)


@pytest.fixture
def task(paths, tmp_path):
    """A stage of a few steps, in a folder of its own."""

    def make(stage, plan=Plan(), recipe=SMALL, steps=3, **changes):  # noqa: B008 (frozen)
        made = Task(recipe, plan, paths.examples, paths.tokenizer, tmp_path / stage, stage, 0, steps)
        return replace(made, **changes)

    return make


@pytest.fixture
def trained(task):
    """Train a stage: its folder, and the figures of each step."""

    def train(*args, **changes):
        made, figures = task(*args, **changes), []
        stages.train(made, lambda _step, parts: figures.append(parts))
        return made.out, figures

    return train
