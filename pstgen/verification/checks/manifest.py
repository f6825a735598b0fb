"""Does the manifest agree with itself and with the set: settings within their bounds, counts that add up, where it comes from?"""

from collections import Counter
from collections.abc import Iterator

import msgspec

from pstgen.core import config as configs
from pstgen.core.config import BuildConfig, VerifyConfig
from pstgen.core.records import BadInput, Pair
from pstgen.dataset.store import Dataset
from pstgen.models.panel import ORDINARY
from pstgen.questions.priors import is_prior_part
from pstgen.scenes import sources
from pstgen.scenes.sources import world
from pstgen.verification import rebuild
from pstgen.verification.checks import first_problems
from pstgen.verification.findings import Finding

ANEW = True
OURS = ("world", "coco")  # sources whose scenes bear their name
FOUND = ("pairs found", "candidate pairs")  # stations before the judges
FOOLED = "fooled "  # before a judge's name, its station


class Ordinary(msgspec.Struct, rename={"raw": "right uncalibrated", "by_chance": "by chance"}):
    """What a judge reached on ordinary questions."""

    of: int
    right: int
    raw: int
    by_chance: float


class Details(msgspec.Struct, rename={"ordinary": ORDINARY}):
    """What a manifest says of a judge that is a model, as far as anything is made of it."""

    decides: bool = True
    ordinary: Ordinary | None = None
    way: str = ""
    agreement: dict[str, int] = {}


def examine(dataset: Dataset, config: VerifyConfig, /) -> Finding:  # noqa: ARG001
    """Settings, then what was counted on the way."""
    pairs = list(dataset.pairs())
    try:
        settings = rebuild.own_settings(dataset.manifest)
    except BadInput as error:
        return Finding(check="manifest", summary="settings", problems=(str(error),))
    problems = (
        *_names(dataset),
        *_models(dataset),
        *_origin(dataset, settings),
        *_counts(dataset, pairs),
    )
    return Finding(
        check="manifest",
        summary="settings within their bounds, origin and counts worked out anew",
        problems=first_problems(problems),
    )


def _names(dataset: Dataset) -> Iterator[str]:
    """Every setting is there that a build writes, and no other; each in its section, and once."""
    usual = configs.flat(configs.manifest_settings(BuildConfig(), 0.0, None))
    found = configs.flat(dataset.manifest.settings)
    for name in sorted(usual.keys() ^ found.keys()):
        yield f"manifest.json: setting {name} is {'missing' if name in usual else 'none of a build'}"
    if configs.nested(found) != dataset.manifest.settings:
        yield "manifest.json: settings stand outside their sections, or in two places"


def _models(dataset: Dataset) -> Iterator[str]:
    """Each model is a judge, or one that judges in several ways; its shares are shares."""
    for name, said in dataset.manifest.models.items():
        try:
            details = msgspec.convert(said, Details)
        except msgspec.ValidationError as error:
            yield f"manifest.json: models: {name}: {error}"
            continue
        if name not in {judge.partition("/")[0] for judge in dataset.manifest.judges} | dataset.manifest.judges.keys():
            yield f"manifest.json: models: {name} is none of the judges"
        known = details.ordinary
        if known and not (
            0 <= known.right <= known.of and 0 <= known.raw <= known.of and 0 <= known.by_chance <= known.of
        ):
            yield f"manifest.json: models: {name} is right about {known.right} of {known.of} ordinary questions"
        items = details.agreement.get("items", 1)
        if items < 1 or any(not 0 <= n <= items for n in details.agreement.values()):
            yield f"manifest.json: models: {name} agrees with itself in {details.agreement}"


def _origin(dataset: Dataset, settings: BuildConfig) -> Iterator[str]:
    """What is drawn, and not read, has an origin that follows from the settings, and so have the scenes that feed the prior."""
    name = settings.source.name
    if others := {row["source"] for row in dataset.cells()} - {name} if name in OURS else ():
        yield f"manifest.json: the source is {name}, of some rows {min(others)}"
    licences = settings.source.licenses
    if others := {row["licence"] for row in dataset.cells()} - {*licences} if licences else ():
        yield f"manifest.json: the licences are {', '.join(licences)}, of some rows {min(others)!r}"
    if name != "world":
        return
    share, split = settings.questions.prior_share or 0.0, settings.questions.prior_split
    prior = sum(is_prior_part(scene, split, share, settings.seed) for scene in world.names(settings))
    fed = sum(dataset.manifest.funnel.get("scenes for the prior", {}).values())
    if not settings.questions.prior_file and fed != prior:
        yield f"manifest.json: funnel: {fed} scenes feed the prior, by its settings {prior}"
    expected, found = sources.load(name).origin(settings), dataset.manifest.origin
    for name in sorted(name for name in expected if found.get(name) != expected[name]):
        yield f"manifest.json: origin: {name} is {found.get(name)!r}, by its settings {expected[name]!r}"


def _counts(dataset: Dataset, pairs: list[Pair]) -> Iterator[str]:
    """By family: as many pairs are kept as there are, and at no station more than at the one before."""
    funnel, dropped = dataset.manifest.funnel, dataset.manifest.dropped
    kept = dict(Counter(pair.family for pair in pairs))
    if funnel.get("kept") != kept:
        yield f"manifest.json: funnel: kept is {funnel.get('kept')}; the set holds {kept}"
    if wrong := [n for counts in (*funnel.values(), *dropped.values()) for n in counts.values() if n < 0]:
        yield f"manifest.json: counts {wrong[0]}"
    fooled = [funnel[station] for station in funnel if station.startswith(FOOLED)]
    judges = {station.removeprefix(FOOLED) for station in funnel if station.startswith(FOOLED)}
    if judges - dataset.manifest.judges.keys():
        yield f"manifest.json: funnel: names the judges {sorted(judges)}; there are {sorted(dataset.manifest.judges)}"
    for family, n in sorted(kept.items()):
        stations = [funnel.get(station, {}) for station in FOUND]
        found = [counts.get(family, 0) for counts in stations]
        left = min([found[-1], *(counts.get(family, 0) for counts in fooled)])
        lost = sum(dropped.get(family, {}).values())
        if found != sorted(found, reverse=True) or n + lost > left or (fooled and n + lost != left):
            yield f"manifest.json: funnel: of {family} {' and '.join(map(str, found))} pairs were found, {left} misled every judge, {n} are kept and {lost} dropped"  # fmt: skip
