"""Is a model scored as it would itself generate? Tried at load on a few questions and images; who is not, is refused."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, Literal

import msgspec
import numpy as np

from pstgen.core.records import BadInput, Unavailable
from pstgen.models import scoring
from pstgen.models.asking import prompt

if TYPE_CHECKING:
    from pstgen.models.huggingface import Model

Road = Literal["shared", "padded", "single"]
ROADS: tuple[Road, ...] = ("shared", "padded", "single")  # the fastest first
EXACT, ROUNDED = 1e-3, 0.15  # nats that float32 and shorter types may differ by
QUESTIONS = (
    ("Is there a dog in the picture?", ("no", "yes"), 0),
    ("What colour is it?", ("dark green", "red", "traffic-light orange"), 0),
    (
        "How many cups are there to the left of the chair, as most people would say who know such kitchens?",
        ("1", "10"),
        1,
    ),
    ("Which is nearer?", ("the dog", "the fire hydrant"), 2),
)
SIZES = ((96, 64), (56, 120), (56, 120))  # of the images, height and width: two alike go through one pass


class SelfCheck(msgspec.Struct, frozen=True):
    """How scores are computed, with images and without. difference: the largest to the model's own `generate`, nats.

    seeing: None of a language model. padded: do padded rows agree as well, so that text can be generated in batches? dtype: of
    the weights.
    """

    seeing: Road | None
    blind: Road
    padded: bool
    difference: float
    dtype: str


def check(model: Model) -> SelfCheck:
    """The fastest roads whose scores agree with `generate`, one row at a time.

    Raises Unavailable where none does, or where prompts are not tokenized as the model's own template says.
    """
    pictures = images()
    sees = model.kind != "text"
    seeing, difference, padded = None, 0.0, True
    try:
        _same_prompt(model, pictures[0] if sees else None)
        if sees:
            _takes_images(model, pictures[0])
            seeing, padded, difference = _road(model, [pictures[n] for *_, n in QUESTIONS])
        blind, blind_padded, blind_difference = _road(model, [None] * len(QUESTIONS))
    except (BadInput, Unavailable):
        raise
    except Exception as error:  # a model can raise anything at all
        without = " without an image, as a judge must be" * bool(seeing)
        raise Unavailable(f"{model.name}: cannot be asked{without}: {_reason(error)}") from error
    dtype = str(model.model.dtype).removeprefix("torch.")
    return SelfCheck(seeing, blind, padded and blind_padded, max(difference, blind_difference), dtype)


def _road(model: Model, shown: Sequence[Any]) -> tuple[Road, bool, float]:
    """The fastest road with these images, whether padded rows agree, and its difference to `generate`.

    Raises Unavailable where none agrees.
    """
    expected = _scores(model, "single", shown)
    allowed = EXACT if str(model.model.dtype) == "torch.float32" else ROUNDED
    found: list[str] = []
    good: dict[Road, float] = {}
    for road in ROADS:
        try:
            difference = float(np.abs(np.array(_scores(model, road, shown)) - np.array(expected)).max())
        except Exception as error:  # noqa: BLE001 (the next road may do)
            found.append(f"{road}: {_reason(error)}")
            continue
        if difference <= allowed:
            good[road] = difference
        else:
            found.append(f"{road}: {difference:.2g} nats off")
    for road, difference in good.items():
        return road, "padded" in good, difference
    raise Unavailable(
        f"{model.name}: its scores do not agree with its own generate ({'; '.join(found)}); it is not used"
    )


def images() -> list[Any]:
    """(H, W, 3) uint8: patterns of two sizes."""
    rng = np.random.default_rng(0)
    blocks = [rng.integers(0, 255, (h // 8, w // 8, 3), dtype=np.uint8) for h, w in SIZES]
    return [np.ascontiguousarray(block.repeat(8, 0).repeat(8, 1)) for block in blocks]


def _scores(model: Model, road: Road, shown: Sequence[Any]) -> list[float]:
    questions = [prompt(question, options) for question, options, _ in QUESTIONS]
    rows = model.score_by(road, questions, [options for _, options, _ in QUESTIONS], shown)
    return [score for row in rows for score in row]


def _takes_images(model: Model, image: Any) -> None:
    """Raises Unavailable where nothing of an image reaches the model, as with a tokenizer alone, which ignores it."""
    question = prompt(*QUESTIONS[0][:2])
    seen, blind = (
        model.chat.encode([model.chat.text(question, with_image=shown is not None)], [shown]) for shown in (image, None)
    )
    if not seen.keys() - blind.keys():
        raise Unavailable(f"{model.name}: its processor takes no images; it is a language model, which is for --lm")


def _same_prompt(model: Model, image: Any) -> None:
    """Raises Unavailable where our prompt is not what the processor's own template gives, but for a thought that is closed."""
    question = prompt(*QUESTIONS[0][:2])
    official = model.chat.official(question, image)
    if official is None:
        return
    text = model.chat.text(question, with_image=image is not None)
    ours = model.chat.encode([text], [image])["input_ids"][0].tolist()
    if ours[: len(official)] != official:
        raise Unavailable(f"{model.name}: its prompt is not tokenized as its own chat template says; it is not used")


def _reason(error: Exception) -> str:
    if isinstance(error, scoring.NotShared):
        return "does not share a prefix"
    return f"{type(error).__name__}: {' '.join(str(error).split())[:200]}"
