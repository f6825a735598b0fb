"""The records that stations pass on, in the order in which they come to be. Frozen, comparable, one definition each."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal, NamedTuple

import msgspec

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

Role = Literal["stress", "control"]
MATCHED = "matched"  # how twins were found that are two scenes of the source: nothing was edited


class Region(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """A box in pixels of the stored image: (x, y) is the top-left corner, origin at the top left."""

    x: float
    y: float
    width: float
    height: float

    @property
    def right(self) -> float:
        """The first column past the box."""
        return self.x + self.width

    @property
    def bottom(self) -> float:
        """The first row past the box."""
        return self.y + self.height

    @property
    def centre_x(self) -> float:
        """Horizontal middle, in pixels."""
        return self.x + self.width / 2

    @property
    def centre_y(self) -> float:
        """Vertical middle, in pixels."""
        return self.y + self.height / 2


class Keypoint(msgspec.Struct, frozen=True, gc=False):
    """A joint, in pixels. visibility is COCO's v: 0 not labelled, 1 labelled but hidden, 2 seen."""

    name: str
    x: float
    y: float
    visibility: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Instance:
    """One annotated thing. Its mask stays run-length bytes until pixels are asked for.

    rle: COCO's compressed run-length code of what is seen of it, at the size of the scene; b"" where there is none.
    full_rle: the same with what hides it taken away (amodal); b"" where the source does not know.
    area: pixels of the visible mask.
    keypoints: the 17 of COCO in their order, or none.
    colour: the basic colour name, where the source *knows* it (the built-in world); else "" and the pixels are asked.
    depth: metres from the camera, where the source knows it.
    text: what is written on it, where the source knows it.
    """

    id: int
    category: str
    region: Region
    area: float
    rle: bytes = b""
    full_rle: bytes = b""
    crowd: bool = False
    keypoints: tuple[Keypoint, ...] = ()
    colour: str = ""
    depth: float | None = None
    text: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Scene:
    """One image and all that is annotated of it.

    id: "<split>/<image id>", unique in its source.
    An edited one is called "<id>+<edit>": `origin` is what it was made from.
    path: the image file, "" where it is not at hand (then the scene can only feed the prior); depth_path: a 16-bit PNG of millimetres, 0 where unknown, or "".
    categories: everything that this source *would* have annotated.
    complete: is all that the image shows annotated (the built-in world), or may things be missing (photographs)?
    detected: categories that a detector detects at a low threshold; None where none was run.
    depth_model: what estimated the depth, where it is not exact.
    """

    id: str
    source: str
    path: str
    width: int
    height: int
    categories: tuple[str, ...] = ()
    instances: tuple[Instance, ...] = ()
    captions: tuple[str, ...] = ()
    depth_path: str = ""
    licence: str = ""
    complete: bool = False
    detected: tuple[str, ...] | None = None
    depth_model: str = ""


def origin(scene_id: str) -> str:
    """The scene of the source that this one is, or was made from.

    >>> origin("val2017/139+remove-3a")
    'val2017/139'
    """
    return scene_id.partition("+")[0]


class Truth(msgspec.Struct, frozen=True, gc=False):
    """An answer, or the reason why there is none. Unknown never becomes "no"."""

    answer: str | None
    reason: str = ""

    @property
    def known(self) -> bool:
        """Is there an answer?"""
        return self.answer is not None

    def agrees(self, answer: str) -> Truth:
        """Is it this answer?"""
        return Truth("yes" if self.answer == answer else "no") if self.known else self


def unknown(reason: str) -> Truth:
    """No answer, and why.

    >>> unknown("crowd").known
    False
    """
    return Truth(None, reason)


def both(a: Truth, b: Truth) -> Truth:
    """Are both yes? One no is enough for no, whatever the other is.

    >>> both(unknown("crowd"), Truth("no")).answer, both(unknown("crowd"), Truth("yes")).reason
    ('no', 'crowd')
    """
    if "no" in {a.answer, b.answer}:
        return Truth("no")
    return b if a.known else a


class Fact(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """Something true, false or unknown of a scene, with the instances that show it.

    form: which of the family's sentences asks it; about: the words that fill that sentence.
    evidence: ids of instances; none means that the whole image is the evidence (an absence).
    mark: a point (x, y) in pixels that is drawn into the image, since the question is about it.
    """

    scene_id: str
    family: str
    form: str
    about: tuple[str, ...]
    truth: Truth
    evidence: tuple[int, ...] = ()
    mark: tuple[float, float] | None = None

    @property
    def question(self) -> tuple[str, str, tuple[str, ...]]:
        """What twins must share: family, form and words."""
        return self.family, self.form, self.about


class Association(NamedTuple):
    """What the words add to an answer's log-odds, in nats, with its 95 % interval. n: how often the question was answered."""

    value: float
    low: float
    high: float
    n: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Candidate:
    """A pair on its way: facts with one question and different answers, and the lure between them.

    stress: one fact, or in a group one for each option but the lure. options: all that is offered, the lure and every
    answer among them; associations: what the words add to each. model_pulls: what models say that they add to the lure, by
    model, in nats. scenes: those of the facts that are no scene of the source but were made from one.
    """

    pair_id: str
    control: Fact
    stress: tuple[Fact, ...]
    options: tuple[str, ...]
    associations: tuple[Association, ...]
    twin: str = MATCHED
    scenes: tuple[Scene, ...] = ()
    model_pulls: tuple[tuple[str, float], ...] = ()

    @property
    def facts(self) -> tuple[Fact, ...]:
        """All twins, the control last."""
        return *self.stress, self.control

    @property
    def lure(self) -> str:
        """The answer that the words suggest: right for the control twin, wrong for the stress twins."""
        return str(self.control.truth.answer)

    @property
    def association(self) -> Association:
        """What the words add to the log-odds of the lure."""
        return self.associations[self.options.index(self.lure)]

    @property
    def pull(self) -> float:
        """The same in nats, without its interval."""
        return self.association.value


@dataclass(frozen=True, slots=True, kw_only=True)
class Item:
    """One question about one image.

    neutral: the same question asked plainly. difficulty: the pair's pull. pull_counts: the same with its interval; pull_lm,
    pull_vlm: what a model says that the words add to the lure, in nats; None where none was asked.
    image: the file to look at; a judge that is blind never opens it. mark: a point of it (x, y), in pixels, that is
    marked. label: what is written into it, to mislead.
    """

    item_id: str
    pair_id: str
    role: Role
    scene_id: str
    image: str
    family: str
    form: str
    about: tuple[str, ...]
    frame: str
    question: str
    neutral: str
    options: tuple[str, ...]
    answer: str
    lure: str
    twin: str = MATCHED
    difficulty: float = 0.0
    pull_counts: Association | None = None
    pull_lm: float | None = None
    pull_vlm: float | None = None
    evidence: tuple[int, ...] = ()
    mark: tuple[float, float] | None = None
    label: str = ""

    @property
    def answer_index(self) -> int:
        """Where the answer stands among the options, from 0."""
        return self.options.index(self.answer)


@dataclass(frozen=True, slots=True)
class Pair:
    """Items with one text and one set of options about different images.

    stress: items for which the lure is wrong: one, or in a group one for every other option. control: the item for which
    the lure is right. What they share is read from the control item.
    """

    stress: tuple[Item, ...]
    control: Item

    @property
    def items(self) -> tuple[Item, ...]:
        """All twins, the control last."""
        return *self.stress, self.control

    @property
    def direction(self) -> str:
        """Of yes and no, the lure; of numbers, whether all stress twins show "more" than it says, or all "fewer"; else ""."""
        if set(self.options) == {"yes", "no"}:
            return self.lure
        if all(option.isdecimal() for option in self.options):
            more = {int(item.answer) > int(self.lure) for item in self.stress}
            return "more" if more == {True} else "fewer" if more == {False} else ""
        return ""

    @property
    def pair_id(self) -> str:
        """The name of the pair."""
        return self.control.pair_id

    @property
    def family(self) -> str:
        """The family of its question."""
        return self.control.family

    @property
    def question(self) -> str:
        """The text that all twins share."""
        return self.control.question

    @property
    def options(self) -> tuple[str, ...]:
        """The answers that all twins offer, in one order."""
        return self.control.options

    @property
    def lure(self) -> str:
        """The answer that the words suggest."""
        return self.control.lure

    def map(self, change: Callable[[Item], Item]) -> Pair:
        """The pair with every item changed."""
        return Pair(tuple(map(change, self.stress)), change(self.control))


@dataclass(frozen=True, slots=True, kw_only=True)
class Target:
    """What the eye should see, as pixels at the size of the image; the array is read-only.

    kind: the file in targets/ that drew it.
    pixels: (H, W) uint8 (mask: 0 or 255; keypoints, region: 0 to 255) or uint16 (depth: millimetres, 0 unknown).
    """

    kind: str
    pixels: NDArray[np.uint8] | NDArray[np.uint16]


@dataclass(frozen=True, slots=True, kw_only=True)
class Verdict:
    """What one judge made of one item: log-probability of every option, in the item's order.

    logprobs: () where the judge named none of the options, or several. calibrated: the same after a blind model's habits
    are taken away, and what decides; () where that was not done.
    """

    item_id: str
    judge: str
    logprobs: tuple[float, ...]
    calibrated: tuple[float, ...] = ()

    @property
    def choice(self) -> int | None:
        """Index of the likeliest option; the first one wins a tie. None where the answer is invalid.

        >>> Verdict(item_id="a", judge="prior", logprobs=(-2.0, -0.1)).choice
        1
        """
        decisive = self.calibrated or self.logprobs
        return max(range(len(decisive)), key=decisive.__getitem__, default=None)


@dataclass(frozen=True, slots=True, kw_only=True)
class Score:
    """One judge's answer to one wording.

    item_id: the twin whose image was seen; "" where the judge got only the words, which twins share. choice: "" where the
    answer was invalid. kept: is this wording of this pair in the dataset?
    """

    pair_id: str
    options: tuple[str, ...]
    item_id: str
    frame: str
    question: str
    lure: str
    judge: str
    logprobs: tuple[float, ...]
    calibrated: tuple[float, ...]
    choice: str
    kept: bool


class BadInput(Exception):
    """The user's files or words are wrong; the message names the file, the record and the remedy."""


class Unavailable(Exception):
    """The surroundings do not allow it: no room on the disk, no network, a model that does not load."""


class TooLarge(Unavailable):
    """A model that does not fit the memory of this machine."""
