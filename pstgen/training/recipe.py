"""A recipe is one YAML file, in pstgen/training/recipes/ or of one's own: all that decides what is trained, and how."""

from collections.abc import Mapping
from importlib.resources import files
from pathlib import Path
from typing import Any, Literal, TypeVar

import msgspec

from pstgen.core import plugins
from pstgen.core.records import BadInput

MOST = 1e9
RANGES = (  # names of settings, the least and the most that each may be; NaN is neither
    ("plain typicality typicality_tested told_typicality grey", 0, 1),
    ("scenes pst_scenes", 2, MOST),
    ("batch questions accumulate joint_steps steps keep_every pst_pairs exam_scenes exam_questions seeds", 1, MOST),
    ("lora encoder_steps look_steps tell_steps first_steps blind_every warm_up reward_warm_up", 0, MOST),
    (
        "learning_rate encoder_rate connector_rate head_rate weight_decay reward dense words price position_codes",
        0,
        MOST,
    ),
    ("size drawn", 16, 4096),
    ("vocabulary", 300, MOST),  # bytes, special tokens, and some more
)
ENCODERS = ("tiny", "vit-b16", "resnet50")
SAVED = "recipe.json"  # beside a model that was trained by it


class Recipe(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Of `pstgen train-eval`. Where `model` is empty, a small LLaVA is made from random weights."""

    # What is taught: scenes of the world, or of a folder in COCO's layout.
    families: tuple[str, ...] = ("existence", "count", "colour")
    scenes: int = 6000
    size: int = 128  # of the world: the side of a scene, pixels
    typicality: float = 0.9  # of the world that is learnt from
    # Share of the questions that are asked plainly; the others in any frame, with what one expects as the lure.
    plain: float = 0.75
    train: Path | None = None  # COCO's folder instead of the world
    split: str = "train2017"

    # The model.
    model: str = ""  # a folder or hub id: LLaVA or Qwen2.5-VL
    encoder: str = "tiny"  # of stage 1: tiny, vit-b16, resnet50, or a folder or hub id
    vision: dict[str, Any] = {}  # CLIPVisionConfig of the tiny one
    # Language model and tokenizer that the tiny one begins with: eye (the one that comes with pstgen) or a LLaVA's folder.
    language: str = ""
    text: dict[str, Any] = {}  # LlamaConfig of the tiny one, where it begins with random weights
    vocabulary: int = 1400  # likewise
    # Of the system with tools: "" for the detector that stage 1 trains, an ONNX file (see pstgen/models/detector.py), or a
    # Transformers detector's folder or hub id; and OCR of what is written in the image.
    detector: str = ""
    ocr: Literal["", "rapidocr", "tesseract"] = ""
    lora: int = 0  # rank; 0 trains all weights
    frozen: tuple[str, ...] = ()  # beginnings of the names of parameters that are not trained

    # Training.
    encoder_steps: int = 300  # stage 1
    joint_steps: int = 1000  # stage 2
    batch: int = 16  # images a step
    questions: int = 8  # an image, packed behind it
    accumulate: int = 1  # steps of stage 2 that make one update; warm-up and checkpoints count updates
    blind_every: int = 0  # one step of stage 2 in so many is of words alone
    learning_rate: float = 1e-3  # of the language model
    encoder_rate: float = 1e-3  # of the image encoder, in both stages
    connector_rate: float = 1e-3  # of what is between them
    head_rate: float = 1e-3  # of the perception heads
    warm_up: int = 100
    weight_decay: float = 0.05
    reward: float = 0.5  # lambda, of the perceptual reward
    rewards: tuple[float, ...] = ()  # other lambdas that perceptual reward is trained with, to see what it costs
    reward_warm_up: int = 50  # steps until it is whole
    dense: float = 1.0  # beta, of the dense heads beside the contrast
    words: float = 1.0  # of the contrast with the names of things
    keep_every: int = 250  # steps between checkpoints

    # The examination. Recipes are tuned on the validation world alone, and reported on the test world.
    tested_on: Literal["test", "validation"] = "test"
    typicality_tested: float = (
        0.85  # of the world that the stress test comes from; exams are as typical as the examples
    )
    pst_scenes: int = 1500
    pst_pairs: int = 120  # a family, at most
    exam_scenes: int = 200
    exam_questions: int = 4  # a scene
    mmlu: Path | None = None  # of language: a CSV file of MMLU's, or a folder of them, instead of the world's questions
    evaluations: tuple[str, ...] = ()  # files in metrics/; empty means all
    price: float = 1.0  # of an hour of the device, in any currency

    systems: tuple[str, ...] = ()  # files in systems/; empty means all
    seeds: int = 1


class WorldRecipe(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Of `pstgen eye train`: a small model from random weights that learns the built-in world, drawn as it is needed.

    Where `vision` is empty, a language model alone is trained.
    """

    families: tuple[str, ...] = ("existence", "count", "colour", "relation")  # what is taught
    first: tuple[str, ...] = ()  # families that the questions begin with, for first_steps
    first_steps: int = 0
    begin: str = ""  # a folder of the model that it begins with; "" for random weights
    drawn: int = 128  # side of a scene, pixels
    size: int = 128  # side of an image as the model gets it
    position_codes: float = 0.0  # strength of sine codes that are added to the encoder's position embeddings
    typicality: float = 0.0  # of the scenes that it sees
    told_typicality: float = 0.85  # of the scenes that it only reads about
    vision: dict[str, Any] = {}  # CLIPVisionConfig
    text: dict[str, Any] = {}  # LlamaConfig
    vocabulary: int = 1400
    look_steps: int = 0  # stage 1, the encoder alone: what every patch shows
    tell_steps: int = 0  # stage 2 begins with inventories: what there is of each kind
    steps: int = 1000  # and goes on with questions
    batch: int = 32  # scenes a step
    questions: int = 8  # a scene
    blind_every: int = 0  # one step with questions in so many has no images
    grey: float = 0.0  # share of the images that are one flat colour
    learning_rate: float = 1e-3
    warm_up: int = 100
    weight_decay: float = 0.05
    dense: float = 0.0  # weight of the patches' losses in stage 2
    seed: int = 0

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
        settings: Any = msgspec.yaml.decode(file.read_bytes()) or {}
        recipe = msgspec.convert(settings | changes, kind, dec_hook=lambda wanted, value: wanted(value))
    except OSError as error:
        raise BadInput(f"{name}: no such recipe: {error.strerror}") from None
    except (msgspec.ValidationError, msgspec.DecodeError, TypeError) as error:
        raise BadInput(f"{file}: {' '.join(str(error).split())}") from None
    _check_ranges(recipe, str(file))
    for family in recipe.families:
        plugins.known("families", family)
    return recipe, str(file)


def of_model(folder: Path) -> WorldRecipe:
    """The recipe that a model of `pstgen eye train` was trained by. Raises BadInput where the folder holds none."""
    try:
        return msgspec.json.decode((folder / SAVED).read_bytes(), type=WorldRecipe)
    except (OSError, msgspec.DecodeError) as error:
        raise BadInput(f"{folder}: not a model that `pstgen eye train` made: {SAVED}: {error}") from None


def _check_ranges(recipe: Recipe | WorldRecipe, file: str) -> None:
    for names, least, most in RANGES:
        for name in names.split():
            value = getattr(recipe, name, least)
            if not least <= value <= most:
                between = f"at least {least:g}" if most == MOST else f"from {least:g} to {most:g}"
                raise BadInput(f"{file}: {name} is {value}; it must be {between}")


def _check(recipe: Recipe, file: str) -> None:
    """Refuse what would train nothing, or something else than was meant."""
    if any(not 0 <= reward <= MOST for reward in recipe.rewards):
        raise BadInput(f"{file}: rewards are {recipe.rewards}; each must be at least 0")
    if recipe.encoder not in ENCODERS and not Path(recipe.encoder).is_dir() and recipe.encoder.count("/") != 1:
        raise BadInput(f"{recipe.encoder}: no such encoder; {', '.join(ENCODERS)}, a folder or a hub id OWNER/NAME")
    for folder, names in (("systems", recipe.systems), ("metrics", recipe.evaluations)):
        for name in names:
            plugins.known(folder, name)
    if recipe.mmlu and not recipe.mmlu.exists():
        raise BadInput(f"{recipe.mmlu}: no such file or folder; mmlu names one in MMLU's CSV format")
    if recipe.accumulate > recipe.joint_steps:
        raise BadInput(f"{file}: accumulate is {recipe.accumulate}, and there are {recipe.joint_steps} joint_steps")
