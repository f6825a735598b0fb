"""What a build would cost, before any pixel is read or any model is opened: questions, tokens, operations, hours, money, bytes.

Scenes are counted; what they come to is interpolated between builds that were measured; tokens are counted of sample questions
by the model's own processor; the rest is arithmetic. Every row says which of these it is.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import nullcontext, suppress
from dataclasses import dataclass
from functools import partial
from itertools import chain
from statistics import fmean
from typing import Any

from pstgen.core.config import BuildConfig, JudgeConfig
from pstgen.core.records import BadInput, Unavailable
from pstgen.evaluation.dry_run import model_size, rates
from pstgen.evaluation.dry_run.device import Device, seconds_of
from pstgen.evaluation.dry_run.model_size import Described, Load
from pstgen.evaluation.dry_run.number import NOTHING, Number
from pstgen.evaluation.dry_run.rates import VIEWS, WORLD, Asked
from pstgen.evaluation.dry_run.tokens import Size
from pstgen.models import judges
from pstgen.models.endpoint_limits import Limits
from pstgen.models.loading import Kind
from pstgen.questions import prior_file
from pstgen.questions.prior_scenes import Parts
from pstgen.scenes import pixels, sources

USUAL = (640, 480)  # width and height of most of COCO's pictures
SIZES = 8  # pictures, evenly taken, whose sizes are looked at
PATCH = 28  # pixels a side that one token stands for, where the model is not known: Qwen2.5-VL's
LETTERS = 4  # of a text that one token has, where the model is not known
KINDS: Mapping[str, Kind] = {"lm": "text", "vlm": "image-text-to-text", "endpoint": "image-text-to-text"}
UNKNOWN = "its configuration is not on this machine: a folder with config.json, tokenizer and processor gives it"
ARITHMETIC = "computed"
NEEDED = {
    "lm": "--lm: a folder, a hub id, or smollm2",
    "vlm": "--vlm: a folder, a hub id, or a server's address",
    "endpoint": "--vlm http://HOST:PORT/v1 and --vlm-name, the name that the server serves the model by",
}


@dataclass(frozen=True)
class Row:
    """A figure of the table. number: one that is counted is a float; None where it is not known. basis: where it comes from."""

    part: str
    name: str
    number: Number | float | None
    unit: str
    basis: str


def estimate(config: BuildConfig, parts: Parts, families: Sequence[str], cores: int, device: Device) -> list[Row]:
    """The rows of the table. cores: processes of what models do not do.

    Raises BadInput where a model is not named, Unavailable where its folder is none.
    """
    fitted = config.questions.prior_file
    prior = prior_file.read(fitted).scenes if fitted else len(parts.prior) + len(parts.held)
    asked = rates.asked(config, families, prior, len(parts.items))
    sizes = _sizes(config, parts)
    models = [_judged(kind, config, asked, sizes) for kind in KINDS if kind in config.judges.names]
    ours = [model for model in models if model.kind != "endpoint"]
    return [
        *_pairs(config, asked),
        *chain.from_iterable(model.rows(config) for model in models),
        *(_device(ours, device) if ours else ()),
        *_processes(config, parts, asked, cores),
    ]


def names(config: BuildConfig) -> Iterator[tuple[str, str]]:
    """Every judge by its name, with what answers; models stand by their names, since none is opened."""
    for kind in config.judges.names:
        if kind in KINDS:
            named = config.judges.lm if kind == "lm" else config.judges.vlm
            yield from ((name, f"{named}, not opened") for name in VIEWS[kind])
        else:
            yield from ((judge.name, judge.revision) for judge in judges.load(kind).open(config))


@dataclass(frozen=True)
class _Judged:
    """A model and what it is asked, by judge. described: None where nothing of it is on this machine.

    prompts: of one question. picture: tokens of one, where the model is not known. basis: of the questions.
    """

    kind: str
    questions: Mapping[str, Number]
    described: Described | None
    prompts: int
    picture: float
    batch: int
    basis: str

    @property
    def whole(self) -> Number:
        """All questions."""
        return sum(self.questions.values(), NOTHING)

    def load(self, judge: str) -> Load:
        """Of one question."""
        if self.described:
            return model_size.load(self.described, judge, self.batch)
        letters = [len(f"{text} {' '.join(options)}") for text, options in rates.read().questions]
        picture = 0.0 if judge == "vlm/no-image" else self.picture
        return Load(0.0, self.prompts * (fmean(letters) / LETTERS + picture), 0.0)

    def total(self, of_one: Callable[[Load], float]) -> Number:
        """A figure of all questions."""
        return sum((of_one(self.load(name)) * number for name, number in self.questions.items()), NOTHING)

    def flops(self) -> Number | None:
        """Floating-point operations; None where the model is not known."""
        if self.described is None:
            return None
        return self.total(partial(model_size.flops, self.described.parameters))

    def rows(self, config: BuildConfig) -> Iterator[Row]:
        """What stands in the table."""
        part = "--lm" if self.kind == "lm" else "--vlm"
        for name, number in self.questions.items():
            yield Row(part, f"questions to {name}", number, "", self.basis)
        if self.kind == "endpoint":
            yield from self._requests(part, config.judges)
        else:
            yield from self._work(part)
        yield Row(
            part, "verdicts on the disk", rates.read().bytes_a_verdict * self.whole, "bytes", "measured: bytes each"
        )

    def _work(self, part: str) -> Iterator[Row]:
        if self.described is None:
            yield Row(part, "parameters, tokens, FLOPs", None, "", f"not known: {UNKNOWN}")
            return
        size, tokens = self.described.parameters, self.described.seen or self.described.blind
        yield Row(part, "parameters", size.total, "", "counted: configuration")
        yield Row(part, "weights in 16 bits", 2.0 * size.total, "bytes", ARITHMETIC)
        yield Row(part, "prompts a question", self.prompts, "", f"counted: by {self.described.way}")
        sample = f"counted: {len(rates.read().questions)} questions"
        yield Row(part, "tokens a prompt, of words", tokens.before + tokens.own, "", sample)
        if self.described.seen:
            patches = f"counted: {tokens.patches:,.0f} patches"
            yield Row(part, "tokens a prompt, of a picture", tokens.image, "", patches)
        yield Row(part, "tokens, shared and padded", self.total(lambda load: load.tokens), "", ARITHMETIC)
        if self.described.seen:
            yield Row(part, "patches encoded", self.total(lambda load: load.patches), "", ARITHMETIC)
        yield Row(part, "FLOPs", self.flops(), "", "computed: 2 x parameters x tokens")

    def _requests(self, part: str, setting: JudgeConfig) -> Iterator[Row]:
        generates, requests = setting.ask == "generate", self.prompts * self.whole
        sent, received = self.total(lambda load: load.sent), (model_size.ANSWER if generates else 1) * requests
        guess = f"assumed: {PATCH} x {PATCH} pixels or {LETTERS} letters a token"
        yield Row(part, "requests", requests, "", f"computed: {self.prompts} a question")
        yield Row(part, "tokens sent", sent, "", "counted: its own processor" if self.described else guess)
        yield Row(
            part, "tokens received", received, "", "assumed: short answers" if generates else "computed: a letter each"
        )
        if setting.price_in or setting.price_out:
            price = setting.price_in / 1e6 * sent + setting.price_out / 1e6 * received
            yield Row(part, "price", price, "money", "computed: --price-in, --price-out")
        if setting.per_second:
            yield Row(part, "time at --per-second", 1 / setting.per_second * requests, "s", ARITHMETIC)


def _judged(kind: str, config: BuildConfig, asked: Asked, sizes: Sequence[Size]) -> _Judged:
    setting = config.judges
    name = {"lm": setting.lm, "vlm": setting.vlm, "endpoint": setting.vlm_name}[kind]
    if not name:
        raise BadInput(f"the judge {kind} needs {NEEDED[kind]}")
    limits: dict[str, Any] = {
        "max_cost": setting.max_cost,
        "price_in": setting.price_in,
        "price_out": setting.price_out,
    }
    Limits(**limits)  # refuses what cannot be kept
    described = None
    with suppress(Unavailable) if kind == "endpoint" else nullcontext():  # a server's name need be no folder's
        described = model_size.describe(name, KINDS[kind], setting, rates.read().questions, sizes)
    picture = fmean(width * height for width, height in sizes) / PATCH**2
    questions = {name: asked.judges[name] for name in VIEWS[kind]}
    prompts = described.prompts if described else model_size.prompts(setting.ask or "letters")
    return _Judged(kind, questions, described, prompts, picture, setting.batch_size, _measured(config, asked))


def _pairs(config: BuildConfig, asked: Asked) -> Iterator[Row]:
    basis = _measured(config, asked)
    yield Row("pairs", "candidate pairs", asked.candidates, "", basis)
    yield Row("pairs", "wordings of those", asked.wordings, "", basis)
    yield Row("pairs", "pairs kept", asked.pairs, "", basis)
    yield Row("pairs", "items of those", asked.items, "", basis)
    if asked.unmeasured:
        yield Row("pairs", "of other families", None, "", f"not known: {', '.join(asked.unmeasured)} gave none so far")


def _measured(config: BuildConfig, asked: Asked) -> str:
    kind = "the world" if config.source.name == WORLD else "photographs"
    return f"extrapolated: from {asked.beyond:,} scenes" if asked.beyond else f"measured: {kind}"


def _device(models: Sequence[_Judged], device: Device) -> Iterator[Row]:
    """Hours and money of the models that run here."""
    questions = sum((model.whole for model in models), NOTHING)
    seconds, basis = seconds_of(device, questions, [model.flops() for model in models])
    yield Row("device", "time of one device", seconds, "s", basis)
    if device.price_hour and seconds:
        yield Row("device", "price", device.price_hour / 3600 * seconds, "money", "computed: --price-hour")


def _processes(config: BuildConfig, parts: Parts, asked: Asked, cores: int) -> Iterator[Row]:
    """What models do not do."""
    measured, looked = rates.read(), len(parts.pictured)
    prior, items = len(parts.prior) + len(parts.held), len(parts.items)
    world = config.source.name == WORLD
    read = {"annotations": prior - looked, "pictures for the prior": looked, "pictures for items": items}
    scenes = {"drawn scenes": prior + items} if world else read
    work: dict[str, Number | float] = {**scenes, "wordings": asked.wordings, "items": asked.items}
    for unit, number in work.items():
        each = measured.seconds[unit] / 1000 / cores
        yield Row("processes", unit, each * number, "s", "measured: CPU time")


def _sizes(config: BuildConfig, parts: Parts) -> list[Size]:
    """Width and height of a few pictures, by their files' first bytes; the usual ones where none can be opened."""
    if config.source.name == WORLD:
        return [(config.source.size, config.source.size)]
    folders = sources.searched(config)
    found = []
    for entry in parts.items[:: max(1, len(parts.items) // SIZES)][:SIZES]:
        file = next((folder / entry.image for folder in folders if (folder / entry.image).is_file()), None)
        if file:
            with suppress(ValueError, OSError):
                found.append(pixels.size(str(file)))
    return found or [USUAL]
