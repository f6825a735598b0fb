"""What a training run can be told: one YAML file, unknown fields refused."""

from importlib.resources import files
from pathlib import Path
from typing import Any

import msgspec

from pstgen.core.records import BadInput


class Recipe(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """pstgen/training/recipes/*.yaml. Where `vision` is empty, a language model alone is trained."""

    families: tuple[str, ...] = ("existence", "count", "colour", "relation")  # what is taught
    size: int = 128  # side of a scene, pixels
    typicality: float = 0.0  # of the scenes that it looks at
    told_typicality: float = 0.85  # of the scenes that it only hears of
    vision: dict[str, Any] = {}  # CLIPVisionConfig
    text: dict[str, Any] = {}  # LlamaConfig
    vocabulary: int = 1400
    look_steps: int = 0  # first the encoder alone: what every patch shows
    tell_steps: int = 0  # then inventories: what there is of each kind
    steps: int = 1000  # then questions
    batch: int = 32  # pages a step
    questions: int = 8  # a page
    blind_every: int = 0  # one step in so many has no image
    grey: float = 0.0  # of the images, that are one flat colour
    learning_rate: float = 1e-3
    warm_up: int = 100
    weight_decay: float = 0.05
    dense: float = 0.0  # weight of the patches' loss in stage 2
    seed: int = 0


def read(name: str) -> Recipe:
    """Read a recipe of ours by name, or any YAML file by its path. Raises BadInput."""
    ours = files("pstgen.training") / "recipes" / f"{name}.yaml"
    file = ours if ours.is_file() else Path(name)
    try:
        return msgspec.yaml.decode(file.read_bytes(), type=Recipe)
    except OSError as error:
        raise BadInput(f"{name}: no such recipe: {error.strerror}") from None
    except (msgspec.ValidationError, msgspec.DecodeError) as error:
        raise BadInput(f"{file}: {error}") from None


def of(folder: Path) -> Recipe:
    """The recipe that a model of ours was trained by. Raises BadInput where the folder holds none."""
    try:
        return msgspec.json.decode((folder / "recipe.json").read_bytes(), type=Recipe)
    except (OSError, msgspec.DecodeError) as error:
        raise BadInput(f"{folder}: no model of ours: recipe.json: {error}") from None
