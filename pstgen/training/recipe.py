"""What `pstgen train-eval` can be told: a recipe in pstgen/training/recipes/, or a YAML file of one's own."""

from importlib.resources import files
from pathlib import Path
from typing import Any, Literal

import msgspec

from pstgen.core import plugins
from pstgen.core.records import BadInput

MOST = 1e9
RANGES = (  # names of settings, the least and the most that each may be; no number (NaN) is neither
    ("plain typicality typicality_tested", 0, 1),
    ("scenes pst_scenes", 2, MOST),
    ("batch questions accumulate joint_steps keep_every pst_pairs exam_scenes exam_questions seeds", 1, MOST),
    ("lora encoder_steps blind_every warm_up reward_warm_up", 0, MOST),
    ("learning_rate encoder_rate connector_rate head_rate weight_decay reward dense words price", 0, MOST),
    ("size", 16, 4096),
    ("vocabulary", 300, MOST),  # bytes, special tokens, and some more
)
ENCODERS = ("tiny", "vit-b16", "resnet50")


class Recipe(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One file, all that decides an outcome. Where `model` is empty, a small LLaVA is made from random weights."""

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
    typicality_tested: float = 0.85  # of the world that the stress test comes from; exams are as typical as lessons
    pst_scenes: int = 1500
    pst_pairs: int = 120  # a family, at most
    exam_scenes: int = 200
    exam_questions: int = 4  # a scene
    mmlu: Path | None = None  # of language: a CSV file of MMLU's, or a folder of them, instead of the world's questions
    evaluations: tuple[str, ...] = ()  # files in metrics/; empty means all
    price: float = 1.0  # of an hour of the device, in any currency

    systems: tuple[str, ...] = ()  # files in systems/; empty means all
    seeds: int = 1


def read(name: str, **given: Any) -> Recipe:
    """Read a recipe of ours by name, or any YAML file by its path, with some settings changed. Raises BadInput."""
    ours = files("pstgen.training") / "recipes" / f"{name}.yaml"
    file = ours if ours.is_file() else Path(name)
    try:
        told: Any = msgspec.yaml.decode(file.read_bytes()) or {}
        changed = {key: value for key, value in given.items() if value is not None and value != ()}
        recipe = msgspec.convert(told | changed, Recipe, dec_hook=lambda kind, value: kind(value))
    except OSError as error:
        raise BadInput(f"{name}: no such recipe: {error.strerror}") from None
    except (msgspec.ValidationError, msgspec.DecodeError, TypeError) as error:
        raise BadInput(f"{file}: {' '.join(str(error).split())}") from None
    return _sound(recipe, str(file))


def _sound(recipe: Recipe, file: str) -> Recipe:
    """Refuse what would train nothing, or the wrong thing."""
    for names, least, most in RANGES:
        for name in names.split():
            if not least <= (value := getattr(recipe, name)) <= most:
                between = f"at least {least:g}" if most == MOST else f"from {least:g} to {most:g}"
                raise BadInput(f"{file}: {name} is {value}; it must be {between}")
    if any(not 0 <= other <= MOST for other in recipe.rewards):
        raise BadInput(f"{file}: rewards are {recipe.rewards}; each must be at least 0")
    if recipe.encoder not in ENCODERS and not Path(recipe.encoder).is_dir() and recipe.encoder.count("/") != 1:
        raise BadInput(f"{recipe.encoder}: no such encoder; {', '.join(ENCODERS)}, a folder or a hub id OWNER/NAME")
    for folder, chosen in (("families", recipe.families), ("systems", recipe.systems), ("metrics", recipe.evaluations)):
        for name in chosen:
            plugins.known(folder, name)
    if recipe.mmlu and not recipe.mmlu.exists():
        raise BadInput(f"{recipe.mmlu}: no such file or folder; mmlu names one in MMLU's CSV format")
    if recipe.accumulate > recipe.joint_steps:
        raise BadInput(f"{file}: accumulate is {recipe.accumulate}, and there are {recipe.joint_steps} joint_steps")
    return recipe
