"""The models that are trained: a small LLaVA from random weights, a LLaVA or Qwen2.5-VL of the user's, an encoder alone."""

import difflib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NamedTuple

import cv2
import numpy as np
import torch
import transformers
from numpy.typing import NDArray
from transformers.image_processing_base import ImageProcessingMixin

from pstgen.core import resources
from pstgen.core.records import BadInput, Unavailable
from pstgen.models import from_scratch
from pstgen.models.huggingface import Model
from pstgen.models.perceptual_losses import NAMED, UNKNOWN, tokens
from pstgen.scenes.truth.colour import NAMES as COLOURS
from pstgen.scenes.vocabulary import plural, spoken
from pstgen.training.grid_targets import Window
from pstgen.training.recipe import ENCODERS, Recipe

OURS = "eye"
EDGES = [n / 32 for n in (2, 4, 8, 12, 14, 15, 17, 18, 20, 24, 28, 30)]  # shares of a side
KINDS = ("llava", "qwen2_5_vl")
SMALL: Mapping[str, Any] = {"attn_implementation": "eager"}


class Spread(NamedTuple):
    """Mean and standard deviation of red, green and blue (0 to 1) that an encoder's pixels are normalized by."""

    mean: tuple[float, ...] = (0.5,) * 3
    std: tuple[float, ...] = (0.5,) * 3


@dataclass(frozen=True)
class Vlm:
    """A vision-language model with its processor.

    cells: a side of the grid of patches that the language model gets; size: of an image, pixels, where the model takes any.
    """

    model: Any
    processor: Any
    cells: int
    size: int

    @property
    def words(self) -> Any:
        """The tokenizer."""
        return self.processor.tokenizer

    @property
    def width(self) -> int:
        """Of a patch's features, where the perception heads read them."""
        config = self.model.config
        if config.model_type != "llava":
            return int(config.text_config.hidden_size)
        return int(config.vision_config.hidden_size) * len(_chosen(config))

    def looks(self, images: Sequence[NDArray[np.uint8]]) -> dict[str, torch.Tensor]:
        """What the model gets of (H, W, 3) uint8 RGB images, as its own processor makes it."""
        shown = list(images)
        if self.model.config.model_type != "llava":
            sized = (cv2.resize(one, (self.size, self.size), interpolation=cv2.INTER_AREA) for one in shown)
            shown = [one.astype(np.uint8) for one in sized]
        return dict(self.processor.image_processor(shown, return_tensors="pt"))

    def window(self, width: int, height: int) -> Window:
        """What the model sees of an image of that size: measured on white edges that its processor resizes and crops."""
        if self.model.config.model_type != "llava":
            return Window(0, 0, width, height)
        across, down = ([round(side * share) for share in EDGES] for side in (width, height))
        shown = np.zeros((2 + len(EDGES), height, width, 3), np.uint8)
        shown[1] = 255  # black, white, and red left of an edge, green above
        for image, x, y in zip(shown[2:], across, down, strict=True):
            image[:, :x, 0] = image[:y, :, 1] = 255
        told = self.looks(list(shown))["pixel_values"].double().numpy()
        with np.errstate(invalid="ignore", divide="ignore"):
            share = (told[2:] - told[0]) / (told[1] - told[0])  # no number where the processor pads
        middle = share.shape[-1] // 2
        left, right = _ends(share[:, 0, middle], across, width)
        top, bottom = _ends(share[:, 1, :, middle], down, height)
        return Window(left, top, right, bottom)

    def places(self, ids: Sequence[int]) -> NDArray[np.int64]:
        """(axes, L): where the tokens of a prompt with one image stand; Qwen2.5-VL parts time, height and width."""
        if self.model.config.model_type == "llava":
            return np.arange(len(ids))[None]
        tokens = torch.tensor([ids])
        kinds = (tokens == self.model.config.image_token_id).int()
        grid = self.looks([np.zeros((self.size, self.size, 3), np.uint8)])["image_grid_thw"]
        told = self.model.model.get_rope_index(tokens, mm_token_type_ids=kinds, image_grid_thw=grid)[0]
        return np.asarray(told[:, 0].numpy(), np.int64)


def vlm(recipe: Recipe, words: Any, seed: int) -> Vlm:
    """The model of stage 2. Raises BadInput for a kind that is not supported, Unavailable where it does not load."""
    if not recipe.model:
        speaks = _loaded(recipe.language).model.model.language_model if recipe.language else None
        text = speaks.config.to_dict() if speaks else recipe.text
        eyes = vision(recipe)
        if not speaks:
            _spelt("text", text, transformers.LlamaConfig)
        model, processor = from_scratch.llava(words, eyes, text, recipe.size, seed)
        if speaks:
            model.model.language_model.load_state_dict(speaks.state_dict())
        return Vlm(model, processor, recipe.size // eyes["patch_size"], recipe.size)
    loaded = _loaded(recipe.model)
    kind = loaded.model.config.model_type
    if kind not in KINDS:
        raise BadInput(f"{recipe.model}: is a {kind}; stage 2 trains {' and '.join(KINDS)}")
    torch.manual_seed(seed)  # of what is put beside the model: heads, adapters
    eye = loaded.model.config.vision_config
    if kind == "llava":
        return Vlm(loaded.model, loaded.processor, eye.image_size // eye.patch_size, eye.image_size)
    cell = eye.patch_size * eye.spatial_merge_size
    if recipe.size % cell:
        raise BadInput(f"{recipe.model}: size is {recipe.size}; it must be a multiple of {cell}, which one token shows")
    return Vlm(loaded.model, loaded.processor, recipe.size // cell, recipe.size)


def vision(recipe: Recipe) -> dict[str, Any]:
    """What makes the tiny encoder. Raises BadInput where nothing does, a name is misspelt, or size does not fit."""
    _spelt("vision", recipe.vision, transformers.CLIPVisionConfig)
    told = {"patch_size": transformers.CLIPVisionConfig().patch_size} | recipe.vision
    _fits(recipe.size, told["patch_size"])
    return told


def _spelt(name: str, told: Mapping[str, Any], kind: Any) -> None:
    """Raises BadInput where a setting of `kind` is unknown, or all of them are left to it, which would be billions."""
    if not told:
        raise BadInput(
            f"{name} is empty; without a model of your own it must say how large that part is: hidden_size, ..."
        )
    known = kind().to_dict().keys() - {"image_size"}  # that is the recipe's size
    for one in told:
        if one not in known:
            near = difflib.get_close_matches(one, known, 3) or ["hidden_size"]
            raise BadInput(f"{name}: no setting {one!r} of a {kind.__name__}; there is {', '.join(near)}")


def _fits(size: int, patch: int) -> None:
    if size % patch:
        raise BadInput(f"size is {size}; it must be a multiple of the encoder's patch, which is {patch}")


def _loaded(name: str) -> Model:
    """A model in a folder or on the hub; the one that comes with pstgen is called eye. Raises Unavailable."""
    return Model(str(resources.model(name)) if name == OURS else name, "cpu")


def save_tokenizer(recipe: Recipe, texts: Iterable[str], folder: Path) -> None:
    """Train a tokenizer of our own and save it; or save that of the language model that is begun with."""
    words = _loaded(recipe.language).tokenizer if recipe.language else from_scratch.tokenizer(texts, recipe.vocabulary)
    words.save_pretrained(folder)


def tokenizer(folder: Path) -> Any:
    """A tokenizer of ours that was saved."""
    return transformers.PreTrainedTokenizerFast.from_pretrained(folder, local_files_only=True)


def looked(model: Any, pixels: Mapping[str, torch.Tensor], cells: int) -> tuple[torch.Tensor, torch.Tensor, Any]:
    """One pass of the encoder: features (B, G, width), the same as the language model gets them (B, G, D), and the pass."""
    seen = model.model.get_image_features(**pixels, return_dict=True)
    projected = torch.stack(list(seen.pooler_output))
    if model.config.model_type == "llava":
        return tokens(torch.cat(layers(model, seen), dim=-1), cells), tokens(projected, cells), seen
    return projected, projected, seen


def layers(model: Any, passed: Any) -> list[torch.Tensor]:
    """What the connector reads of a pass of the encoder: of LLaVA the layers that it chooses, else the last."""
    if model.config.model_type != "llava":
        return [passed.last_hidden_state]
    return [passed.hidden_states[n] for n in _chosen(model.config)]


def _chosen(config: Any) -> list[int]:
    chosen = config.vision_feature_layer
    return [chosen] if isinstance(chosen, int) else list(chosen)


def reads_last(config: Any) -> bool:
    """Does the connector of a LLaVA read the encoder's last layer, and it alone? LLaVA-1.5's reads the one before."""
    return _chosen(config) in ([-1], [config.vision_config.num_hidden_layers])


def _ends(told: NDArray[np.float64], edges: Sequence[int], length: int) -> tuple[int, int]:
    """Where (N, S) pixels, each row of them white up to one of N edges, begin and end in an image that is `length` long."""
    shown = np.isfinite(told[0])
    first = int(shown.argmax())
    places = first + np.nansum(told, axis=1)
    seen = (places > first + 0.5) & (places < first + shown.sum() - 0.5)
    known = np.array(edges)[seen]
    if len(set(known)) < 2:  # an image of very few pixels
        return 0, length
    rise, start = np.polyfit(places[seen], known, 1)
    return round(start), max(round(start) + 1, round(start + rise * told.shape[1]))


def encoder(recipe: Recipe, seed: int) -> Any:
    """An image encoder for stage 1: tiny, vit-b16 or resnet50 from random weights, or one from a folder or hub id."""
    torch.manual_seed(seed)
    kind = recipe.encoder
    if kind == "tiny":
        config = transformers.CLIPVisionConfig(image_size=recipe.size, **vision(recipe))
        return transformers.CLIPVisionModel._from_config(config, **SMALL)  # noqa: SLF001 (nothing public takes a configuration)
    if kind == "vit-b16":
        return transformers.ViTModel(transformers.ViTConfig(image_size=recipe.size), add_pooling_layer=False)
    if kind == "resnet50":
        return transformers.ResNetModel(transformers.ResNetConfig())
    try:
        loaded, info = transformers.AutoModel.from_pretrained(
            kind,
            use_safetensors=True,
            output_loading_info=True,
            trust_remote_code=False,
            local_files_only=Path(kind).is_dir(),
        )
    except Exception as error:  # a broken model folder can raise anything at all
        raise Unavailable(f"{kind}: does not load as an encoder: {str(error).strip().splitlines()[0]}") from error
    missing = [name for name in info["missing_keys"] if not name.startswith("pooler.")]  # nobody reads what it gives
    if missing:
        raise Unavailable(f"{kind}: {len(missing)} weights are missing, such as {min(missing)}")
    return getattr(loaded, "vision_model", loaded)


def spread(recipe: Recipe) -> Spread:
    """What stage 1 normalizes by: what the encoder's folder says, or else what the small model's own processor does."""
    if recipe.encoder in ENCODERS:
        return Spread()
    try:
        told, _ = ImageProcessingMixin.get_image_processor_dict(
            recipe.encoder, local_files_only=Path(recipe.encoder).is_dir()
        )
    except OSError:
        return Spread()
    if not told.get("do_normalize", True):
        return Spread((0.0,) * 3, (1.0,) * 3)
    return Spread(*(tuple(told.get(name) or (0.5,) * 3) for name in ("image_mean", "image_std")))


def side(model: Any, size: int) -> int:
    """Cells a side of an encoder's grid, for images of `size` pixels. Raises BadInput where no whole number fits."""
    patch = int(getattr(model.config, "patch_size", None) or 32)  # ResNet's stride
    _fits(size, patch)
    return size // patch


def width(model: Any) -> int:
    """Of an encoder's features."""
    config = model.config
    return int(config.hidden_sizes[-1] if hasattr(config, "hidden_sizes") else config.hidden_size)


def features(model: Any, pixels: torch.Tensor, cells: int) -> torch.Tensor:
    """(B, G, width) of an encoder alone. Raises BadInput where its grid is not cells x cells."""
    try:
        states = model(pixel_values=pixels).last_hidden_state
    except ValueError as error:
        raise BadInput(f"the encoder does not take images of {pixels.shape[-1]} pixels: {error}") from None
    return tokens(states, cells)


def names(words: Any, categories: Sequence[str]) -> tuple[torch.Tensor, ...]:
    """Of the NAMED factors, token ids of the words that name each code: (N, T) int64, padded with UNKNOWN."""
    nouns = [{noun, plural(noun)} for noun in map(spoken, categories)]
    tables = dict(zip(NAMED, (nouns, [{name} for name in COLOURS]), strict=True))
    return tuple(_table(words, tables[factor]) for factor in NAMED)


def _table(words: Any, told: Sequence[set[str]]) -> torch.Tensor:
    rows = [
        sorted({i for name in some for i in words(f" {name}", add_special_tokens=False)["input_ids"]}) for some in told
    ]
    table = torch.full((len(rows), max(map(len, rows))), UNKNOWN)
    for row, ids in zip(table, rows, strict=True):
        row[: len(ids)] = torch.tensor(ids)
    return table
