"""What goes to an OpenAI-compatible server and comes back: an image as text, a reply's words and log-probabilities."""

import base64
import io
from collections.abc import Sequence
from typing import Annotated, Any

import msgspec
import numpy as np

MARGIN = 1.0  # nats: how far below the least likely listed token a letter that is not listed is taken to be
SPACES = " ▁Ġ"  # before a token: as text, or as tokenizers write it

Image = Any  # (H, W, 3) uint8


class Token(msgspec.Struct):
    """One that could have stood here."""

    token: str
    logprob: float


class _Position(msgspec.Struct):
    top_logprobs: list[Token] = []


class _Logprobs(msgspec.Struct):
    content: list[_Position] | None = None


class _Message(msgspec.Struct):
    content: str | None = None
    refusal: str | None = None


class _Choice(msgspec.Struct):
    message: _Message
    logprobs: _Logprobs | None = None


class Usage(msgspec.Struct):
    """Tokens, as the server counts them."""

    prompt_tokens: int = 0
    completion_tokens: int = 0


class Models(msgspec.Struct):
    """What /models answers."""

    data: list[dict[str, Any]] | None = None


class Reply(msgspec.Struct):
    """What is read of a chat completion; whatever else it has is ignored."""

    choices: Annotated[list[_Choice], msgspec.Meta(min_length=1)]
    model: str | None = None
    usage: Usage | None = None

    @property
    def text(self) -> str:
        """The answer or the refusal; "" where there is neither, as of a model that only thought."""
        message = self.choices[0].message
        return (message.content or message.refusal or "").strip()

    @property
    def first_tokens(self) -> list[Token]:
        """What could have been the answer's first token; none where the server does not say."""
        logprobs = self.choices[0].logprobs
        return logprobs.content[0].top_logprobs if logprobs and logprobs.content else []


def letter_scores(tokens: Sequence[Token], letters: Sequence[str]) -> tuple[float, ...]:
    """Log-probability of every letter: of all tokens together that are it, with or without a space before it.

    One that is not listed gets the smallest listed log-probability less `MARGIN`.

    >>> letter_scores([Token(" B", -0.25), Token("A", -2.0)], ("A", "B", "C"))
    (-2.0, -0.25, -3.0)
    """
    unlisted = min(token.logprob for token in tokens) - MARGIN
    listed = [[token.logprob for token in tokens if token.token.lstrip(SPACES) == letter] for letter in letters]
    return tuple(float(np.logaddexp.reduce(found)) if found else unlisted for found in listed)


def data_uri(image: Image) -> str:
    """The image as PNG, so that the server sees the same pixels."""
    from PIL import Image as Picture

    file = io.BytesIO()
    Picture.fromarray(image).save(file, "PNG")
    return f"data:image/png;base64,{base64.b64encode(file.getvalue()).decode()}"
