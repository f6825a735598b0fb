"""A full-size stand-in for COCO 2017, made on this machine, and the README's commands on it, by the letter.

`python benchmarks/dress_rehearsal.py [--scale 1.0] [--keep DIR] [--table FILE.md]`

It makes val2017.zip (5,000 JPEGs) and annotations_trainval2017.zip (all six files at about their true sizes), serves them
from 127.0.0.1, and runs fetch, priors, build, verify and show from a copy of this checkout with an empty home. It prints
time, peak memory (of the process tree, sampled) and outcome of each; the exit code is 1 if any of them failed.
`--scale 0.02` makes 100 + 2,366 images. With `--keep`, DIR holds the archives, which are used again if the scale is the
same, and the files of the last run; without it, only the logs of a failed run stay.

What the images show follows coco_statistics.json: counts over COCO's annotations (CC BY 4.0, COCO Consortium). From
train2014: how many images show each category, and each two; from val2017: how many instances of a category an image has.
Shapes, sizes, colours and captions are invented. The same scale gives the same archives.
"""

import argparse
import io
import json
import multiprocessing
import os
import random
import re
import shutil
import subprocess
import sys
import tempfile
import threading
import time
import zipfile
from collections.abc import Iterable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from functools import cache, partial
from hashlib import file_digest
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from itertools import pairwise
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import psutil
import yaml
from numpy.typing import NDArray
from PIL import Image
from scipy.stats import norm

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]
Flags = NDArray[np.bool_]
Mask = NDArray[np.uint8]

CHECKOUT = Path(__file__).parents[1]
RECIPE = 1  # of the archives; raise it when their content changes, so that kept ones are made again
SEED = 2017
CORES = os.cpu_count() or 1
STEP = 1.0  # seconds between two samples of memory
MADE = 1_504_224_000  # when every file in the archives was made, seconds since 1970
LEVEL = 4  # of compression

# ---- What COCO is like


@dataclass(frozen=True)
class Totals:
    """Of a split. chunk: images that one worker draws at a time."""

    images: int
    instances: int
    captions: int
    chunk: int

    def scaled(self, scale: float) -> "Totals":
        images, instances, captions = (max(1, round(scale * n)) for n in (self.images, self.instances, self.captions))
        return Totals(images, instances, max(captions, 5 * images), self.chunk)


SPLITS = {"val2017": Totals(5_000, 36_781, 25_014, 50), "train2017": Totals(118_287, 860_001, 591_753, 1_000)}
LAST_ID = 581_929  # of an image
UNANNOTATED = 0.009  # of the images
SIZES = {  # width, height: percent of the images
    (640, 480): 34, (480, 640): 10, (640, 427): 14, (640, 426): 9, (640, 428): 6, (427, 640): 5, (426, 640): 3,
    (500, 375): 4, (375, 500): 3, (500, 333): 3, (640, 424): 3, (640, 360): 3, (612, 612): 2, (640, 640): 1,
}  # fmt: skip
GREYSCALE = 1 / 500  # of the images
MOST = 14  # instances of a category in an image; of more, COCO's annotators made a crowd
CROWDED, CROWDS = 5, 0.19  # where there are so many, this share has a crowd among them
SOMETHING_LARGE = 0.75  # of the images, at least
TWO_POLYGONS = 0.09  # of the larger things: something stands before them
TRIES = 6  # places that a thing is tried at, to overlap little

SMALL = {
    "sports ball", "frisbee", "fork", "knife", "spoon", "mouse", "remote", "cell phone", "traffic light", "bottle", "cup",
    "book", "tie", "handbag", "backpack", "baseball glove", "baseball bat", "kite", "skis", "wine glass", "toothbrush",
    "bird", "boat", "car", "clock", "apple", "orange", "carrot",
}  # fmt: skip
LARGE = {
    "bed", "pizza", "train", "bus", "airplane", "elephant", "cat", "dog", "bear", "toilet", "couch", "dining table", "giraffe",
    "zebra", "horse", "motorcycle", "laptop", "teddy bear", "sandwich", "hot dog", "cake", "stop sign", "fire hydrant",
    "refrigerator", "oven",
}  # fmt: skip
HIGH = {"kite", "airplane", "bird", "traffic light", "clock", "stop sign", "umbrella", "frisbee"}
LOW = {"dining table", "bench", "skateboard", "skis", "surfboard", "couch", "snowboard", "bowl", "dog", "suitcase"}
INDOORS = {"kitchen", "food", "furniture", "electronic", "appliance", "indoor"}  # supercategories

COLOURS = {  # sRGB; percent of the things that have no typical colour
    "red": ((200, 28, 30), 13), "orange": ((243, 126, 22), 4), "yellow": ((248, 216, 40), 8), "green": ((45, 150, 55), 10),
    "blue": ((38, 88, 205), 14), "purple": ((128, 45, 165), 3), "pink": ((242, 125, 180), 4), "brown": ((122, 76, 40), 12),
    "black": ((24, 24, 26), 14), "white": ((240, 240, 238), 12), "grey": ((128, 128, 130), 6),
}  # fmt: skip
TYPICAL = {  # the colour of three in four
    "fire hydrant": "red", "stop sign": "red", "apple": "red", "banana": "yellow", "orange": "orange", "carrot": "orange",
    "broccoli": "green", "potted plant": "green", "elephant": "grey", "bear": "brown", "teddy bear": "brown",
    "horse": "brown", "sheep": "white", "cow": "brown", "toilet": "white", "sink": "white", "refrigerator": "white",
    "tie": "blue", "bus": "red", "umbrella": "black", "keyboard": "black", "surfboard": "white", "tennis racket": "black",
    "couch": "brown", "bench": "brown", "dog": "brown", "train": "yellow", "tv": "black",
}  # fmt: skip
PATTERNED = {"person", "zebra", "giraffe"}  # never of one colour
NOISE, QUALITY = 15.0, 94  # grey levels and JPEG quality: about 160 KB a picture

NOUNS = {  # singular and plural, where they are not the category's name and that with an s
    "person": ("man", "people"), "dining table": ("table", "tables"), "tv": ("television", "televisions"),
    "skis": ("pair of skis", "pairs of skis"), "sports ball": ("ball", "balls"), "knife": ("knife", "knives"),
    "scissors": ("pair of scissors", "pairs of scissors"), "sheep": ("sheep", "sheep"), "mouse": ("mouse", "mice"),
    "broccoli": ("piece of broccoli", "pieces of broccoli"), "hair drier": ("hair dryer", "hair dryers"),
}  # fmt: skip
PEOPLE = ("man", "woman", "person", "boy", "girl")
NUMBERS = {2: ("two", "a couple of"), 3: ("three",), 4: ("four",)}
MANY = ("several", "a group of", "many")
INSIDE = ("in the middle of a room", "inside a small house", "in front of a white wall", "by a large window", "indoors")
OUTSIDE = (
    "outside on a sunny day",
    "in the open air",
    "on the dry ground",
    "in front of some trees",
    "on a cloudy day",
)
EMPTY = (
    "A view of a field with hills far away.", "A large empty field under a cloudy sky.", "Some trees on a hillside.",
    "A quiet place with nobody around.", "An old photo of a landscape.",
)  # fmt: skip
WORDINGS = (  # with a second thing, and without
    ("{main} next to {other} {where}.", "{main} {where}."),
    ("A view of {main} and {other} {where}.", "A close up view of {main} {where}."),
    ("{main} near {other} {where}.", "There {be} {main} shown in this picture."),
    ("{main} with {other} in the background.", "{main} can be seen {where}."),
    ("a picture of {main} beside {other} {where}", "a picture of {main} {where}"),
)

JOINTS = (
    "nose", "left_eye", "right_eye", "left_ear", "right_ear", "left_shoulder", "right_shoulder", "left_elbow",
    "right_elbow", "left_wrist", "right_wrist", "left_hip", "right_hip", "left_knee", "right_knee", "left_ankle",
    "right_ankle",
)  # fmt: skip
SKELETON = (
    (16, 14), (14, 12), (17, 15), (15, 13), (12, 13), (6, 12), (7, 13), (6, 7), (6, 8), (7, 9), (8, 10), (9, 11), (2, 3),
    (1, 2), (1, 3), (2, 4), (3, 5), (4, 6), (5, 7),
)  # fmt: skip
BODY = (  # shares of the box, of somebody who faces the camera with hanging arms
    (.5, .1), (.53, .08), (.47, .08), (.57, .09), (.43, .09), (.66, .22), (.34, .22), (.71, .36), (.29, .36),
    (.73, .49), (.27, .49), (.58, .52), (.42, .52), (.58, .73), (.42, .73), (.58, .93), (.42, .93),
)  # fmt: skip
ARMS = (  # elbow and wrist of an arm that hangs, is raised, is bent
    ((0.71, 0.36), (0.73, 0.49)),
    ((0.76, 0.12), (0.7, 0.02)),
    ((0.76, 0.37), (0.58, 0.27)),
)
POSED = 0.93  # of the people that are not small have labelled keypoints

INFO = {
    "description": "A stand-in for the COCO 2017 Dataset", "url": "http://cocodataset.org", "version": "1.0",
    "year": 2017, "contributor": "pstgen, benchmarks/dress_rehearsal.py", "date_created": "2017/09/01",
}  # fmt: skip
LICENCES = (
    ("creativecommons.org/licenses/by-nc-sa/2.0/", "Attribution-NonCommercial-ShareAlike License"),
    ("creativecommons.org/licenses/by-nc/2.0/", "Attribution-NonCommercial License"),
    ("creativecommons.org/licenses/by-nc-nd/2.0/", "Attribution-NonCommercial-NoDerivs License"),
    ("creativecommons.org/licenses/by/2.0/", "Attribution License"),
    ("creativecommons.org/licenses/by-sa/2.0/", "Attribution-ShareAlike License"),
    ("creativecommons.org/licenses/by-nd/2.0/", "Attribution-NoDerivs License"),
    ("flickr.com/commons/usage/", "No known copyright restrictions"),
    ("www.usa.gov/copyright.shtml", "United States Government Work"),
)


@dataclass(frozen=True)
class Statistics:
    """coco_statistics.json.

    categories: the 80 rows of COCO's files. shown: (80,) share of the images. together: (80, 80) likewise, diagonal 0.
    mean, single: (80,) over the images that show one: how many they show, and the share that shows just one.
    """

    categories: list[dict[str, Any]]
    shown: Floats
    together: Floats
    mean: Floats
    single: Floats

    @property
    def names(self) -> list[str]:
        return [category["name"] for category in self.categories]


@cache
def statistics() -> Statistics:
    read = json.loads(Path(__file__).with_name("coco_statistics.json").read_bytes())
    together = np.zeros((len(read["shown"]),) * 2)
    together[np.triu_indices(len(together), 1)] = [count for row in read["together"] for count in row]
    return Statistics(
        categories=read["categories"],
        shown=np.array(read["shown"]) / read["images"],
        together=(together + together.T) / read["images"],
        mean=np.array(read["mean"]),
        single=np.array(read["single"]),
    )


# ---- What an image shows


@dataclass(frozen=True)
class Cooccurrence:
    """An image shows the categories at which a normal vector exceeds its thresholds (a Gaussian copula).

    threshold: (80,). root: (80, 80), a square root of the vector's correlations.
    """

    threshold: Floats
    root: Floats

    def sets(self, standard: Floats) -> Flags:
        """(n, 80) of n standard normal vectors: which categories are shown. Images without any are left out."""
        sets = standard @ self.root.T > self.threshold
        return sets[sets.any(axis=1)]


def fit(rounds: int = 6, images: int = 30_000) -> Cooccurrence:
    """Fit shares of categories and of pairs among the images that show anything, correcting both by the last round's."""
    stats = statistics()
    standard = np.random.default_rng(SEED).standard_normal((images, len(stats.shown)))
    shown, together = stats.shown.copy(), stats.together.copy()
    for _ in range(rounds):
        threshold = norm.isf(shown)
        model = Cooccurrence(threshold, _root(_correlations(threshold, together - np.outer(shown, shown))))
        sets = model.sets(standard).astype(np.float64)
        shown *= (stats.shown / sets.mean(axis=0).clip(1e-5)).clip(0.7, 1.4)
        together *= ((stats.together + 2e-5) / (sets.T @ sets / len(sets) + 2e-5)).clip(0.5, 2)
    return model


def _correlations(threshold: Floats, excess: Floats) -> Floats:
    """(80, 80) correlations at which two coordinates exceed their thresholds together by `excess` more than by chance.

    That is the density at the two thresholds, integrated over the correlation from 0 on (Plackett 1954); by bisection.
    """
    nodes, weights = np.polynomial.legendre.leggauss(8)
    one, other = np.triu_indices(len(threshold), 1)
    a, b, wanted = threshold[one, None], threshold[other, None], excess[one, other]
    low, high = np.full(len(one), -0.95), np.full(len(one), 0.95)
    for _ in range(12):
        middle = (low + high) / 2
        r = middle[:, None] * (nodes + 1) / 2
        density = np.exp(-(a * a - 2 * r * a * b + b * b) / (2 * (1 - r * r))) / (2 * np.pi * np.sqrt(1 - r * r))
        more = (density @ weights) * middle / 2 < wanted
        low, high = np.where(more, middle, low), np.where(more, high, middle)
    correlations = np.eye(len(threshold))
    correlations[one, other] = correlations[other, one] = low
    return correlations


def _root(correlations: Floats) -> Floats:
    """A square root of them, negative eigenvalues cut off."""
    values, vectors = np.linalg.eigh(correlations)
    root = vectors * np.sqrt(values.clip(0))
    return root / np.linalg.norm(root, axis=1, keepdims=True)


@dataclass(frozen=True)
class Images:
    """Images of a split and what they show: one cell for every category of an image, in the order of the images.

    ids: (images,). size: (images, 2) width and height. captions: (images,) how many. owner: (cells,) index of the image.
    category: (cells,) index. count: (cells,) instances.
    """

    split: str
    ids: Ints
    size: Ints
    captions: Ints
    owner: Ints
    category: Ints
    count: Ints


def draw_images(split: str, totals: Totals, ids: Ints, model: Cooccurrence) -> Images:
    """Draw what every image shows, with exactly so many instances and captions in all."""
    rng = np.random.default_rng([SEED, list(SPLITS).index(split), totals.images])
    owner, category = np.nonzero(_sets(totals.images, model, rng))
    captions = np.full(totals.images, 5)
    captions[rng.choice(totals.images, totals.captions - captions.sum(), replace=False)] += 1
    return Images(
        split=split,
        ids=ids,
        size=np.array(list(SIZES))[rng.choice(len(SIZES), totals.images, p=np.array([*SIZES.values()]) / 100)],
        captions=captions,
        owner=owner,
        category=category,
        count=_counts(category, totals.instances, rng),
    )


def _sets(images: int, model: Cooccurrence, rng: np.random.Generator) -> Flags:
    """(images, 80): which categories each shows; a few show none."""
    batches: list[Flags] = []
    while sum(map(len, batches)) < images:
        batches.append(model.sets(rng.standard_normal((20_000, len(model.threshold)))))
    sets = np.concatenate(batches)[:images]
    sets[rng.choice(images, round(UNANNOTATED * images), replace=False)] = False
    return sets


def _counts(category: Ints, instances: int, rng: np.random.Generator) -> Ints:
    """(cells,) one, or more with geometrically falling odds; then some more or fewer, to the total."""
    stats = statistics()
    beyond = ((stats.mean - stats.single) / (1 - stats.single) - 1).clip(1.01)
    single = rng.random(len(category)) < stats.single[category]
    count = np.where(single, 1, 1 + rng.geometric(1 / beyond[category])).clip(1, MOST)
    while missing := instances - int(count.sum()):
        cells = np.flatnonzero((count > 1) & (count < MOST))
        count[rng.choice(cells, min(abs(missing), len(cells) // 2), replace=False)] += np.sign(missing)
    return count


@dataclass(frozen=True)
class Chunk:
    """Images that one worker draws at a time; what came before them is counted, for ids. pictures: are JPEGs wanted?"""

    images: Images
    number: int
    instances_before: int
    captions_before: int
    pictures: bool


def chunks(images: Images, length: int, *, pictures: bool) -> Iterator[Chunk]:
    instances = np.concatenate([[0], np.cumsum(images.count)])
    captions = np.concatenate([[0], np.cumsum(images.captions)])
    for number, start in enumerate(range(0, len(images.ids), length)):
        low, high = np.searchsorted(images.owner, [start, start + length])
        part = Images(
            split=images.split,
            ids=images.ids[start : start + length],
            size=images.size[start : start + length],
            captions=images.captions[start : start + length],
            owner=images.owner[low:high] - start,
            category=images.category[low:high],
            count=images.count[low:high],
        )
        yield Chunk(part, number, int(instances[low]), int(captions[start]), pictures)


# ---- Where things are, and their outlines


@dataclass(frozen=True)
class Instances:
    """The instances of some images, in their order; coordinates are in hundredths of a pixel.

    cell, owner, category: (n,) indices. crowd: (n,). points: (p, 2). polygons: (m + 1,) where each polygon begins among the
    points. first: (n + 1,) where each instance begins among the polygons. box: (n, 4) x, y, width, height. area: (n,) pixels.
    """

    cell: Ints
    owner: Ints
    category: Ints
    crowd: Flags
    points: Ints
    polygons: Ints
    first: Ints
    box: Ints
    area: Floats

    def outline(self, n: int) -> list[Ints]:
        """The polygons of an instance, each (points, 2)."""
        ends = self.polygons[self.first[n] : self.first[n + 1] + 1].tolist()
        return [self.points[a:b] for a, b in pairwise(ends)]


def place_instances(images: Images, rng: np.random.Generator) -> Instances:
    """Place and outline everything that the images show."""
    cell = np.repeat(np.arange(len(images.count)), images.count)
    owner, category = images.owner[cell], images.category[cell]
    crowd = np.zeros(len(cell), dtype=bool)
    with_crowd = (images.count >= CROWDED) & (rng.random(len(images.count)) < CROWDS)
    crowd[np.cumsum(images.count)[with_crowd] - 1] = True
    size = images.size[owner]
    sides = _sides(category, crowd, images.count[cell], rng) * np.sqrt(size.prod(axis=1))[:, None]
    sides = np.minimum(_enlarged(sides, owner, size[:, 0], rng), 0.96 * size).clip(5)
    middle = _middles(owner, category, sides, size, rng)
    points, polygons, first = _outlines(middle, sides, category, rng)
    of = np.repeat(np.arange(len(cell)), np.diff(polygons[first]))
    points = points.clip(0, 100 * size[of])
    begin = polygons[first[:-1]]
    low, high = (ufunc.reduceat(points, begin) if len(begin) else points for ufunc in (np.minimum, np.maximum))
    box = np.concatenate([low, high - low], axis=1)
    return Instances(cell, owner, category, crowd, points, polygons, first, box, _areas(points, polygons, first))


def _sides(category: Ints, crowd: Flags, alike: Ints, rng: np.random.Generator) -> Floats:
    """(n, 2) width and height, shares of the image's mean side; where many are alike, each is smaller."""
    names = statistics().names
    usual = np.array([0.064 if name in SMALL else 0.36 if name in LARGE else 0.142 for name in names])[category]
    spread = np.where(usual > 0.3, 0.55, 0.8)
    side = usual * np.exp(spread * rng.standard_normal(len(category))) * alike**-0.3
    side = np.where(crowd, rng.uniform(0.25, 0.6, len(category)), side.clip(0.012, 0.95))
    upright = np.where(category == names.index("person"), -0.38, 0.1)
    stretch = np.exp(upright + np.where(crowd, 0.7, 0) + 0.22 * rng.standard_normal(len(category)))
    return np.stack([side * stretch, side / stretch], axis=1)


def _enlarged(sides: Floats, owner: Ints, width: Ints, rng: np.random.Generator) -> Floats:
    """The same sides, but in most images the largest thing is large."""
    area = sides.prod(axis=1)
    largest = np.lexsort((-area, owner))[np.flatnonzero(np.diff(owner, prepend=-1))]
    wanted = rng.uniform(0.2, 0.5, len(largest)) * width[largest]
    chosen = rng.random(len(largest)) < SOMETHING_LARGE
    sides[largest] *= np.where(chosen, (wanted / np.sqrt(area[largest])).clip(1), 1)[:, None]
    return sides


def _middles(owner: Ints, category: Ints, sides: Floats, size: Ints, rng: np.random.Generator) -> Floats:
    """(n, 2): the largest thing first, each at that of a few places where it overlaps least; some anywhere."""
    names = statistics().names
    power = np.array([2.2 if name in HIGH else 0.45 if name in LOW else 0.9 for name in names])[category]
    order = np.lexsort((-sides.prod(axis=1), owner))
    begin = np.flatnonzero(np.diff(owner, prepend=-1))
    rank = np.arange(len(owner)) - np.repeat(begin, np.diff([*begin, len(owner)]))
    ranks = int(rank.max(initial=-1)) + 1
    middle = np.zeros((len(owner), 2))
    placed = np.zeros((int(owner.max(initial=-1)) + 1, ranks, 4))
    for turn in range(ranks):  # one thing of every image at a time
        now = order[rank == turn]
        share = rng.random((len(now), TRIES, 2))
        share[..., 1] **= power[now, None]
        inner = 0.94 * sides[now, None]  # it may stick out of the image a little
        tried = inner / 2 + share * (size[now, None] - inner)
        boxes = np.concatenate([tried - sides[now, None] / 2, tried + sides[now, None] / 2], axis=2)[:, :, None]
        there = placed[owner[now], None, :turn]
        common = (np.minimum(boxes[..., 2:], there[..., 2:]) - np.maximum(boxes[..., :2], there[..., :2])).clip(0)
        best = np.where(rng.random(len(now)) < 0.12, 0, common.prod(axis=3).sum(axis=2).argmin(axis=1))
        middle[now] = tried[np.arange(len(now)), best]
        placed[owner[now], turn] = boxes[np.arange(len(now)), best, 0]
    return middle


def _outlines(middle: Floats, sides: Floats, category: Ints, rng: np.random.Generator) -> tuple[Ints, Ints, Ints]:
    """`points`, `polygons` and `first` of Instances: rounded or boxy shapes with bumps."""
    two = (rng.random(len(middle)) < TWO_POLYGONS) & (sides.min(axis=1) > 20)
    of = np.repeat(np.arange(len(middle)), 1 + two)
    first = np.concatenate([[0], np.cumsum(1 + two)])
    shift = np.where(two[of], np.where(np.diff(of, prepend=-1) == 0, 0.28, -0.28), 0)
    centre = middle[of] + np.stack([shift * sides[of, 0], np.zeros(len(of))], axis=1)
    radius = sides[of] / 2 * np.stack([np.where(two[of], 0.44, 1), np.ones(len(of))], axis=1)
    usual = np.where(category == 0, 33, 18.5)[of] * (radius.mean(axis=1) / 40).clip(0.4, 2.5) ** 0.35
    many = (
        np.rint(usual * np.exp(0.5 * rng.standard_normal(len(of))) / (1 + 0.5 * two[of])).astype(np.int64).clip(6, 90)
    )
    polygons = np.concatenate([[0], np.cumsum(many)])
    at = np.repeat(np.arange(len(of)), many)
    turn = 2 * np.pi * (np.arange(polygons[-1]) - polygons[at] + 0.4 * rng.random(polygons[-1])) / many[at]
    boxy = np.where(rng.random(len(of)) < 0.5, 2.0, 4.5)[at]
    reach = (np.abs(np.cos(turn)) ** boxy + np.abs(np.sin(turn)) ** boxy) ** (-1 / boxy)
    for waves, height in ((2, 0.06), (3, 0.06), (5, 0.05)):
        phase, depth = 2 * np.pi * rng.random(len(of)), height * rng.standard_normal(len(of))
        reach *= 1 + depth[at] * np.cos(waves * turn + phase[at])
    around = reach[:, None] * np.stack([np.cos(turn), np.sin(turn)], axis=1)
    return np.rint(100 * (centre[at] + radius[at] * around)).astype(np.int64), polygons, first


def _areas(points: Ints, polygons: Ints, first: Ints) -> Floats:
    """(n,) pixels, by the shoelace formula."""
    following = np.arange(1, len(points) + 1)
    following[polygons[1:] - 1] = polygons[:-1]
    x, y = points.T / 100
    cross = np.concatenate([[0], np.cumsum(x * y[following] - x[following] * y)])
    each = np.abs(np.diff(cross[polygons])) / 2
    return np.round(np.diff(np.concatenate([[0], np.cumsum(each)])[first]).clip(1), 4)


def keypoints(instances: Instances, people: Ints, rng: np.random.Generator) -> Ints:
    """(people, 17, 3) x, y, v; of small people, crowds and some others nothing is labelled."""
    n, joints = len(people), np.arange(len(JOINTS))
    place = np.repeat(np.array(BODY)[None], n, axis=0)
    arms = rng.choice(len(ARMS), (n, 2), p=(0.6, 0.15, 0.25))
    for side, arm in enumerate(([7, 9], [8, 10])):
        place[:, arm] = np.array(ARMS)[arms[:, side]]
        place[:, arm, 0] = np.abs(side - place[:, arm, 0])
    away = rng.random(n) < 0.25
    place[away, :, 0] = 1 - place[away, :, 0]
    place += 0.012 * rng.standard_normal(place.shape)
    visibility = rng.choice(3, (n, len(JOINTS)), p=(0.1, 0.1, 0.8))
    visibility[away, :3] = 0
    visibility[joints >= rng.choice((5, 9, 11, 13, len(JOINTS)), n, p=(0.08, 0.22, 0.2, 0.15, 0.35))[:, None]] = 0
    none = (instances.area[people] < 32**2) | instances.crowd[people] | (rng.random(n) > POSED)
    visibility[none] = 0
    box = instances.box[people, None] / 100
    xy = np.rint(box[..., :2] + box[..., 2:] * place.clip(0.02, 0.98))
    labelled = visibility[..., None] > 0
    return np.concatenate([np.where(labelled, xy, 0), visibility[..., None]], axis=2).astype(np.int64)


def crowd_mask(box: Ints, size: Ints, rng: np.random.Generator) -> Mask:
    """(height, width), 0 or 1: many ellipses, close to each other, in the box (hundredths of a pixel)."""
    mask = np.zeros((int(size[1]), int(size[0])), np.uint8)
    x, y, width, height = (box / 100).tolist()
    for _ in range(int(rng.integers(12, 40))):
        middle = int(x + width * rng.uniform(0.1, 0.9)), int(y + height * rng.uniform(0.2, 0.8))
        axes = max(2, int(width * rng.uniform(0.02, 0.07))), max(3, int(height * rng.uniform(0.1, 0.25)))
        cv2.ellipse(mask, middle, axes, float(rng.uniform(-15, 15)), 0, 360, 1, -1)
    return mask


def run_lengths(mask: Mask) -> list[int]:
    """COCO's uncompressed counts: runs of 0 and of 1 in turn, column by column, the first of 0.

    >>> run_lengths(np.array([[1, 0], [1, 1]], np.uint8))
    [0, 2, 1, 1]
    """
    ends = np.flatnonzero(np.diff(mask.T.ravel(), prepend=0))
    return np.diff(np.concatenate([[0], ends, [mask.size]])).tolist()


# ---- Colours and captions


@dataclass(frozen=True)
class Appearance:
    """Of each cell. colour: (cells,) index. plain: (cells,), is it of that colour all over?"""

    colour: Ints
    plain: Flags


def draw_appearance(images: Images, rng: np.random.Generator) -> Appearance:
    names = statistics().names
    chance = np.repeat(np.array([[percent / 100 for _, percent in COLOURS.values()]]), len(names), axis=0)
    for name, colour in TYPICAL.items():
        chance[names.index(name)] *= 0.25
        chance[names.index(name), list(COLOURS).index(colour)] += 0.75
    above = rng.random(len(images.category))[:, None] > chance.cumsum(axis=1)[images.category]
    patterned = np.array([name in PATTERNED for name in names])[images.category]
    plain = (rng.random(len(images.category)) < 0.65) & ~patterned
    return Appearance(above.sum(axis=1).clip(0, len(COLOURS) - 1), plain)


@dataclass(frozen=True)
class Subject:
    """What a caption may be about. colour: "" where it has none all over."""

    category: str
    count: int
    colour: str = ""


def noun_phrase(subject: Subject, chance: random.Random) -> str:
    """With an article or a number word, and now and then with the colour.

    >>> noun_phrase(Subject("knife", 3), random.Random(0))
    'three knives'
    """
    plural = subject.category + ("es" if subject.category.endswith(("s", "x", "ch", "sh")) else "s")
    singular, plural = NOUNS.get(subject.category, (subject.category, plural))
    colour = f"{subject.colour} " if subject.colour and chance.random() < 0.4 else ""
    if subject.count > 1:
        return f"{chance.choice(NUMBERS.get(subject.count, MANY))} {colour}{plural}"
    noun = colour + (chance.choice(PEOPLE) if subject.category == "person" else singular)
    return f"{'an' if noun[0] in 'aeiou' else 'a'} {noun}"


def draw_captions(subjects: list[Subject], number: int, *, inside: bool, chance: random.Random) -> list[str]:
    """So many captions, mostly about the first subject, which is the largest."""
    if not subjects:
        return [chance.choice(EMPTY) for _ in range(number)]
    captions = []
    for n in range(number):
        main = subjects[2] if len(subjects) > 2 and chance.random() < 0.15 else subjects[0]
        words = {"main": noun_phrase(main, chance), "be": "are" if main.count > 1 else "is"}
        words["where"] = chance.choice(INSIDE if inside else OUTSIDE)
        both, alone = WORDINGS[n % len(WORDINGS)]
        if len(subjects) > 1 and chance.random() < 0.75:
            caption = both.format(other=noun_phrase(subjects[1], chance), **words)
        else:
            caption = alone.format(**words)
        captions.append(caption[0].upper() + caption[1:] if caption.endswith(".") else caption)
    return captions


# ---- Pixels


@dataclass(frozen=True)
class Drawing:
    """A thing in a picture. box: left, top, right, bottom. polygons: hundredths of a pixel. mask: that of a crowd."""

    area: float
    box: tuple[int, int, int, int]
    rgb: tuple[int, int, int]
    plain: bool
    polygons: list[Ints]
    mask: Mask | None


@cache
def grain() -> NDArray[np.int16]:
    """(1400, 1400) noise, fine and less fine, of standard deviation 100."""
    rng = np.random.default_rng(SEED)
    fine, coarse = rng.standard_normal((1400, 1400), np.float32), rng.standard_normal((350, 350), np.float32)
    return (80 * fine + 60 * cv2.resize(coarse, (1400, 1400), interpolation=cv2.INTER_CUBIC)).astype(np.int16)


def jpeg(size: tuple[int, int], drawings: Iterable[Drawing], rng: np.random.Generator) -> bytes:
    """A textured ground, the things on it from the largest on, and noise over all."""
    width, height = size
    picture = _ground(width, height, rng)
    for drawing in sorted(drawings, key=lambda drawing: -drawing.area):
        _draw(picture, drawing, rng)
    x, y = int(rng.integers(1400 - width)), int(rng.integers(1400 - height))
    strength = NOISE * float(np.exp(0.35 * rng.standard_normal()).clip(0.4, 2.2))
    noise = cv2.multiply(grain()[y : y + height, x : x + width], strength / 100)
    picture = cv2.add(picture, cv2.merge([noise] * 3), dtype=cv2.CV_8U)
    code = cv2.COLOR_RGB2GRAY if rng.random() < GREYSCALE else cv2.COLOR_RGB2BGR
    return cv2.imencode(".jpg", cv2.cvtColor(picture, code), [cv2.IMWRITE_JPEG_QUALITY, QUALITY])[1].tobytes()


def _ground(width: int, height: int, rng: np.random.Generator) -> Mask:
    """(height, width, 3) soft patches of muted colours, lighter at the top, with texture."""
    half = (width // 2, height // 2)
    patches = rng.normal(128, 45, (5, 7, 1)) + rng.normal(0, 16, (5, 7, 3)) + np.linspace(35, -35, 5)[:, None, None]
    ground = cv2.resize(patches.astype(np.float32), half, interpolation=cv2.INTER_CUBIC)
    for cells, depth in ((24, 14), (90, 10)):
        ground += cv2.resize(rng.standard_normal((cells, cells), np.float32) * depth, half)[..., None]
    return cv2.resize(ground.clip(0, 255).astype(np.uint8), (width, height))


def _draw(picture: Mask, drawing: Drawing, rng: np.random.Generator) -> None:
    """Fill it with its colour, lighter on one side; what is not plain gets stripes of another colour."""
    left, top, right, bottom = drawing.box
    part = picture[top:bottom, left:right]
    mask = np.zeros(part.shape[:2], np.uint8) if drawing.mask is None else drawing.mask[top:bottom, left:right]
    for polygon in drawing.polygons:  # in eighths of a pixel, whose middle COCO has at the half, OpenCV at 0
        cv2.fillPoly(mask, [np.rint((polygon / 100 - 0.5 - (left, top)) * 8).astype(np.int32)], 1, shift=3)
    down, across = (np.linspace(-0.5, 0.5, side, dtype=np.float32) for side in part.shape[:2])
    slope = rng.uniform(-0.13, 0.13, 2).astype(np.float32)
    fill = (1 + slope[0] * across[None] + slope[1] * down[:, None])[..., None]
    fill = fill * (np.array(drawing.rgb) + rng.normal(0, 6, 3)).astype(np.float32)
    if not drawing.plain:
        waves = 2 * np.pi * rng.uniform(1, 5, 2).astype(np.float32)
        striped = np.sin(waves[0] * across[None] + waves[1] * down[:, None]) > 0.2
        fill[striped] = 0.4 * fill[striped] + 0.6 * rng.uniform(20, 235, 3)
    np.copyto(part, cv2.copyTo(fill.clip(0, 255).astype(np.uint8), mask, part.copy()))


# ---- Files


@dataclass
class Rows:
    """What a chunk gives: rows of the files, crowds apart because they stand at a file's end, and JPEGs by name."""

    instances: list[str] = field(default_factory=list)
    instances_crowds: list[str] = field(default_factory=list)
    person_keypoints: list[str] = field(default_factory=list)
    person_keypoints_crowds: list[str] = field(default_factory=list)
    captions: list[str] = field(default_factory=list)
    captions_crowds: list[str] = field(default_factory=list)
    jpegs: dict[str, bytes] = field(default_factory=dict)


def draw_chunk(chunk: Chunk) -> Rows:
    """All that a worker does."""
    images, rows = chunk.images, Rows()
    rng = np.random.default_rng([SEED, list(SPLITS).index(images.split), chunk.number])
    instances, appearance = place_instances(images, rng), draw_appearance(images, rng)
    masks: dict[int, Mask] = {}
    for n in np.flatnonzero(instances.crowd).tolist():
        masks[n] = crowd_mask(instances.box[n], images.size[instances.owner[n]], rng)
        instances.box[n], instances.area[n] = 100 * np.array(cv2.boundingRect(masks[n])), int(masks[n].sum())
    _instance_rows(chunk, instances, masks, rows, rng)
    _caption_rows(chunk, instances, appearance, rows)
    if chunk.pictures:
        for image, number in enumerate(images.ids.tolist()):
            drawings = _drawings(image, images, instances, appearance, masks)
            size = (int(images.size[image, 0]), int(images.size[image, 1]))
            rows.jpegs[f"{number:012}.jpg"] = jpeg(size, drawings, np.random.default_rng([SEED, number]))
    return rows


@cache
def hundredths() -> list[str]:
    """Every hundredth of a pixel as JSON has it: 24.7, not 24.70."""
    return [repr(n / 100) for n in range(64_001)]


def _instance_rows(
    chunk: Chunk, instances: Instances, masks: dict[int, Mask], rows: Rows, rng: np.random.Generator
) -> None:
    text, images = hundredths(), chunk.images
    people = np.flatnonzero(instances.category == 0)
    joints = keypoints(instances, people, rng).reshape(len(people), -1)
    poses = dict(zip(people.tolist(), joints.tolist(), strict=True))
    numbers = [text[n] for n in instances.points.ravel().tolist()]
    polygons, first = (2 * instances.polygons).tolist(), instances.first.tolist()
    image_ids, boxes, areas = images.ids[instances.owner].tolist(), instances.box.tolist(), instances.area.tolist()
    categories = [statistics().categories[n]["id"] for n in instances.category.tolist()]
    for n in rng.permutation(len(categories)).tolist():
        if crowd := n in masks:
            counts, size = run_lengths(masks[n]), list(masks[n].shape)
            shape = f'{{"counts": [{",".join(map(str, counts))}],"size": [{size[0]},{size[1]}]}}'
            number = 900_000_000_000 + categories[n] * 100_000_000 + image_ids[n]  # as COCO numbers crowds
        else:
            outline = (",".join(numbers[polygons[m] : polygons[m + 1]]) for m in range(first[n], first[n + 1]))
            shape = f"[{','.join(f'[{polygon}]' for polygon in outline)}]"
            number = 2 * (chunk.instances_before + n) + 1 + (images.split == "val2017")
        box = ",".join(text[side] for side in boxes[n])
        begin = f'{{"segmentation": {shape},'
        middle = f'"area": {int(areas[n]) if crowd else areas[n]},"iscrowd": {int(crowd)},'
        end = f'"image_id": {image_ids[n]},"bbox": [{box}],"category_id": {categories[n]},"id": {number}}}'
        (rows.instances_crowds if crowd else rows.instances).append(begin + middle + end)
        if n in poses:
            labelled = f'"num_keypoints": {sum(v > 0 for v in poses[n][2::3])},'
            pose = f'"keypoints": [{",".join(map(str, poses[n]))}],'
            people_rows = rows.person_keypoints_crowds if crowd else rows.person_keypoints
            people_rows.append(begin + labelled + middle + pose + end)


def _caption_rows(chunk: Chunk, instances: Instances, appearance: Appearance, rows: Rows) -> None:
    images, categories, colours = chunk.images, statistics().categories, list(COLOURS)
    begin = np.cumsum(images.count) - images.count
    largest = np.maximum.reduceat(instances.area, begin) if len(begin) else instances.area
    named = largest > 0.006 * images.size.prod(axis=1)[images.owner]
    order = np.lexsort((-largest, images.owner))
    bounds = np.searchsorted(images.owner, np.arange(len(images.ids) + 1)).tolist()
    number = chunk.captions_before
    for image_id, many, (low, high) in zip(
        images.ids.tolist(), images.captions.tolist(), pairwise(bounds), strict=True
    ):
        cells = [n for n in order[low:high].tolist() if named[n]][:3]
        kinds = [categories[images.category[n]] for n in cells]
        subjects = [
            Subject(kind["name"], int(images.count[n]), colours[appearance.colour[n]] if appearance.plain[n] else "")
            for n, kind in zip(cells, kinds, strict=True)
        ]
        inside, chance = any(kind["supercategory"] in INDOORS for kind in kinds), random.Random(f"{SEED} {image_id}")
        for caption in draw_captions(subjects, many, inside=inside, chance=chance):
            number += 1
            rows.captions.append(f'{{"image_id": {image_id},"id": {number},"caption": "{caption}"}}')


def _drawings(
    image: int, images: Images, instances: Instances, appearance: Appearance, masks: dict[int, Mask]
) -> Iterator[Drawing]:
    width, height = images.size[image].tolist()
    for n in range(*np.searchsorted(instances.owner, [image, image + 1]).tolist()):
        x, y, across, down = (instances.box[n] // 100).tolist()
        yield Drawing(
            area=float(instances.area[n]),
            box=(x, y, min(x + across + 2, width), min(y + down + 2, height)),
            rgb=[rgb for rgb, _ in COLOURS.values()][appearance.colour[instances.cell[n]]],
            plain=bool(appearance.plain[instances.cell[n]]),
            polygons=[] if n in masks else instances.outline(n),
            mask=masks.get(n),
        )


def image_rows(images: Images) -> Iterator[str]:
    """Rows of `images`, with COCO's fields."""
    chance = random.Random(f"{SEED} {images.split}")
    for number, (width, height) in zip(images.ids.tolist(), images.size.tolist(), strict=True):
        server, album = chance.randrange(1, 10), chance.randrange(1_000, 10_000)
        photo, secret = chance.randrange(10**9, 10**10), chance.randrange(16**10)
        taken = (chance.randrange(14, 26), chance.randrange(24), chance.randrange(60), chance.randrange(60))
        yield (
            f'{{"license": {chance.randrange(1, 9)},"file_name": "{number:012}.jpg",'
            f'"coco_url": "http://images.cocodataset.org/{images.split}/{number:012}.jpg",'
            f'"height": {height},"width": {width},"date_captured": "2013-11-{"{} {:02}:{:02}:{:02}".format(*taken)}",'
            f'"flickr_url": "http://farm{server}.staticflickr.com/{album}/{photo}_{secret:010x}_z.jpg","id": {number}}}'
        )


def compact(value: Any) -> str:
    """JSON, spaced as in COCO's files."""
    return json.dumps(value, separators=(",", ": "))


class RowFile:
    """A file of annotations, written row by row; the rows kept for its end come last."""

    def __init__(self, file: Path, head: str, tail: str) -> None:
        self.out, self.tail = file.open("w"), tail
        self.last: list[str] = []
        self.comma = ""
        self.out.write(head)

    def write(self, rows: list[str], last: list[str]) -> None:
        self.last += last
        if rows:
            self.out.write(self.comma + ",".join(rows))
            self.comma = ","

    def close(self) -> None:
        self.write(self.last, [])
        self.out.write(self.tail)
        self.out.close()


def write_split(images: Images, folder: Path, results: Iterable[Rows], archive: zipfile.ZipFile | None) -> None:
    """Write the split's three files into the folder and its pictures, where there are any, into the archive."""
    categories = statistics().categories
    person = categories[0] | {"keypoints": JOINTS, "skeleton": SKELETON}
    licences = [{"url": f"http://{url}", "id": n, "name": name} for n, (url, name) in enumerate(LICENCES, 1)]
    shown = ",".join(image_rows(images))
    head = f'{{"info": {compact(INFO)},"licenses": {compact(licences)},"images": [{shown}],"annotations": ['
    tails = {
        "instances": f'],"categories": {compact(categories)}}}',
        "person_keypoints": f'],"categories": {compact([person])}}}',
        "captions": "]}",
    }
    files = {kind: RowFile(folder / f"{kind}_{images.split}.json", head, tail) for kind, tail in tails.items()}
    for rows in results:
        for kind, file in files.items():
            file.write(getattr(rows, kind), getattr(rows, f"{kind}_crowds"))
        for name, picture in rows.jpegs.items():
            archive.writestr(zipfile.ZipInfo(f"{images.split}/{name}", time.gmtime(MADE)[:6]), picture)
    for file in files.values():
        file.close()


def pack(files: Iterable[Path], archive: Path) -> None:
    """Deflate the files into the archive's folder annotations/."""
    with zipfile.ZipFile(archive, "w", zipfile.ZIP_DEFLATED, compresslevel=LEVEL) as out:
        for file in files:
            os.utime(file, (MADE, MADE))
            out.write(file, f"annotations/{file.name}")


def archives(folder: Path, scale: float) -> list[Path]:
    """Make both archives in the folder, unless an earlier run of the same scale left them there."""
    pictures, annotations = folder / "val2017.zip", folder / "annotations_trainval2017.zip"
    remembered, recipe = folder / "made.json", {"recipe": RECIPE, "scale": scale}
    if remembered.is_file() and json.loads(remembered.read_bytes()) == recipe:
        print(f"the archives in {folder} are used again")
        return [pictures, annotations]
    remembered.unlink(missing_ok=True)
    start, model = time.perf_counter(), fit()
    totals = {split: total.scaled(scale) for split, total in SPLITS.items()}
    ids = np.random.default_rng(SEED).choice(LAST_ID, sum(t.images for t in totals.values()), replace=False) + 1
    with tempfile.TemporaryDirectory(dir=folder) as name, multiprocessing.Pool(CORES, cv2.setNumThreads, (1,)) as pool:
        for split, total in totals.items():
            own, ids = np.split(ids, [total.images])
            images = draw_images(split, total, own, model)
            with zipfile.ZipFile(pictures, "w") if split == "val2017" else ExitStack() as archive:
                work = chunks(images, total.chunk, pictures=split == "val2017")
                write_split(images, Path(name), pool.imap(draw_chunk, work), archive)
            print(f"{split} drawn, {time.perf_counter() - start:.0f} s", flush=True)
        files = sorted(Path(name).iterdir())
        print(*(f"  {file.name:<32}{file.stat().st_size / 1e6:>9,.1f} MB" for file in files), sep="\n")
        pack(files, annotations)
    print(f"archives packed, {time.perf_counter() - start:.0f} s", flush=True)
    remembered.write_text(json.dumps(recipe))
    return [pictures, annotations]


# ---- The rehearsal


@dataclass(frozen=True)
class CommandRun:
    """One command. peak: MiB. log: its output."""

    words: list[str]
    seconds: float
    peak: float
    exit_code: int
    log: Path

    @property
    def lines(self) -> list[str]:
        return self.log.read_text(errors="replace").splitlines()


class QuietHandler(SimpleHTTPRequestHandler):
    """Serves files and logs nothing."""

    def log_message(self, format: str, *args: Any) -> None:  # noqa: A002
        pass


@contextmanager
def served(folder: Path) -> Iterator[str]:
    """The folder's address while the block runs."""
    server = ThreadingHTTPServer(("127.0.0.1", 0), partial(QuietHandler, directory=str(folder)))
    threading.Thread(target=server.serve_forever, daemon=True).start()
    try:
        yield f"http://127.0.0.1:{server.server_port}"
    finally:
        server.shutdown()
        server.server_close()


def copy_checkout(copy: Path, site: Path, made: list[Path]) -> None:
    """Copy what runs; in the copy, coco.yaml has the sizes and hashes of our archives, which lie in `site` where it says."""
    for name in ("pstgen", "templates", "data_sources"):
        shutil.copytree(CHECKOUT / name, copy / name, ignore=shutil.ignore_patterns("__pycache__"))
    file = copy / "data_sources" / "coco.yaml"
    text = file.read_text()
    for row in yaml.safe_load(text)["archives"].values():
        for archive in made:
            if archive.name == Path(row["path"]).name:
                with archive.open("rb") as read:
                    text = _replaced(text, row["sha256"], file_digest(read, "sha256").hexdigest())
                text = _replaced(text, f"bytes: {row['bytes']}", f"bytes: {archive.stat().st_size}")
                (site / row["path"]).parent.mkdir(parents=True, exist_ok=True)
                (site / row["path"]).symlink_to(archive.resolve())
    file.write_text(text)


def _replaced(text: str, old: str, new: str) -> str:
    if text.count(old) != 1:
        raise SystemExit(f"data_sources/coco.yaml: {old!r} stands there {text.count(old)} times, not once")
    return text.replace(old, new)


def environment(copy: Path, home: Path) -> dict[str, str]:
    """The copy is what is imported, the home is empty, no folder of COCO is named, and 127.0.0.1 needs no proxy."""
    home.mkdir()
    paths = {"PYTHONPATH": copy, "HOME": home, "XDG_CACHE_HOME": home / ".cache", "XDG_CONFIG_HOME": home / ".config"}
    kept = {key: value for key, value in os.environ.items() if key != "PSTGEN_COCO_ROOT"}
    return kept | {key: str(path) for key, path in paths.items()} | dict.fromkeys(("NO_PROXY", "no_proxy"), "127.0.0.1")


def check_import(copy: Path, folder: Path, env: dict[str, str]) -> None:
    """Make sure that the copy is what runs, not an installed package."""
    code = "import pstgen; print(pstgen.__file__)"
    file = subprocess.check_output([sys.executable, "-c", code], cwd=folder, env=env, text=True).strip()
    print(f"pstgen.__file__ is {file}")
    if not Path(file).resolve().is_relative_to(copy.resolve()):
        raise SystemExit(f"{file} would run, not the copy in {copy}")


def commands(address: str, folder: Path, env: dict[str, str]) -> list[list[str]]:
    """The README's; `fetch` gets --yes where it knows it, so as not to ask."""
    shown = [sys.executable, "-m", "pstgen", "fetch", "--help"]
    yes = re.search(r"(^|\s)--yes\b", subprocess.check_output(shown, cwd=folder, env=env, text=True))
    return [
        ["fetch", "coco", "--mirror", address, *(["--yes"] if yes else [])],
        ["priors", "--source", "coco"],
        ["build", "--source", "coco", "--out", "photographs/"],
        ["verify", "photographs/"],
        ["show", "photographs/", "--picture", "pairs.png"],
    ]


def run_command(words: list[str], folder: Path, env: dict[str, str], log: Path) -> CommandRun:
    """Run it without input, and watch its time and memory."""
    start, peak, exit_code = time.perf_counter(), 0.0, None
    with log.open("w") as out:
        process = subprocess.Popen(
            [sys.executable, "-m", "pstgen", *words],
            cwd=folder,
            env=env,
            stdin=subprocess.DEVNULL,
            stdout=out,
            stderr=subprocess.STDOUT,
        )
        watched = psutil.Process(process.pid)
        while exit_code is None:
            peak = max(peak, tree_memory(watched))
            try:
                exit_code = process.wait(timeout=STEP)
            except subprocess.TimeoutExpired:
                continue
    return CommandRun(words, time.perf_counter() - start, peak, exit_code, log)


def tree_memory(process: psutil.Process) -> float:
    """MiB of the process and all its descendants."""
    try:
        tree = [process, *process.children(recursive=True)]
    except psutil.Error:
        return 0.0
    return sum(map(_memory, tree)) / 2**20


def _memory(process: psutil.Process) -> int:
    """Bytes: the proportional set size where the system has it, else the resident one."""
    try:
        return getattr(process.memory_full_info(), "pss", 0) or process.memory_info().rss
    except psutil.Error:
        return 0


def outcome(run: CommandRun, folder: Path, env: dict[str, str]) -> str:
    """What came of it, in a few words."""
    command = "failed" if run.exit_code else run.words[0]
    came = f"{len(run.lines):,} lines"
    if command == "failed":
        came = f"**exit code {run.exit_code}**, {came}"
    elif command == "fetch":
        came = f"{sum(1 for _ in Path(env['XDG_CACHE_HOME']).rglob('*.jpg')):,} pictures in the cache"
    elif command == "priors":
        came = f"a table of {sum(bool(re.search(r'[0-9] of [0-9]', line)) for line in run.lines):,} rows"
    elif command == "build":
        funnel = json.loads((folder / "photographs" / "manifest.json").read_bytes())["funnel"]
        kept, prior = _passed(funnel, "kept"), _passed(funnel, "scenes for the prior")
        came = f"{kept:,} pairs kept; the prior rests on {prior:,} scenes; {came}"
    elif command == "verify":
        came = next((line.strip() for line in reversed(run.lines) if line.startswith("photographs: ")), came)
    elif command == "show":
        came = f"pairs.png, {(folder / 'pairs.png').stat().st_size / 1e6:.1f} MB"
    return came


def _passed(funnel: dict[str, dict[str, int]], station: str) -> int:
    return sum(sum(counts.values()) for name, counts in funnel.items() if name.startswith(station))


def decoding(pictures: Path) -> tuple[int, float]:
    """How many pictures there are, and the seconds in which one process decodes them all."""
    spent = 0.0
    with zipfile.ZipFile(pictures) as archive:
        for name in archive.namelist():
            code = io.BytesIO(archive.read(name))
            start = time.perf_counter()
            with Image.open(code) as picture:
                np.array(picture.convert("RGB"))
            spent += time.perf_counter() - start
        return len(archive.namelist()), spent


def rehearse(made: list[Path], work: Path, logs: Path) -> list[tuple[CommandRun, str]]:
    """Run every command in the README's order, whatever became of the earlier ones; each with its outcome."""
    copy, folder, site = work / "checkout", work / "empty", work / "site"
    folder.mkdir()
    copy_checkout(copy, site, made)
    env = environment(copy, work / "home")
    check_import(copy, folder, env)
    results = []
    with served(site) as address:
        for number, words in enumerate(commands(address, folder, env), 1):
            print(f"pstgen {' '.join(words)}", flush=True)
            run = run_command(words, folder, env, logs / f"{number}-{words[0]}.log")
            results.append((run, outcome(run, folder, env)))
            print(
                f"  {run.seconds:.1f} s, {run.peak:,.0f} MiB, exit code {run.exit_code}: {results[-1][1]}", flush=True
            )
            if run.exit_code:
                print(*(f"  | {line}" for line in run.lines[-30:]), sep="\n", flush=True)
    return results


def table(results: list[tuple[CommandRun, str]], made: list[Path], scale: float) -> str:
    """Markdown."""
    rows = ["| command | time | peak memory | what came of it |", "|---|---:|---:|---|"]
    for run, came in results:
        words = re.sub(r"127\.0\.0\.1:\d+", "127.0.0.1:PORT", " ".join(run.words))
        rows.append(f"| `pstgen {words}` | {run.seconds:,.1f} s | {run.peak:,.0f} MiB | {came.replace('|', '/')} |")
    pictures, seconds = decoding(made[0])
    rows.append(f"| decoding all pictures, in one process | {seconds:,.1f} s | | {pictures:,} pictures |")
    sizes = ", ".join(f"{file.name} {file.stat().st_size / 1e6:,.0f} MB" for file in made)
    return "\n".join([*rows, "", f"A stand-in for COCO 2017 at scale {scale:g} ({sizes}); {CORES} cores."])


def main(argv: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--scale", type=float, default=1.0, help="of the number of images, instances and captions")
    parser.add_argument("--keep", type=Path, help="folder where archives and run stay; archives are used again")
    parser.add_argument("--table", type=Path, help="Markdown file to write")
    args = parser.parse_args(argv)
    if not 0.002 <= args.scale <= 4:
        parser.error("--scale is between 0.002 and 4")
    place = (args.keep or Path(tempfile.mkdtemp(prefix="pstgen-rehearsal-"))).resolve()
    work, logs, failed = place / "work", place / "logs", ["nothing was run"]
    for folder in (work, logs):
        shutil.rmtree(folder, ignore_errors=True)
        folder.mkdir(parents=True)
    try:
        made = archives(place, args.scale)
        results = rehearse(made, work, logs)
        failed = [f"pstgen {' '.join(run.words)}" for run, _ in results if run.exit_code]
        text = table(results, made, args.scale)
    finally:
        if not args.keep:
            for path in place.iterdir() if failed else [place]:
                if path.is_file():
                    path.unlink()
                elif path != logs:
                    shutil.rmtree(path)
    print(f"\n{text}")
    if args.table:
        args.table.write_text(text + "\n")
    if failed:
        print(f"\nfailed: {'; '.join(failed)}. The logs are in {logs}")
    return int(bool(failed))


if __name__ == "__main__":
    sys.exit(main())
