"""What colour a thing is: three-valued, from the pixels well inside its mask, with the names that people give to colours."""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cache, lru_cache

import cv2
import msgspec
import numpy as np
from numpy.typing import NDArray

from pstgen.core import resources
from pstgen.core.memo import cache_last
from pstgen.core.records import Instance, Scene, Truth, unknown
from pstgen.scenes import pixels, vocabulary
from pstgen.scenes.truth import layout

NAMES = ("red", "orange", "yellow", "green", "blue", "purple", "pink", "brown", "black", "white", "grey")
ACHROMATIC = NAMES[8:]
PLAIN = NAMES[
    :7
]  # hues that pixels alone may show; brown is orange or red in shade, and warm light turns many things brown
NEAR = {  # names that people give to nearly the same colour
    "red": ("orange", "pink", "brown", "purple"),
    "orange": ("red", "yellow", "brown", "pink"),
    "yellow": ("orange", "brown", "green"),
    "green": ("yellow", "blue"),
    "blue": ("green", "purple"),
    "purple": ("blue", "pink"),
    "pink": ("red", "purple", "orange"),
    "brown": ("red", "orange", "yellow", "black", "grey"),
    "black": ("grey", "brown"),
    "white": ("grey", "yellow", "pink"),
    "grey": ("black", "white", "brown", "blue"),
}
MAX_NEAR = 0.03  # of a thing's pixels, that may be near a colour which it is said not to have
MAX_FAINT = 0.25  # of them, that may have that hue however weakly: to some people a pale or a dark blue is still blue
FAINT = 8.0  # CIELAB units of chroma: below it nobody sees a hue
NEIGHBOURS = 9  # names of the survey that vote for a colour
LEVELS = 32  # per channel, of the table from colour to name

MIN_CHROMA = 22.0  # CIELAB units: below it a pixel has no hue worth naming
MIN_LIGHT, MAX_LIGHT = 20.0, 97.0  # L*: darker is shade, brighter is glare
MID = (25.0, 95.0)  # L* of the pixels that show whether an image is tinted
ONE_HUE = 0.9  # of them within a twelfth of the hue circle either way: it is tinted
MIN_PIXELS = 150
MAX_SAMPLE = 12_000  # pixels: of a thing with more, a sample of at least as many is taken
MIN_USABLE = 0.55  # of the mask, that has hue and light enough
MIN_SHARE, MIN_LEAD = 0.65, 0.4  # of the usable pixels: the first name, and its lead over the second
MIN_CAPTIONED = 0.35  # of the mask, that must show the colour a caption names
SHADED = {"white": ("grey",)}  # what a colour looks like in shade
BETWEEN = r"(?!(?:in|on|at|of|with|by|to|from|near|next|for|is|are|and|the|an?|his|her|its|their)\b)[\w-]+"


class Survey(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """data_sources/colour_names.yaml: categories that are not asked about, by reason; hexadecimal sRGB values of each basic colour term."""

    not_asked: dict[str, tuple[str, ...]]
    survey: dict[str, str]


@cache
def survey() -> Survey:
    """The colour names."""
    return resources.read("data_sources", "colour_names", Survey)


@cache
def not_asked() -> frozenset[str]:
    """Categories whose colour has no plain answer on photographs."""
    return frozenset(name for names in survey().not_asked.values() for name in names)


@dataclass(frozen=True)
class Appearance:
    """What is known of a thing's colour.

    name: its colour. shares: of its pixels, by name; faint: the same of those with any hue at all, however weak. captioned:
    the colours that captions give it.
    """

    name: Truth
    shares: Mapping[str, float] = field(default_factory=dict)
    faint: Mapping[str, float] = field(default_factory=dict)
    captioned: frozenset[str] = frozenset()

    def shows(self, colour: str) -> Truth:
        """Is it of that colour? No, where another is known, or where hardly any pixel is near it and no caption names it."""
        if self.name.known:
            return Truth("yes" if self.name.answer == colour else "no")
        if not self.shares or colour in self.captioned:
            return self.name
        near = sum(self.shares[name] for name in (colour, *NEAR[colour]))
        denied = near < MAX_NEAR and self.faint[colour] < MAX_FAINT
        return Truth("no") if denied else self.name


def appearance(thing: Instance, scene: Scene) -> Appearance:
    """A thing's colour: what the source knows, else what its pixels and the captions show.

    Pixels alone show a plain hue, where most of them have light and chroma enough and one name wins clearly. Where the
    captions give one colour to the noun, it is known if more pixels show it than any other; brown, black, white and grey
    are known in no other way. Where captions or pixels disagree, it is unknown.
    """
    known = _known(scene)
    if id(thing) not in known:
        known[id(thing)] = thing, _appearance(thing, scene)
    return known[id(thing)][1]


@cache_last
def _known(scene: Scene) -> dict[int, tuple[Instance, Appearance]]:  # noqa: ARG001 (one dictionary a scene)
    """Appearances of a scene's things so far, by the things' identity."""
    return {}


def _appearance(thing: Instance, scene: Scene) -> Appearance:
    if thing.colour:
        return Appearance(Truth(thing.colour))
    if reason := _reason_to_skip(thing, scene):
        return Appearance(unknown(reason))
    tinted, gain = _light(scene)
    if tinted:
        return Appearance(unknown("greyscale or tinted image"))
    rgb = _inner_pixels(thing, scene)
    if len(rgb) < MIN_PIXELS:
        return Appearance(unknown("too few pixels"))
    rgb = rgb[:: max(1, len(rgb) // MAX_SAMPLE)]
    captioned = caption_colours(thing.category, scene)
    shares, faint = _shares((rgb * gain).clip(0, 255).astype(np.uint8))
    if len(captioned) > 1:
        name = unknown("captions name several colours")
    else:
        name = _agreed(next(iter(captioned)), shares) if captioned else _plain(shares)
    return Appearance(name, shares, faint, captioned)


def _reason_to_skip(thing: Instance, scene: Scene) -> str:
    """Why its pixels cannot show its colour, or ""."""
    if scene.complete:
        return "of no one colour"
    return "tiny, or without a mask" if layout.is_tiny(thing, scene) or not thing.rle else ""


def _agreed(captioned: str, shares: dict[str, float]) -> Truth:
    """The caption's colour, if the pixels show it more than any other; in shade it may look like another."""
    own = {captioned, *SHADED.get(captioned, ())}
    shown = sum(shares[name] for name in own)
    if (
        shown > MIN_CAPTIONED
        and shares[captioned] > MIN_CAPTIONED / 2
        and shown > max(shares[name] for name in NAMES if name not in own)
    ):
        return Truth(captioned)
    return unknown("captions and pixels disagree")


def _plain(shares: dict[str, float]) -> Truth:
    """The hue that wins clearly among the pixels that have one, if most pixels do."""
    coloured = sum(share for colour, share in shares.items() if colour not in ACHROMATIC)
    if coloured < MIN_USABLE:
        return unknown("no clear hue")
    second, first = sorted((c for c in shares if c not in ACHROMATIC), key=shares.__getitem__)[-2:]
    if shares[first] < MIN_SHARE * coloured or shares[first] - shares[second] < MIN_LEAD * coloured:
        return unknown("more than one colour")
    return Truth(first) if first in PLAIN else unknown("brown, and no caption says so")


def _shares(rgb: NDArray[np.uint8]) -> tuple[dict[str, float], dict[str, float]]:
    """Of (N, 3) pixels, the share that has each name, and the share that has its hue, however weakly.

    Pixels between grey and coloured, and glare, have no name; black is what is dark and has no hue.
    """
    lab = _lab(rgb)
    chroma, light = np.hypot(lab[:, 1], lab[:, 2]), lab[:, 0]
    coloured = (chroma > MIN_CHROMA) & (light > MIN_LIGHT) & (light < MAX_LIGHT)
    plain = chroma < MIN_CHROMA / 2
    dark, bright = (light < 30) & ~coloured, light > 72
    shades = {"black": dark, "grey": plain & ~dark & ~bright, "white": plain & bright}
    shares = _named(rgb, coloured) | {name: float(where.mean()) for name, where in shades.items()}
    return shares, _named(_vivid(lab), chroma > FAINT)


def _named(rgb: NDArray[np.uint8], where: NDArray[np.bool_]) -> dict[str, float]:
    """The share of all pixels that lie in `where` and have each name by the table."""
    red, green, blue = (rgb[where] // (256 // LEVELS)).T.astype(np.intp)
    names = _table().take((red * LEVELS + green) * LEVELS + blue)
    return dict(zip(NAMES, (np.bincount(names, minlength=len(NAMES)) / len(rgb)).tolist(), strict=True))


def _vivid(lab: NDArray[np.float32]) -> NDArray[np.uint8]:
    """The same hues at medium lightness and clear chroma, as (N, 3) sRGB."""
    chroma = np.hypot(lab[:, 1], lab[:, 2]).clip(1e-6)[:, None]
    vivid = np.concatenate([np.full_like(chroma, 55), lab[:, 1:] / chroma * 45], axis=1, dtype=np.float32)
    rgb = cv2.cvtColor(vivid[None], cv2.COLOR_LAB2RGB)[0]
    return np.asarray(np.rint(rgb.clip(0, 1) * 255), dtype=np.uint8)


def caption_colours(category: str, scene: Scene) -> frozenset[str]:
    """Colours that captions give to the noun: "a red car", "a red and white bus", "the car is red"."""
    nouns = "|".join(sorted(map(re.escape, vocabulary.names(category)), key=len, reverse=True))
    colours = "|".join((*NAMES, "gray"))
    before = re.compile(rf"\b(?:{colours})\b(?:[\s,]+(?:and[\s]+)?{BETWEEN}){{0,2}}?[\s,]+(?:{nouns})\b")
    after = re.compile(rf"\b(?:{nouns})\b(?:\s+\w+)?\s+(?:is|are)\s+(?:\w+\s+)?(?:{colours})\b")
    phrases = (
        match[0] for caption in scene.captions for rule in (before, after) for match in rule.finditer(caption.lower())
    )
    return frozenset(
        colour.replace("gray", "grey") for phrase in phrases for colour in re.findall(rf"\b({colours})\b", phrase)
    )


def is_mentioned(caption: str) -> bool:
    """Does the caption name any colour at all?"""
    return vocabulary.names_any((*NAMES, "gray", "silver", "gold", "golden", "colorful", "colourful"), caption)


def share(rgb: NDArray[np.uint8], name: str) -> float:
    """Of (N, 3) sRGB pixels that have hue and light enough, the share that has that name."""
    shares, _ = _shares(rgb)
    return shares[name] / max(1e-6, sum(shares[plain] for plain in NAMES if plain not in ACHROMATIC))


@cache
def focal(name: str) -> NDArray[np.float32]:
    """(3,) CIELAB: the median of the colours that people give this name."""
    codes = [list(bytes.fromhex(code)) for code in survey().survey[name].split()]
    return np.asarray(np.median(_lab(np.array(codes, np.uint8)), axis=0), dtype=np.float32)


def has_one_hue(image: NDArray[np.uint8]) -> bool:
    """Is the image greyscale, sepia or tinted: does nearly all of it have the same hue?"""
    lab = _lab(image[::4, ::4].reshape(-1, 3))
    lab = lab[(lab[:, 0] > MID[0]) & (lab[:, 0] < MID[1])]
    if not len(lab):
        return True
    spread = np.hypot(lab[:, 1] - np.median(lab[:, 1]), lab[:, 2] - np.median(lab[:, 2]))
    if np.quantile(spread, 0.98) < 6:
        return True
    hue = np.arctan2(lab[:, 2], lab[:, 1])[np.hypot(lab[:, 1], lab[:, 2]) > MIN_CHROMA / 2]
    if len(hue) < ONE_HUE * len(lab):
        return False
    middle = np.angle(np.exp(1j * hue).mean())
    return bool((np.abs(np.angle(np.exp(1j * (hue - middle)))) < np.pi / 6).mean() > ONE_HUE)


def _inner_pixels(thing: Instance, scene: Scene) -> NDArray[np.uint8]:
    """(N, 3) of a thing, without its rim; nothing outside of the mask's box is touched."""
    mask = pixels.mask(thing, scene)
    x, y, width, height = cv2.boundingRect(mask.view(np.uint8))
    within = np.s_[y : y + height, x : x + width]
    return pixels.image(scene)[within][_inner(mask[within])] if width else np.empty((0, 3), np.uint8)


def _inner(mask: NDArray[np.bool_]) -> NDArray[np.bool_]:
    """The mask without its rim, a twentieth of its width, whose pixels are mixed with what lies behind."""
    rim = max(1, int(mask.sum() ** 0.5 / 20))
    kernel = np.ones((2 * rim + 1, 2 * rim + 1), np.uint8)
    return np.asarray(cv2.erode(mask.astype(np.uint8), kernel, borderValue=0), dtype=bool)


def _light(scene: Scene) -> tuple[bool, NDArray[np.float64]]:
    """Is the image tinted, and by what factor does each channel reach its own white?"""
    pixels.image(scene)  # raises where the file does not fit the annotation
    return _light_of(scene.path)


@lru_cache(maxsize=8)
def _light_of(path: str) -> tuple[bool, NDArray[np.float64]]:
    """White is the brightest percent; the gain is at most a quarter."""
    image = pixels.read(path)
    white = np.quantile(image[::4, ::4].reshape(-1, 3), 0.99, axis=0).clip(1)
    return has_one_hue(image), (white.max() / white).clip(0.8, 1.25)


def _lab(rgb: NDArray[np.uint8]) -> NDArray[np.float32]:
    """(N, 3) uint8 sRGB to CIELAB, D65: L* 0 to 100."""
    lab = cv2.cvtColor(rgb.reshape(1, -1, 3).astype(np.float32) / 255, cv2.COLOR_RGB2LAB)
    return np.asarray(lab[0], dtype=np.float32)


@cache
def _table() -> NDArray[np.int64]:
    """(32, 32, 32) the index in NAMES of every colour: the survey's nearest names in CIELAB vote, and the nearer count for more."""
    from scipy.spatial import cKDTree

    terms = [
        (NAMES.index(term), bytes.fromhex(code)) for term, codes in survey().survey.items() for code in codes.split()
    ]
    labels = np.array([term for term, _ in terms])
    tree = cKDTree(_lab(np.array([list(code) for _, code in terms], np.uint8)))
    centres = (np.arange(LEVELS) * (256 // LEVELS) + 128 // LEVELS).astype(np.uint8)
    grid = np.stack(np.meshgrid(centres, centres, centres, indexing="ij"), axis=-1).reshape(-1, 3)
    distance, nearest = tree.query(_lab(grid), k=NEIGHBOURS)
    votes = np.zeros((len(grid), len(NAMES)))
    np.add.at(votes, (np.arange(len(grid))[:, None], labels[nearest]), 1 / (distance + 1))
    return np.asarray(votes.argmax(axis=1).reshape(LEVELS, LEVELS, LEVELS), dtype=np.int64)
