"""What a run is configured by: one struct a station, joined in one a command; a YAML file and the options fill the same."""

import re
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any, Literal, TypeVar

import msgspec
from msgspec import Meta

from pstgen.core import reading
from pstgen.core.bounds import Amount, Bounded, Count, CountOrZero, Positive, Scenes, Seed, Share, Side
from pstgen.core.records import BadInput
from pstgen.core.resources import could_be_hub_id, is_server

T = TypeVar("T", bound=msgspec.Struct)
Way = Literal["options", "letters", "generate"]  # in which a model is asked
Place = Literal["point", "box"]  # what a model is asked to give instead of an option: where the answer is shown
Coordinates = Literal[
    "thousandths", "pixels", "percent", "fraction", "locations"
]  # units of a place; locations: 1024ths
Workers = Annotated[int, Meta(ge=0, le=1024)]
Concurrency = Annotated[int, Meta(ge=1, le=1024)]
Timeout = Annotated[float, Meta(gt=0, le=86_400)]
Folds = Annotated[int, Meta(ge=2, le=1000)]
Gpus = Annotated[float, Meta(ge=0, le=1024)]
PLACES = ("street", "meadow", "beach", "kitchen", "room")
WorldPlace = Literal["", "street", "meadow", "beach", "kitchen", "room"]
Resume = Literal["auto", "always", "never"]  # what becomes of verdicts that the journal has
Confidence = Annotated[float, Meta(gt=0, lt=1)]
Bits = Annotated[int, Meta(ge=0, le=256)]
Port = Annotated[int, Meta(ge=0, le=65535)]
PriorShare = Annotated[float, Meta(ge=0, le=0.95)]  # the rest gives items
FamilyShare = Annotated[float, Meta(ge=0.05, le=1)]

LIMITS = ("concurrency", "timeout", "per_second", "max_requests", "max_cost", "price_in", "price_out")  # of a server
LEFT_OUT = (
    "root",
    "images",
    "prior_vqa",
    "out",
    "workers",
    "resume",
    "ray_address",
    "gpus_per_worker",
    *LIMITS,
)  # of a manifest
FILES = ("annotations", "names", "templates", "prior_annotations", "prior_file")  # of the user's own
NAMED = (*FILES, "lm", "vlm", "adapter", "depth_model")  # in a manifest by their names alone
ELSEWHERE = frozenset(
    {*FILES, "detector", "depth_model"}
)  # of a manifest: not what lies on this machine, but its hash or name
MODELS = frozenset({"lm", "vlm"})  # "none" is none; where nothing is said, it is decided


class SourceConfig(Bounded, kw_only=True, frozen=True, forbid_unknown_fields=True):
    """Where the scenes come from."""

    name: str = msgspec.field(default="coco", name="source")  # a file in scenes/sources/
    root: Path | None = None  # COCO's folder: annotations/ beside val2017/
    split: str = "val2017"
    annotations: Path | None = None  # one COCO-format instances file of the user's own, instead of root and split
    images: Path | None = None  # the folder of its pictures, where they are not beside it
    names: Path | None = None  # YAML: category → the noun that questions call it
    limit: Count | None = None  # scenes that give items, at most: the first ones
    licenses: tuple[str, ...] = ()  # of pictures for items: ids, names, addresses, cc-by; empty means all
    blur_faces: bool = False  # of photographs, by the joints of heads
    scenes: Scenes = 2000  # of the built-in world: how many to draw
    size: Side = 256  # of the built-in world: the side of a scene in pixels
    typicality: Share = 0.85  # of the built-in world: the share of facts that are as one expects
    place: WorldPlace = ""  # of the built-in world: where all scenes are; "" means anywhere
    detector: Path | None = None  # of photographs: a "no" needs its silence
    detector_threshold: Share = 0.2  # a low one: it should rather detect too much
    depth_model: str | None = None  # of photographs: a folder or hub id that estimates depth


class QuestionConfig(Bounded, kw_only=True, frozen=True, forbid_unknown_fields=True):
    """What is asked, in which words, and what one expects before looking."""

    families: tuple[str, ...] = ()  # files in questions/families/; empty means all
    frames: tuple[str, ...] = ()  # empty means all
    templates: Path | None = None  # a user's own templates/, searched first
    prior: str = "counts"  # a file in questions/priors/
    prior_split: str = ""  # of COCO: another split to fit the prior on; train2017 where its annotations stand beside
    prior_annotations: Path | None = None  # any COCO-format file to fit the prior on, with or without its pictures
    prior_file: Path | None = None  # a prior that was fitted before, by `pstgen priors --save`
    prior_base: str | None = (
        None  # counts that are added to the source's own: a file in data_sources/priors/, or "none"
    )
    prior_share: PriorShare | None = (
        None  # of the other scenes, that feed the prior too and give no items; None is decided
    )
    prior_pictures: CountOrZero = 5000  # of the prior's scenes, whose pictures are looked at, at most


class PairConfig(Bounded, kw_only=True, frozen=True, forbid_unknown_fields=True):
    """Which pairs are proposed."""

    twins: tuple[str, ...] = ()  # files in pairs/twins/; empty means all
    edited: CountOrZero = 100  # pairs of each kind of edit, at most
    min_pull: Amount = 0.0  # nats that the words surely (95 %) add to the lure's log-odds
    pairs_per_question: Count = 24  # of one and the same question, at most
    candidates: Count = 500  # pairs a family that go to the judges, the strongest pull first


class JudgeConfig(Bounded, kw_only=True, frozen=True, forbid_unknown_fields=True):
    """Who judges, and how often."""

    names: tuple[str, ...] = msgspec.field(
        default=("prior", "text"), name="judges"
    )  # words alone; `lm` and `vlm` join them where there is a model
    lm: str | None = (
        None  # a folder, a GGUF file, a hub id, "smollm2" or "none"; on the built-in world one comes with pstgen
    )
    vlm: str | None = None  # the same, of a vision-language model; or the address of an OpenAI-compatible server
    vlm_name: str | None = None  # by which a server serves its model
    vlm_revision: str | None = None  # of the hub
    adapter: str | None = None  # of the VLM: a folder of peft's
    ask: Way | None = None  # how; None is decided by the model
    prior_vqa: Path | None = None  # folder of VQA v2's official questions and annotations: one more baseline
    device: str = "auto"
    device_map: str | None = None  # spreads a large model's weights: auto, balanced, …
    dtype: str = "auto"  # of models: bfloat16 on CUDA, else float32
    attention: str | None = None  # sdpa, eager, flash_attention_2
    batch_size: Count = 32
    concurrency: Concurrency = 8  # of a server: requests at once
    timeout: Timeout = 120.0  # seconds that a request may take
    per_second: Positive | None = None  # requests, at most
    max_requests: Count | None = None  # in all
    max_cost: Positive | None = None  # in all, in the currency of the prices
    price_in: Amount = 0.0  # of a million tokens that are sent
    price_out: Amount = 0.0  # of a million tokens that come back
    wordings: Count = 4  # tries to find words for which every baseline falls
    engine: str = "local"  # a file in models/engines/
    resume: Resume = "auto"  # auto: kept verdicts are taken; never: asked anew; always: an error where there are none
    ray_address: str | None = None  # of a Ray cluster: HOST:PORT, "auto"; None takes $RAY_ADDRESS, or starts Ray here
    gpus_per_worker: Gpus | None = None  # of the engine ray; None is 1 where the cluster has GPUs, else 0


class SelectionConfig(Bounded, kw_only=True, frozen=True, forbid_unknown_fields=True):
    """Which pairs stay."""

    max_family_share: FamilyShare = 0.6
    pairs_per_scene: Count = 5
    pairs_per_kind: Count = 1  # that ask about one kind of thing in one scene
    min_options_share: Share = 0.5  # of the kept pairs, that have four options
    min_neutral_share: Share = 0.4  # of the kept pairs, whose words claim nothing
    max_direction_share: Share = 0.55  # of a family's yes/no pairs, whose lure is the same


class BuildConfig(Bounded, kw_only=True, frozen=True, forbid_unknown_fields=True):
    """`pstgen build`: one section a station. `build_config` takes the names of all settings without their sections."""

    source: SourceConfig = SourceConfig()
    questions: QuestionConfig = QuestionConfig()
    pairs: PairConfig = PairConfig()
    judges: JudgeConfig = JudgeConfig()
    selection: SelectionConfig = SelectionConfig()
    seed: Seed = 0
    workers: Workers = 0  # processes for what models do not do; 0 means one a core
    out: Path = Path("pst")


SECTIONS = ("source", "questions", "pairs", "judges", "selection")  # of a BuildConfig
SECTION = {  # of every setting that stands in one; no two sections have a name in common
    name: section for section in SECTIONS for name in type(getattr(BuildConfig(), section)).__struct_encode_fields__
}


class VerifyConfig(Bounded, kw_only=True, frozen=True, forbid_unknown_fields=True):
    """`pstgen verify`."""

    folder: Path = Path("pst")
    seed: Seed = 0
    folds: Folds = 5  # of every attacker, grouped by pair
    workers: Workers = 0  # processes that checks run in; 0 means one a core
    confidence: Confidence = 0.95  # of every interval
    most_wrong: Share | None = None  # labels, by the upper bound of an audit; None asks for no audit
    most_over: Share = 0.03  # that an attacker's upper bound may pass what hitting every pair once would reach
    probe_over: Share = 0.02  # that a probe's surely reached share of pairs may pass one half
    alike: Bits = 28  # bits of 256 by which pictures of different scenes must differ more
    duplicates: CountOrZero = 0  # scenes that may look like another, or like a picture of `against`
    expect: str = ""  # the hash that `build` printed, from elsewhere than the set itself
    root: Path | None = None  # of photographs: COCO's folder, so that pictures and annotations can be compared with it
    annotations: Path | None = None  # the same, of the user's own file
    images: Path | None = None
    against: Path | None = (
        None  # a stress test, a folder of pictures, or a file of COCO image ids, that it must not share
    )
    attackers: tuple[str, ...] = ()  # files in verification/attackers/; empty means all that have what they need
    attacker_lm: str = ""  # fine-tuned on the words: a folder, a hub id, or "ours", the one that comes with pstgen
    attacker_vlm: str = ""  # the same, of a vision-language model: blinded, tuned blind, shown another scene
    device: str = "auto"  # of both
    dtype: str = "auto"
    device_map: str | None = None


class EvalConfig(Bounded, kw_only=True, frozen=True, forbid_unknown_fields=True):
    """`pstgen eval`: a model, or answers that were made elsewhere."""

    folder: Path = Path("pst")
    model: str | None = None  # a folder, a hub id, "eye", or the address of an OpenAI-compatible server
    model_name: str | None = None  # by which a server serves it
    concurrency: Concurrency = 8  # of a server: requests at once
    timeout: Timeout = 120.0  # seconds that a request may take
    predictions: Path | None = None  # answers by item id, instead of a model
    blind_predictions: Path | None = None  # the same, of a model that saw no image
    name: str = ""  # that stands in the results; "" means the model's or the file's own
    pairs: Path | None = None  # a file of `pstgen mini`: only its pairs
    limit: Count | None = None  # pairs, at most: an even draw over families and wordings
    blind: bool = True  # ask again without the image
    neutral: bool = True  # ask framed items by their neutral question too
    revision: str | None = None  # of the hub
    adapter: str | None = None  # a folder of peft's
    ask: Way | Place | None = None
    coordinates: Coordinates | None = (
        None  # in which a place is asked for and read; None is decided by the model and the form
    )
    collateral: bool = False  # ask edited twins a question that the edit does not touch, too
    device: str = "auto"
    device_map: str | None = None
    dtype: str = "auto"
    attention: str | None = None
    batch_size: Count = 32
    resume: Resume = "auto"  # auto: kept answers are taken; never: asked anew; always: an error where there are none
    seed: Seed = 0  # of the intervals' draws
    out: Path | None = None  # where the result is written


class AuditConfig(Bounded, kw_only=True, frozen=True, forbid_unknown_fields=True):
    """`pstgen audit`."""

    folder: Path = Path("pst")
    n: Count = 200  # labels to look at, at least; pairs stay whole
    seed: Seed = 0  # of the sample; people who are to be compared take the same
    who: str = ""  # whose verdicts they are; empty means the user's name on this machine
    port: Port = 0  # on 127.0.0.1; 0 means any free one
    browser: bool = True  # open one


class RebuildConfig(Bounded, kw_only=True, frozen=True, forbid_unknown_fields=True):
    """`pstgen verify --rebuild`: what a manifest leaves out or only names, since it lies elsewhere on every machine."""

    root: Path | None = None
    annotations: Path | None = None
    images: Path | None = None
    names: Path | None = None
    templates: Path | None = None
    prior_annotations: Path | None = None
    prior_file: Path | None = None
    prior_vqa: Path | None = None
    detector: Path | None = None
    depth_model: str | None = None
    lm: str | None = None
    vlm: str | None = None
    adapter: str | None = None


class WorldConfig(Bounded, kw_only=True, frozen=True, forbid_unknown_fields=True):
    """`pstgen world`."""

    n: Count = 2000
    size: Side = 256
    typicality: Share = 0.85
    seed: Seed = 0
    out: Path = Path("world")


class FetchConfig(Bounded, kw_only=True, frozen=True, forbid_unknown_fields=True):
    """`pstgen fetch`."""

    what: str = "coco"  # a file in data_sources/ with addresses
    split: str = "val2017"
    mirror: str | None = None  # instead of the official address
    cache: Path | None = None


def read(path: Path | None, options: Mapping[str, Any], as_: type[T]) -> T:
    """Fill `as_` from a YAML file, then from the command's options (None means not given).

    A dataset's manifest.json is taken for the settings that it was built with. Raises BadInput naming the file and the
    field, where one is unknown or of the wrong kind.
    """
    settings = {} if path is None else _settings(path)
    given = {name: value for name, value in options.items() if value is not None and value != ()}
    if as_ is BuildConfig:
        return _convert(nested({**flat(settings), **given}), as_, str(path or "options"))
    return _convert({**settings, **given}, as_, str(path or "options"))


def build_config(**settings: Any) -> BuildConfig:
    """A build's configuration by the names of its settings, the command line's: `build_config(source="world", scenes=300)`.

    Raises BadInput where a name is unknown or a value of the wrong kind.
    """
    return _convert(nested(settings), BuildConfig, "settings")


def with_settings(config: BuildConfig, **settings: Any) -> BuildConfig:
    """The same configuration with other values of some settings, whichever sections they stand in."""
    before = flat(msgspec.to_builtins(config, enc_hook=str))
    return _convert(nested({**before, **settings}), BuildConfig, "settings")


def nested(settings: Mapping[str, Any]) -> dict[str, Any]:
    """Settings by name, put into their sections.

    >>> nested({"scenes": 300, "seed": 1})
    {'seed': 1, 'source': {'scenes': 300}}
    """
    sections: dict[str, Any] = {name: value for name, value in settings.items() if name not in SECTION}
    for name in (name for name in settings if name in SECTION):
        if not isinstance(section := sections.setdefault(SECTION[name], {}), dict):
            raise BadInput(f"settings: {SECTION[name]} holds {section!r}, no settings")
        section[name] = settings[name]
    return sections


def flat(settings: Mapping[str, Any]) -> dict[str, Any]:
    """A build's settings in sections, as a file or a manifest has them, by name alone: the inverse of `nested`.

    >>> flat({"source": {"scenes": 300}, "seed": 1})
    {'scenes': 300, 'seed': 1}
    """
    names: dict[str, Any] = {}
    for name, value in settings.items():
        names |= dict(value) if name in SECTIONS and isinstance(value, Mapping) else {name: value}
    return names


def _convert(settings: Mapping[str, Any], as_: type[T], where: str) -> T:
    try:
        return msgspec.convert(settings, type=as_, dec_hook=_path)
    except (msgspec.ValidationError, TypeError) as error:
        raise BadInput(f"{where}: {error}") from error


def _settings(path: Path) -> dict[str, Any]:
    """What a YAML file or a manifest says."""
    try:
        settings: Any = reading.yaml_of(reading.content(path), Any) or {}
    except OSError as error:
        raise BadInput(f"{path}: {error.strerror}; --config takes a YAML file or a dataset's manifest.json") from None
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise BadInput(f"{path}: is not YAML: {' '.join(str(error).split())}") from None
    if not isinstance(settings, dict):
        raise BadInput(f"{path}: holds no settings; a line is NAME: VALUE, names as in pstgen/core/config.py")
    if "settings" in settings and "seal" in settings:
        if not isinstance(settings["settings"], dict):
            raise BadInput(f"{path}: is no manifest that pstgen wrote: its settings are no mapping")
        return {name: value for name, value in decided(flat(settings["settings"])).items() if name not in ELSEWHERE}
    return settings


def decided(settings: Mapping[str, Any]) -> dict[str, Any]:
    """Settings of one run for another: a model that was not used is "none", so that nothing decides anew."""
    return {name: "none" if name in MODELS and value is None else value for name, value in settings.items()}


def manifest_settings(config: BuildConfig, prior_share: float, detector: str | None) -> dict[str, Any]:
    """The configuration in its sections, without what is this machine's own and changes no byte. detector: its hash."""
    settings = flat(msgspec.to_builtins(config, enc_hook=str))
    for name in LEFT_OUT:
        del settings[name]
    if settings["engine"] == "ray":
        settings["engine"] = "local"  # the bytes are the same, and whoever builds the set again needs no cluster
    named = {name: settings[name] and _name(settings[name]) for name in NAMED}
    return nested({**settings, **named, "detector": detector, "prior_share": prior_share})


def _name(model: str) -> str:
    """Of a folder or file its last part, of a server its address without a password, of the hub the id."""
    if is_server(model):
        return re.sub("//[^/]*@", "//", model)
    return model if could_be_hub_id(model) and not Path(model).exists() else Path(model).name


def as_yaml(settings: msgspec.Struct) -> str:
    """Settings as `--config` takes them."""
    plain = msgspec.to_builtins(settings, enc_hook=str)
    return msgspec.yaml.encode(nested(decided(flat(plain)))).decode()


def _path(kind: type, value: object) -> object:
    if kind is Path:
        return Path(str(value))
    raise NotImplementedError(kind)
