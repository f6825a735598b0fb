"""Do the files themselves give answers away: their names, sizes, formats, tables, chunks, or their order?"""

import io
import re
from collections.abc import Sequence
from dataclasses import astuple, dataclass, fields
from functools import partial

import numpy as np
from PIL import Image, JpegImagePlugin

from pstgen.core.config import VerifyConfig
from pstgen.core.records import Finding, Item
from pstgen.dataset.store import Dataset
from pstgen.verification import probes
from pstgen.verification.checks import untested
from pstgen.verification.probes import LEAST, By, Couple, Numbers, Picture, Told

WORDS = 50  # of names, that are told apart
TREES = 100
TOKENS = r"[a-z]+|\d+"
SAYS = {"role": "which twin is the stress twin", "answer": "which twin has which answer"}


@dataclass(frozen=True, slots=True)
class File:
    """What a file tells before any pixel is decoded; what its format has not is 0.

    row: its place in the set. lure: does its name say the lure? option: alphabetical place of the option that its name
    says, -1 for none. size: bytes of an edited picture; elsewhere they go with what the picture shows. chunks: PNG's, those
    of pixels left out; packing: zlib's header, which tells the level of compression; around: bytes outside pixels' chunks.
    luma, chroma: sums of JPEG's quantization tables; sampling: of its chroma; segments: how many.
    """

    row: float
    lure: float
    option: float
    width: float
    height: float
    mode: float
    notes: float
    size: float
    png: float = 0
    chunks: float = 0
    packing: float = 0
    around: float = 0
    luma: float = 0
    chroma: float = 0
    sampling: float = 0
    segments: float = 0
    progressive: float = 0


def examine(dataset: Dataset, config: VerifyConfig, /) -> Finding:
    """A forest learns from the files of other scenes which of two twins is which; sound while it does so half the time.

    Sound: the lower bound of its accuracy does not pass one half by `config.probe_over`. Targets are left out: nobody who
    answers is given them.
    """
    pairs = probes.couples(_told(dataset))
    if len(pairs) < LEAST:
        return untested("file_probe", f"{len(pairs)} pairs, too few to probe")
    from sklearn.ensemble import RandomForestClassifier

    forest = partial(RandomForestClassifier, TREES, min_samples_leaf=5, random_state=config.seed, n_jobs=1)
    asked: list[tuple[By, Told]] = [(by, probes.told(pairs, by, forest, config)) for by in ("role", "answer")]
    problems = (
        f"files tell {SAYS[by]}, of {len(pairs):,} pairs {told}; most of all by {_most(pairs, by)}"
        for by, told in asked
        if told.low > 0.5 + config.probe_over
    )
    return Finding(
        check="file_probe",
        summary=f"{len(pairs):,} pairs: by names, formats, tables and order, "
        + ", ".join(f"{SAYS[by]}: {told}" for by, told in asked),
        problems=tuple(problems),
        figures={name: n for by, told in asked for name, n in told.figures(by).items()},
    )


def _told(dataset: Dataset) -> list[tuple[Item, Numbers]]:
    """Every picture's file in numbers, and which of the commonest words are in its name."""
    from sklearn.feature_extraction.text import CountVectorizer

    items, names, files = list[Item](), list[str](), list[Numbers]()
    for n, picture in enumerate(probes.pictures(dataset)):
        items.append(picture.item)
        names.append(picture.name)
        files.append(np.array(astuple(file(picture, n)), np.float32))
    words = CountVectorizer(token_pattern=TOKENS, max_features=WORDS, binary=True)
    said = words.fit_transform(names).toarray().astype(np.float32)
    return [(item, np.concatenate([told, line])) for item, told, line in zip(items, files, said, strict=True)]


def file(picture: Picture, row: int) -> File:
    """Read a picture's name and headers."""
    item, tokens = picture.item, _tokens(picture.name)
    says = [bool(_tokens(option)) and _tokens(option) <= tokens for option in sorted(item.options)]
    with probes.named(picture), Image.open(io.BytesIO(picture.code)) as image:
        return File(
            row=row,
            lure=says[sorted(item.options).index(item.lure)],
            option=says.index(True) if any(says) else -1,
            width=image.width,
            height=image.height,
            mode=len(image.getbands()),
            notes=len(image.info),
            size=0 if item.twin == "retrieved" else len(picture.code),
            **(_jpeg(image) if isinstance(image, JpegImagePlugin.JpegImageFile) else _png(picture.code)),
        )


def _jpeg(image: JpegImagePlugin.JpegImageFile) -> dict[str, float]:
    tables = image.quantization
    return {
        "luma": sum(tables.get(0, ())),
        "chroma": sum(tables.get(1, ())),
        "sampling": JpegImagePlugin.get_sampling(image),
        "segments": len(image.applist),
        "progressive": "progressive" in image.info,
    }


def _png(code: bytes) -> dict[str, float]:
    """PNG (ISO 15948): after eight bytes chunks of length, kind, data and checksum. How many hold pixels goes with the picture."""
    if not code.startswith(b"\x89PNG"):
        return {}
    at, others, around, packing = 8, 0, len(code), 0
    while at + 8 <= len(code):
        length, kind = int.from_bytes(code[at : at + 4]), code[at + 4 : at + 8]
        if kind == b"IDAT":
            packing = packing or int.from_bytes(code[at + 8 : at + 10])
            around -= length + 12
        else:
            others += 1
        at += length + 12
    return {"png": 1, "chunks": others, "packing": packing, "around": around}


def _tokens(text: str) -> set[str]:
    return set(re.findall(TOKENS, text.lower()))


def _most(pairs: Sequence[Couple], by: By) -> str:
    """The one property by which the first twin differs from the second most surely, and how often it is the greater."""
    first, second = (np.stack(looks) for looks in zip(*(couple.ordered(by) for couple in pairs), strict=True))
    more, less = (first > second).mean(0), (first < second).mean(0)
    n = int(np.argmax(np.abs(more - less)))
    name = fields(File)[n].name if n < len(fields(File)) else "a word of the name"
    return f"{name}, greater in {more[n]:.0%} and less in {less[n]:.0%}"
