"""Do the files themselves give answers away: their names, sizes, formats, tables, chunks, or their order?"""

import io
import re
from collections.abc import Sequence
from dataclasses import astuple, dataclass, fields
from functools import partial

import numpy as np
from PIL import Image, JpegImagePlugin

from pstgen.core.config import VerifyConfig
from pstgen.core.records import MATCHED, Item
from pstgen.dataset.store import Dataset
from pstgen.scenes import pixels
from pstgen.scenes.picture_features import Features
from pstgen.verification import probes
from pstgen.verification.findings import Attribute, Finding, ProbeResult, untested
from pstgen.verification.probes import MIN_PAIRS, ImageFile, ItemFeatures, PairFeatures

MAX_WORDS = 50  # of file names, that are features
TREES = 100
TOKENS = r"[a-z]+|\d+"
GIVES_AWAY: dict[Attribute, str] = {"role": "which twin is the stress twin", "answer": "which twin has which answer"}


@dataclass(frozen=True, slots=True)
class FileFeatures:
    """What a file gives away before any pixel is decoded; what its format does not have is 0.

    row: its place in the set. lure: does its name hold the lure? option: alphabetical place of the option that its name
    holds, -1 for none. size: bytes of an edited image; elsewhere they go with what the image shows. chunks: PNG's, those
    of pixels left out; packing: zlib's header, which gives the level of compression; around: bytes outside pixels' chunks.
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
    pairs = probes.paired(_file_features(dataset))
    if len(pairs) < MIN_PAIRS:
        return untested("file_probe", f"{len(pairs)} pairs, too few to probe")
    results = [_probe(pairs, attribute, config) for attribute in GIVES_AWAY]
    problems = (
        f"files tell {GIVES_AWAY[result.attribute]}, of {len(pairs):,} pairs {result.accuracy}; "
        f"most of all by {_strongest(pairs, result.attribute)}"
        for result in results
        if not result.sound
    )
    return Finding(
        check="file_probe",
        summary=f"{len(pairs):,} pairs: by names, formats, tables and order, "
        + ", ".join(f"{GIVES_AWAY[result.attribute]}: {result.accuracy}" for result in results),
        problems=tuple(problems),
        probes=tuple(results),
    )


def _probe(pairs: Sequence[PairFeatures], attribute: Attribute, config: VerifyConfig) -> ProbeResult:
    from sklearn.ensemble import RandomForestClassifier

    forest = partial(RandomForestClassifier, TREES, min_samples_leaf=5, random_state=config.seed, n_jobs=1)
    accuracy = probes.accuracy(pairs, attribute, forest, config)
    sound = accuracy.low <= 0.5 + config.probe_over
    return ProbeResult(clue="file", attribute=attribute, accuracy=accuracy, sound=sound)


def _file_features(dataset: Dataset) -> list[ItemFeatures]:
    """Every image's file as features, and which of the commonest words are in its name."""
    from sklearn.feature_extraction.text import CountVectorizer

    items, names, headers = list[Item](), list[str](), list[Features]()
    for n, file in enumerate(probes.image_files(dataset)):
        items.append(file.item)
        names.append(file.name)
        headers.append(np.array(astuple(file_features(file, n)), np.float32))
    words = CountVectorizer(token_pattern=TOKENS, max_features=MAX_WORDS, binary=True)
    in_names = words.fit_transform(names).toarray().astype(np.float32)
    return [(item, np.concatenate(parts)) for item, *parts in zip(items, headers, in_names, strict=True)]


def file_features(file: ImageFile, row: int) -> FileFeatures:
    """Read an image file's name and headers. row: its place in the set."""
    item, tokens = file.item, _tokens(file.name)
    named = [bool(_tokens(option)) and _tokens(option) <= tokens for option in sorted(item.options)]
    with probes.naming(file), Image.open(io.BytesIO(file.data), formats=pixels.FORMATS) as image:
        return FileFeatures(
            row=row,
            lure=named[sorted(item.options).index(item.lure)],
            option=named.index(True) if any(named) else -1,
            width=image.width,
            height=image.height,
            mode=len(image.getbands()),
            notes=len(image.info),
            size=0 if item.twin == MATCHED else len(file.data),
            **(_jpeg(image) if isinstance(image, JpegImagePlugin.JpegImageFile) else _png(file.data)),
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


def _png(data: bytes) -> dict[str, float]:
    """PNG (ISO 15948): after eight bytes chunks of length, kind, data and checksum. How many hold pixels goes with the image."""
    if not data.startswith(b"\x89PNG"):
        return {}
    at, chunks, around, packing = 8, 0, len(data), 0
    while at + 8 <= len(data):
        length, kind = int.from_bytes(data[at : at + 4]), data[at + 4 : at + 8]
        if kind == b"IDAT":
            packing = packing or int.from_bytes(data[at + 8 : at + 10])
            around -= length + 12
        else:
            chunks += 1
        at += length + 12
    return {"png": 1, "chunks": chunks, "packing": packing, "around": around}


def _tokens(text: str) -> set[str]:
    return set(re.findall(TOKENS, text.lower()))


def _strongest(pairs: Sequence[PairFeatures], attribute: Attribute) -> str:
    """The one property by which the first twin differs from the second most surely, and how often it is the greater."""
    first, second = probes.stacked(pairs, attribute)
    more, less = (first > second).mean(0), (first < second).mean(0)
    n = int(np.argmax(np.abs(more - less)))
    names = [field.name for field in fields(FileFeatures)]
    name = names[n] if n < len(names) else "a word of the name"
    return f"{name}, greater in {more[n]:.0%} and less in {less[n]:.0%}"
