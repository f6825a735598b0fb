"""The models that are trained: a small LLaVA from random weights, a model of the user's of one of the KINDS, an encoder alone."""

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
from pstgen.models.perceptual_losses import NAMED_FACTORS, UNKNOWN, patch_features
from pstgen.scenes.truth.colour import NAMES as COLOURS
from pstgen.scenes.vocabulary import plural, spoken
from pstgen.training.grid_targets import Window
from pstgen.training.recipe import ENCODERS, Recipe

OURS = "eye"
IMAGE_INPUTS = ("pixel_values", "image_grid_thw")  # what an image encoder gets; the grid of patches is Qwen's
EDGES = [n / 32 for n in (2, 4, 8, 12, 14, 15, 17, 18, 20, 24, 28, 30)]  # shares of a side
NAMES = {"llava": "LLaVA", "qwen2_5_vl": "Qwen2.5-VL", "qwen3_vl": "Qwen3-VL", "internvl": "InternVL"}
EAGER: Mapping[str, Any] = {"attn_implementation": "eager"}  # on a CPU its backward pass is far quicker


class Normalization(NamedTuple):
    """Mean and standard deviation of red, green and blue (0 to 1) that an encoder's pixels are normalized by."""

    mean: tuple[float, ...] = (0.5,) * 3
    std: tuple[float, ...] = (0.5,) * 3


@dataclass(frozen=True)
class Vlm:
    """A vision-language model with its processor; of a language model alone, with its tokenizer.

    cells: a side of the grid of patches that the language model gets; size: of an image, pixels, to which images are scaled
    that are not a LLaVA's, whose processor does it.
    """

    model: Any
    processor: Any
    cells: int
    size: int

    @property
    def tokenizer(self) -> Any:
        """Of the processor, which may be the tokenizer itself."""
        return getattr(self.processor, "tokenizer", self.processor)

    @property
    def width(self) -> int:
        """Of a patch's features, where the perception heads read them."""
        config = self.model.config
        if not is_llava(config):
            return int(config.text_config.hidden_size)
        return int(config.vision_config.hidden_size) * len(_vision_layers(config))

    def prompt(self, question: str, *, with_image: bool) -> str:
        """A question in the chat template, up to where the answer begins."""
        content = [{"type": "image"}] * with_image + [{"type": "text", "text": question}]
        template = getattr(self.processor, "chat_template", None) or from_scratch.CHAT
        chat = [{"role": "user", "content": content}]
        return str(
            self.processor.apply_chat_template(chat, chat_template=template, tokenize=False, add_generation_prompt=True)
        )

    def image_inputs(self, images: Sequence[NDArray[np.uint8]]) -> dict[str, torch.Tensor]:
        """What the model gets of (H, W, 3) uint8 RGB images, as its own processor makes it."""
        resized = [np.array(image) for image in images]  # torch takes no mirrored or read-only views
        if not is_llava(self.model.config):
            squares = (cv2.resize(image, (self.size, self.size), interpolation=cv2.INTER_AREA) for image in images)
            resized = [square.astype(np.uint8) for square in squares]
        inputs = self.processor.image_processor(resized, return_tensors="pt")
        return {name: inputs[name] for name in IMAGE_INPUTS if name in inputs}

    def window(self, width: int, height: int) -> Window:
        """What the model sees of an image of that size: measured on white edges that its processor resizes and crops."""
        if not is_llava(self.model.config):
            return Window(0, 0, width, height)
        across, down = ([round(side * share) for share in EDGES] for side in (width, height))
        images = np.zeros((2 + len(EDGES), height, width, 3), np.uint8)
        images[1] = 255  # black, white, and red left of an edge, green above
        for image, x, y in zip(images[2:], across, down, strict=True):
            image[:, :x, 0] = image[:y, :, 1] = 255
        pixels = self.image_inputs(list(images))["pixel_values"].double().numpy()
        with np.errstate(invalid="ignore", divide="ignore"):
            share = (pixels[2:] - pixels[0]) / (pixels[1] - pixels[0])  # not a number where the processor pads
        middle = share.shape[-1] // 2
        left, right = _ends(share[:, 0, middle], across, width)
        top, bottom = _ends(share[:, 1, :, middle], down, height)
        return Window(left, top, right, bottom)

    def positions(self, ids: Sequence[int]) -> NDArray[np.int64]:
        """(axes, L): positions of the tokens of a prompt with one image; Qwen's models have time, height and width."""
        if not hasattr(self.model.model, "get_rope_index"):
            return np.arange(len(ids))[None]
        tokens = torch.tensor([ids])
        kinds = (tokens == self.model.config.image_token_id).int()
        grid = self.image_inputs([np.zeros((self.size, self.size, 3), np.uint8)])["image_grid_thw"]
        positions = self.model.model.get_rope_index(tokens, mm_token_type_ids=kinds, image_grid_thw=grid)[0]
        return np.asarray(positions[:, 0].numpy(), np.int64)


def load_vlm(recipe: Recipe, tokenizer: Any, seed: int) -> Vlm:
    """The model of stage 2. Raises BadInput for a kind that is not supported, Unavailable where it does not load.

    tokenizer: of a small model from random weights.
    """
    if not recipe.model:
        language = load(recipe.language).model.model.language_model if recipe.language else None
        vlm = small_vlm(recipe.vision, recipe.text, recipe.size, tokenizer, seed, language)
        from_scratch.add_position_codes(vlm.model.model.vision_tower, recipe.position_codes)
        return vlm
    loaded = load(recipe.model)
    kind = loaded.model.config.model_type
    if kind not in NAMES:
        raise BadInput(f"{recipe.model}: is a {kind}; stage 2 trains {', '.join(NAMES.values())}")
    torch.manual_seed(seed)  # of what is put beside the model: heads, adapters
    vision = loaded.model.config.vision_config
    if kind == "llava":
        return Vlm(loaded.model, loaded.processor, vision.image_size // vision.patch_size, vision.image_size)
    if kind == "internvl":
        return _internvl(loaded)
    cell = vision.patch_size * vision.spatial_merge_size
    if recipe.size % cell:
        raise BadInput(f"{recipe.model}: size is {recipe.size}; it must be a multiple of {cell}, which one token shows")
    vlm = Vlm(loaded.model, loaded.processor, recipe.size // cell, recipe.size)
    _, *patches = vlm.image_inputs([np.zeros((vlm.size, vlm.size, 3), np.uint8)])["image_grid_thw"][0].tolist()
    if patches != [vlm.cells * vision.spatial_merge_size] * 2:
        down, across = (n // vision.spatial_merge_size for n in patches)
        raise BadInput(
            f"{recipe.model}: its processor shows images of {recipe.size} pixels a side as {down} x {across} tokens; take a smaller "
            "size, or a larger max_pixels of the processor"
        )
    return vlm


def _internvl(loaded: Model) -> Vlm:
    """Its processor divides images into tiles of the encoder's size; here it takes each whole, and is saved so."""
    config, tiles = loaded.model.config, loaded.processor.image_processor
    tiles.min_patches = tiles.max_patches = 1
    side, patch = config.vision_config.image_size[0], config.vision_config.patch_size[0]
    return Vlm(loaded.model, loaded.processor, round(side // patch * config.downsample_ratio), side)


def is_llava(config: Any) -> bool:
    """Does the connector of a model with this configuration read single patches, of layers that it chooses?"""
    return bool(config.model_type == "llava")


def small_vlm(  # noqa: PLR0913, PLR0917 (its parts)
    vision: Mapping[str, Any], text: Mapping[str, Any], size: int, tokenizer: Any, seed: int, language: Any = None
) -> Vlm:
    """A LLaVA of random weights. language: what it begins with instead of a language model of the settings `text`.

    Raises BadInput where settings do not say how large it is, are misspelt, or do not fit the size.
    """
    settings = vision_config(vision, size)
    if not language:
        _check_settings("text", text, transformers.LlamaConfig)
    text = language.config.to_dict() if language else text
    model, processor = from_scratch.llava(tokenizer, settings, text, size, seed)
    if language:
        model.model.language_model.load_state_dict(language.state_dict())
    return Vlm(model, processor, size // settings["patch_size"], size)


def small_language_model(text: Mapping[str, Any], tokenizer: Any, seed: int) -> Vlm:
    """A language model of random weights, which sees nothing. Raises BadInput as `small_vlm` does."""
    _check_settings("text", text, transformers.LlamaConfig)
    return Vlm(from_scratch.llama(tokenizer, text, seed), tokenizer, cells=0, size=0)


def vision_config(vision: Mapping[str, Any], size: int) -> dict[str, Any]:
    """Settings of the tiny encoder. Raises BadInput where there are none, a name is misspelt, or size does not fit."""
    _check_settings("vision", vision, transformers.CLIPVisionConfig)
    settings = {"patch_size": transformers.CLIPVisionConfig().patch_size, **vision}
    _check_size(size, settings["patch_size"])
    return settings


def _check_settings(part: str, settings: Mapping[str, Any], kind: Any) -> None:
    """Raises BadInput where a setting of `kind` is unknown, or all of them are left to it, which would be billions."""
    if not settings:
        raise BadInput(
            f"{part} is empty; without a model of your own (--model) it must say how large that part is: hidden_size, ..."
        )
    known = kind().to_dict().keys() - {"image_size"}  # that is the recipe's size
    for name in settings:
        if name not in known:
            near = difflib.get_close_matches(name, known, 3) or ["hidden_size"]
            raise BadInput(f"{part}: no setting {name!r} of a {kind.__name__}; there is {', '.join(near)}")


def _check_size(size: int, patch: int) -> None:
    if size % patch:
        raise BadInput(f"size is {size}; it must be a multiple of the encoder's patch, which is {patch}")


def load(name: str) -> Model:
    """A model in a folder or on the hub; the one that comes with pstgen is called eye. Raises Unavailable."""
    return Model(str(resources.model_folder(name)) if name == OURS else name, "cpu")


def save_tokenizer(recipe: Recipe, texts: Iterable[str], folder: Path) -> None:
    """Train a tokenizer of our own and save it; or save that of the language model that is begun with."""
    tokenizer = (
        load(recipe.language).tokenizer if recipe.language else from_scratch.train_tokenizer(texts, recipe.vocabulary)
    )
    tokenizer.save_pretrained(folder)


def load_tokenizer(folder: Path) -> Any:
    """A tokenizer of ours that was saved."""
    return transformers.PreTrainedTokenizerFast.from_pretrained(folder, local_files_only=True)


def encode_images(model: Any, pixels: Mapping[str, torch.Tensor], cells: int) -> tuple[torch.Tensor, torch.Tensor, Any]:
    """Run the encoder once: features (B, G, width), the same as the language model gets them (B, G, D), and the output."""
    output = model.model.get_image_features(**pixels, return_dict=True)
    projected = torch.stack(list(output.pooler_output))
    if is_llava(model.config):
        features = torch.cat(connector_inputs(model, output), dim=-1)
        return patch_features(features, cells), patch_features(projected, cells), output
    return projected, projected, output


def connector_inputs(model: Any, output: Any) -> list[torch.Tensor]:
    """What the connector reads of an encoder's output: of LLaVA the layers that it chooses, else the last."""
    if not is_llava(model.config):
        return [output.last_hidden_state]
    return [output.hidden_states[n] for n in _vision_layers(model.config)]


def _vision_layers(config: Any) -> list[int]:
    layers = config.vision_feature_layer
    return [layers] if isinstance(layers, int) else list(layers)


def reads_last_layer(config: Any) -> bool:
    """Does the connector of a LLaVA read the encoder's last layer, and it alone? LLaVA-1.5's reads the one before."""
    return _vision_layers(config) in ([-1], [config.vision_config.num_hidden_layers])


def _ends(shares: NDArray[np.float64], edges: Sequence[int], length: int) -> tuple[int, int]:
    """Where (N, S) pixels, each row of them white up to one of N edges, begin and end in an image that is `length` long."""
    inside = np.isfinite(shares[0])
    first = int(inside.argmax())
    places = first + np.nansum(shares, axis=1)
    visible = (places > first + 0.5) & (places < first + inside.sum() - 0.5)
    known = np.array(edges)[visible]
    if len(set(known)) < 2:  # an image of very few pixels
        return 0, length
    slope, start = np.polyfit(places[visible], known, 1)
    return round(start), max(round(start) + 1, round(start + slope * shares.shape[1]))


def load_encoder(recipe: Recipe, seed: int) -> Any:
    """An image encoder for stage 1: tiny, vit-b16 or resnet50 from random weights, or one from a folder or hub id."""
    torch.manual_seed(seed)
    kind = recipe.encoder
    if kind == "tiny":
        config = transformers.CLIPVisionConfig(image_size=recipe.size, **vision_config(recipe.vision, recipe.size))
        model = transformers.CLIPVisionModel._from_config(config, **EAGER)  # noqa: SLF001 (nothing public takes a configuration)
        from_scratch.add_position_codes(model, recipe.position_codes)
        return model
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


def normalization(recipe: Recipe) -> Normalization:
    """What stage 1 normalizes by: what the encoder's folder says, or else what the small model's own processor does."""
    if recipe.encoder in ENCODERS:
        return Normalization()
    try:
        settings, _ = ImageProcessingMixin.get_image_processor_dict(
            recipe.encoder, local_files_only=Path(recipe.encoder).is_dir()
        )
    except OSError:
        return Normalization()
    if not settings.get("do_normalize", True):
        return Normalization((0.0,) * 3, (1.0,) * 3)
    return Normalization(*(tuple(settings.get(name) or (0.5,) * 3) for name in ("image_mean", "image_std")))


def grid_side(model: Any, size: int) -> int:
    """Cells a side of an encoder's grid, for images of `size` pixels. Raises BadInput where no whole number fits."""
    patch = int(getattr(model.config, "patch_size", None) or 32)  # ResNet's stride
    _check_size(size, patch)
    return size // patch


def feature_width(model: Any) -> int:
    """Of an encoder's features."""
    config = model.config
    return int(config.hidden_sizes[-1] if hasattr(config, "hidden_sizes") else config.hidden_size)


def encoder_features(model: Any, pixels: torch.Tensor, cells: int) -> torch.Tensor:
    """(B, G, width) of an encoder alone. Raises BadInput where its grid is not cells x cells."""
    try:
        states = model(pixel_values=pixels).last_hidden_state
    except ValueError as error:
        raise BadInput(f"the encoder does not take images of {pixels.shape[-1]} pixels: {error}") from None
    return patch_features(states, cells)


def name_tokens(tokenizer: Any, categories: Sequence[str]) -> tuple[torch.Tensor, ...]:
    """Of the NAMED_FACTORS, token ids of the words that name each code: (N, T) int64, padded with UNKNOWN."""
    nouns = [{noun, plural(noun)} for noun in map(spoken, categories)]
    tables = dict(zip(NAMED_FACTORS, (nouns, [{name} for name in COLOURS]), strict=True))
    return tuple(_token_table(tokenizer, tables[factor]) for factor in NAMED_FACTORS)


def _token_table(tokenizer: Any, names: Sequence[set[str]]) -> torch.Tensor:
    rows = [
        torch.tensor(sorted({i for name in same for i in tokenizer(f" {name}", add_special_tokens=False)["input_ids"]}))
        for same in names
    ]
    return torch.nn.utils.rnn.pad_sequence(rows, batch_first=True, padding_value=UNKNOWN)
