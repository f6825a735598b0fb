"""What a run can be told. One struct a command; a YAML file and the options fill the same one."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any, TypeVar

import msgspec

from pstgen.core.records import BadInput

T = TypeVar("T", bound=msgspec.Struct)
ELSEWHERE = frozenset(
    {"detector", "depth_model", "prior_annotations", "prior_file"}
)  # of a manifest: not what lies on this machine, but its hash or name

MODELS = frozenset({"lm", "vlm"})  # "none" is none; where nothing is said, it is decided


class BuildConfig(msgspec.Struct, kw_only=True, frozen=True, forbid_unknown_fields=True):
    """`pstgen build`."""

    # Where the scenes come from.
    source: str = "coco"  # a file in sources/
    root: Path | None = None  # COCO's folder: annotations/ beside val2017/
    split: str = "val2017"
    annotations: Path | None = None  # one COCO-format instances file of the user's own, instead of root and split
    limit: int | None = None  # scenes that give items, at most: the first ones
    scenes: int = 2000  # of the built-in world: how many to draw
    size: int = 128  # of the built-in world: the side of a scene in pixels
    typicality: float = 0.85  # of the built-in world: the share of facts that are as one expects
    seed: int = 0

    # What is asked. Empty means all.
    families: tuple[str, ...] = ()
    frames: tuple[str, ...] = ()
    templates: Path | None = None  # a user's own templates/, searched first

    detector: Path | None = None  # of photographs: a "no" needs its silence
    detector_threshold: float = 0.2  # a low one: it should rather hear too much

    depth_model: str | None = None  # of photographs: a folder or hub id that estimates depth

    # Which pairs are proposed.
    prior: str = "counts"  # a file in priors/
    prior_split: str = ""  # of COCO: another split to fit the prior on; train2017 where its annotations stand beside
    prior_annotations: Path | None = None  # any COCO-format file to fit the prior on, with or without its pictures
    prior_file: Path | None = None  # a prior that was fitted before, by `pstgen priors --save`
    prior_share: float | None = None  # of the other scenes, that feed the prior too and give no items; None is decided
    prior_pictures: int = 5000  # of the prior's scenes, whose pictures are looked at, at most
    twins: tuple[str, ...] = ()  # files in twins/; empty means all
    edited: int = 100  # pairs of each kind of edit, at most
    min_pull: float = 0.0  # P(lure) - P(stress answer) that a pair needs, both given the words
    pairs_per_question: int = 24  # of one and the same question, at most
    candidates: int = 300  # pairs a family that go to the judges, the strongest pull first

    # Who judges.
    judges: tuple[str, ...] = ("prior", "text")  # words alone; `lm` and `vlm` join them where there is a model
    lm: str | None = None  # a folder, a hub id, or "none"; on the built-in world one comes with pstgen
    vlm: str | None = None  # the same, of a vision-language model
    prior_vqa: Path | None = None  # folder of VQA v2's official questions and annotations: one more baseline
    device: str = "auto"
    batch_size: int = 32
    wordings: int = 12  # tries to find words for which every baseline falls
    engine: str = "local"  # a file in engines/
    workers: int = 0  # processes for what models do not do; 0 means one a core

    # Which pairs stay.
    max_family_share: float = 0.6
    pairs_per_scene: int = 5

    out: Path = Path("pst")


class VerifyConfig(msgspec.Struct, kw_only=True, frozen=True, forbid_unknown_fields=True):
    """`pstgen verify`."""

    folder: Path = Path("pst")
    seed: int = 0
    folds: int = 5  # of every attacker, grouped by pair
    confidence: float = 0.95  # of every interval
    most_wrong: float | None = None  # labels, by the upper bound of an audit; None asks for no audit
    most_over: float = 0.03  # that an attacker's upper bound may pass what hitting every pair once would reach
    probe_over: float = 0.02  # that a probe's surely reached share of pairs may pass one half
    alike: int = 28  # bits of 256 by which pictures of different scenes must differ more
    duplicates: int = 0  # scenes that may look like another, or like a picture of `against`
    against: Path | None = None  # a folder of pictures, or a file of COCO image ids, that the set must not share
    attacker_lm: str = ""  # fine-tuned on the words: a folder, a hub id, or "ours", the one that comes with pstgen
    attacker_vlm: str = ""  # the same, of a vision-language model: blinded, tuned blind, shown another scene
    device: str = "auto"  # of both


class AuditConfig(msgspec.Struct, kw_only=True, frozen=True, forbid_unknown_fields=True):
    """`pstgen audit`."""

    folder: Path = Path("pst")
    n: int = 200  # labels to look at, at least; pairs stay whole
    seed: int = 0  # of the sample; people who are to be compared take the same
    who: str = ""  # whose verdicts they are; empty means the user's name on this machine
    port: int = 0  # on 127.0.0.1; 0 means any free one
    browser: bool = True  # open one


class RebuildConfig(msgspec.Struct, kw_only=True, frozen=True, forbid_unknown_fields=True):
    """`pstgen verify --rebuild`: what a manifest leaves out or only names, since it lies elsewhere on every machine."""

    root: Path | None = None
    annotations: Path | None = None
    templates: Path | None = None
    prior_annotations: Path | None = None
    prior_file: Path | None = None
    prior_vqa: Path | None = None
    detector: Path | None = None
    depth_model: str | None = None
    lm: str | None = None
    vlm: str | None = None


class WorldConfig(msgspec.Struct, kw_only=True, frozen=True, forbid_unknown_fields=True):
    """`pstgen world`."""

    n: int = 2000
    size: int = 128
    typicality: float = 0.85
    seed: int = 0
    out: Path = Path("world")


class FetchConfig(msgspec.Struct, kw_only=True, frozen=True, forbid_unknown_fields=True):
    """`pstgen fetch`."""

    what: str = "coco"  # a file in data_sources/ with addresses
    split: str = "val2017"
    mirror: str | None = None  # instead of the official address
    cache: Path | None = None


def read(path: Path | None, options: dict[str, Any], as_: type[T]) -> T:
    """Fill `as_` from a YAML file, then from the command's options (None means not given).

    A dataset's manifest.json is taken for the settings that it was built with. Raises BadInput naming the file and the
    field, where one is unknown or of the wrong kind.
    """
    settings = {} if path is None else _settings(path)
    given = {name: value for name, value in options.items() if value is not None and value != ()}
    try:
        return msgspec.convert({**settings, **given}, type=as_, dec_hook=_path)
    except (msgspec.ValidationError, TypeError) as error:
        raise BadInput(f"{path or 'options'}: {error}") from error


def _settings(path: Path) -> dict[str, Any]:
    """What a YAML file or a manifest says."""
    try:
        settings = msgspec.yaml.decode(path.read_bytes()) or {}
    except OSError as error:
        raise BadInput(f"{path}: {error.strerror}; --config takes a YAML file or a dataset's manifest.json") from None
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise BadInput(f"{path}: is not YAML: {' '.join(str(error).split())}") from None
    if not isinstance(settings, dict):
        raise BadInput(f"{path}: holds no settings; a line is NAME: VALUE, names as in pstgen/core/config.py")
    if "settings" in settings and "seal" in settings:
        return {name: value for name, value in decided(settings["settings"]).items() if name not in ELSEWHERE}
    return settings


def decided(settings: Mapping[str, Any]) -> dict[str, Any]:
    """Settings of one run for another: a model that was not used is "none", so that nothing decides anew."""
    return {name: "none" if name in MODELS and value is None else value for name, value in settings.items()}


def as_yaml(settings: msgspec.Struct) -> str:
    """Settings as `--config` takes them."""
    return msgspec.yaml.encode(decided(msgspec.to_builtins(settings, enc_hook=str))).decode()


def _path(kind: type, value: object) -> object:
    if kind is Path:
        return Path(str(value))
    raise NotImplementedError(kind)
