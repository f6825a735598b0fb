"""A recipe is one YAML file, in pstgen/training/recipes/ or of one's own: all that decides what is trained, and how."""

from collections.abc import Mapping
from importlib.resources import files
from pathlib import Path
from typing import Annotated, Any, Literal, TypeVar

import msgspec
from msgspec import Meta

from pstgen.core import plugins, reading
from pstgen.core.bounds import MOST, Amount, Bounded, Count, CountOrZero, Scenes, Seed, Share, Side
from pstgen.core.config import WorldPlace
from pstgen.core.records import BadInput

Samples = Annotated[int, Meta(ge=2, le=MOST)]  # of a group: alone, nothing is better than the rest
Vocabulary = Annotated[int, Meta(ge=300, le=MOST)]  # bytes, special tokens, and some more
ENCODERS = ("tiny", "vit-b16", "resnet50")
SAVED = "recipe.json"  # beside a model that was trained by it


class Recipe(Bounded, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Of `pstgen train-eval`. Where `model` is empty, a small LLaVA is made from random weights."""

    # What is taught: scenes of the world, or of a folder in COCO's layout.
    families: tuple[str, ...] = ("existence", "count", "colour")
    scenes: Scenes = 6000
    size: Side = 128  # of the world: the side of a scene, pixels
    typicality: Share = 0.9  # of the world that is learnt from
    place: WorldPlace = ""  # of the world: where all scenes are; "" means anywhere
    # Share of the questions that are asked plainly; the others in any frame, with what one expects as the lure.
    plain: Share = 0.75
    train: Path | None = None  # COCO's folder instead of the world
    split: str = "train2017"

    # The model.
    model: str = ""  # a folder or hub id: LLaVA, Qwen2.5-VL, Qwen3-VL or InternVL
    encoder: str = "tiny"  # of stage 1: tiny, vit-b16, resnet50, or a folder or hub id
    vision: dict[str, Any] = msgspec.field(default_factory=dict)  # CLIPVisionConfig of the tiny one
    position_codes: Amount = 0.0  # strength of sine codes that are added to the tiny one's position embeddings
    # Language model and tokenizer that the tiny one begins with: eye (the one that comes with pstgen) or a LLaVA's folder.
    language: str = ""
    text: dict[str, Any] = msgspec.field(
        default_factory=dict
    )  # LlamaConfig of the tiny one, where it begins with random weights
    vocabulary: Vocabulary = 1400  # likewise
    # Of the system with tools: "" for the detector that stage 1 trains, an ONNX file (see pstgen/models/detector.py), or a
    # Transformers detector's folder or hub id; and OCR of what is written in the image.
    detector: str = ""
    ocr: Literal["", "rapidocr", "tesseract"] = ""
    lora: CountOrZero = 0  # rank; 0 trains all weights
    frozen: tuple[str, ...] = ()  # beginnings of the names of parameters that are not trained

    # Training.
    encoder_steps: CountOrZero = 300  # stage 1
    joint_steps: Count = 1000  # stage 2
    batch: Count = 16  # images a step
    questions: Count = 8  # an image, packed behind it
    accumulate: Count = 1  # steps of stages 2 and 3 that make one update; warm-up and checkpoints count updates
    blind_every: CountOrZero = 0  # one step of stages 2 and 3 in so many is of words alone
    learning_rate: Amount = 1e-3  # of the language model
    encoder_rate: Amount = 1e-3  # of the image encoder, in both stages
    connector_rate: Amount = 1e-3  # of what is between them
    head_rate: Amount = 1e-3  # of the perception heads
    warm_up: CountOrZero = 100
    weight_decay: Amount = 0.05
    # Weight of the divergence from the language model that stage 2 begins with, in steps of words alone.
    language_kl: Amount = 0.0
    # Share of the scenes that have perceptual targets, the same in both stages; stage 1 is trained on them alone.
    labelled: Share = 1.0
    reward: Amount = 0.5  # lambda, of the perceptual reward
    rewards: tuple[Amount, ...] = ()  # other lambdas that perceptual reward is trained with, to see what it costs
    reward_warm_up: CountOrZero = 50  # steps until it is whole
    dense: Amount = 1.0  # beta, of the dense heads beside the contrast
    words: Amount = 1.0  # of the contrast with the names of things
    numbers: Amount = 0.0  # of how many things of each kind there are, read from the patches together
    keep_every: Count = 250  # steps between checkpoints

    # Stage 3, of the systems that are rewarded for answers to training pairs.
    gated_steps: Count = 100
    gated_pairs: Count = 4  # pairs a step
    samples: Samples = 8  # answers that are drawn to the question of each twin
    kl: Amount = 0.05  # of the divergence from the model that stage 3 begins with
    gated_rate: Amount = 1e-4  # learning rate of all parameters

    # The examination. Recipes are tuned on the validation world alone, and reported on the test world.
    tested_on: Literal["test", "validation"] = "test"
    typicality_tested: Share = (
        0.85  # of the world that the stress test comes from; exams are as typical as the examples
    )
    pst_scenes: Scenes = 1500
    pst_pairs: Count = 120  # a family, at most
    exam_scenes: Count = 200
    exam_questions: Count = 4  # a scene
    mmlu: Path | None = None  # of language: a CSV file of MMLU's, or a folder of them, instead of the world's questions
    evaluations: tuple[str, ...] = ()  # files in metrics/; empty means all
    disturbed: Count = 48  # items of the stress test that are shown in bad weather, under noise and under attack
    price: Amount = 1.0  # of an hour of the device, in any currency
    deadline: Amount = 100.0  # milliseconds in which an answer should be there

    systems: tuple[str, ...] = ()  # files in systems/; empty means all
    seeds: Count = 1


class WorldRecipe(Bounded, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Of `pstgen eye train`: a small model from random weights that learns the built-in world, drawn as it is needed.

    Where `vision` is empty, a language model alone is trained.
    """

    families: tuple[str, ...] = ("existence", "count", "colour", "relation")  # what is taught
    first: tuple[str, ...] = ()  # families that the questions begin with, for first_steps
    first_steps: CountOrZero = 0
    begin: str = ""  # a folder of the model that it begins with; "" for random weights
    drawn: Side = 128  # side of a scene, pixels
    size: Side = 128  # side of an image as the model gets it
    position_codes: Amount = 0.0  # strength of sine codes that are added to the encoder's position embeddings
    typicality: Share = 0.0  # of the scenes that it sees
    told_typicality: Share = 0.85  # of the scenes that it only reads about
    vision: dict[str, Any] = msgspec.field(default_factory=dict)  # CLIPVisionConfig
    text: dict[str, Any] = msgspec.field(default_factory=dict)  # LlamaConfig
    vocabulary: Vocabulary = 1400
    look_steps: CountOrZero = 0  # stage 1, the encoder alone: what every patch shows
    tell_steps: CountOrZero = 0  # stage 2 begins with inventories: what there is of each kind
    steps: Count = 1000  # and goes on with questions
    batch: Count = 32  # scenes a step
    questions: Count = 8  # a scene
    blind_every: CountOrZero = 0  # one step with questions in so many has no images
    grey: Share = 0.0  # share of the images that are one flat colour
    learning_rate: Amount = 1e-3
    warm_up: CountOrZero = 100
    weight_decay: Amount = 0.05
    dense: Amount = 0.0  # weight of the patches' losses in stage 2
    seed: Seed = 0

    def families_of(self, n: int) -> tuple[str, ...]:
        """What is asked of the n-th scene that is seen."""
        is_first = n < (self.look_steps + self.tell_steps + self.first_steps) * self.batch
        return self.first if self.first and is_first else self.families


def read(name: str, **changes: Any) -> Recipe:
    """Read a recipe of ours by name, or any YAML file by its path, with some settings changed. Raises BadInput."""
    recipe, file = _read(name, Recipe, {key: value for key, value in changes.items() if value not in (None, ())})
    _check(recipe, file)
    return recipe


def read_world(name: str) -> WorldRecipe:
    """Read a recipe of `pstgen eye train`, as `read` does."""
    return _read(name, WorldRecipe, {})[0]


AnyRecipe = TypeVar("AnyRecipe", Recipe, WorldRecipe)


def _read(name: str, kind: type[AnyRecipe], changes: Mapping[str, Any]) -> tuple[AnyRecipe, str]:
    """The recipe, and the name of its file for errors."""
    ours = files("pstgen.training") / "recipes" / f"{name}.yaml"
    file = ours if ours.is_file() else Path(name)
    try:
        settings: Any = reading.yaml_of(file.read_bytes(), Any) or {}
        recipe = msgspec.convert(settings | changes, kind, dec_hook=lambda wanted, value: wanted(value))
    except OSError as error:
        raise BadInput(f"{name}: no such recipe: {error.strerror}") from None
    except (msgspec.ValidationError, msgspec.DecodeError, TypeError) as error:
        raise BadInput(f"{file}: {' '.join(str(error).split())}") from None
    for family in recipe.families:
        plugins.known("families", family)
    return recipe, str(file)


def of_model(folder: Path) -> WorldRecipe:
    """The recipe that a model of `pstgen eye train` was trained by. Raises BadInput where the folder holds none."""
    try:
        return msgspec.json.decode((folder / SAVED).read_bytes(), type=WorldRecipe)
    except (OSError, msgspec.DecodeError) as error:
        raise BadInput(f"{folder}: not a model that `pstgen eye train` made: {SAVED}: {error}") from None


def _check(recipe: Recipe, file: str) -> None:
    """Refuse what would train nothing, or something else than was meant."""
    if recipe.encoder not in ENCODERS and not Path(recipe.encoder).is_dir() and recipe.encoder.count("/") != 1:
        raise BadInput(f"{recipe.encoder}: no such encoder; {', '.join(ENCODERS)}, a folder or a hub id OWNER/NAME")
    for folder, names in (("systems", recipe.systems), ("metrics", recipe.evaluations)):
        for name in names:
            plugins.known(folder, name)
    if recipe.mmlu and not recipe.mmlu.exists():
        raise BadInput(f"{recipe.mmlu}: no such file or folder; mmlu names one in MMLU's CSV format")
    if recipe.accumulate > recipe.joint_steps:
        raise BadInput(f"{file}: accumulate is {recipe.accumulate}, and there are {recipe.joint_steps} joint_steps")
    if recipe.accumulate > recipe.gated_steps:
        raise BadInput(f"{file}: accumulate is {recipe.accumulate}, and there are {recipe.gated_steps} gated_steps")
