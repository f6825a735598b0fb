"""`pstgen inspect`: what a source holds, how it will be spoken of, and what each family can ask of it, before any build."""

from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Mapping

import msgspec

from pstgen.build import Run, check, count_facts, fit_prior, prepare, propose_pairs
from pstgen.core import reasons, scratch
from pstgen.core.config import BuildConfig, with_settings
from pstgen.core.progress import Progress, silent
from pstgen.core.records import BadInput, Scene
from pstgen.core.report import Report
from pstgen.pairs import passing
from pstgen.questions import facts
from pstgen.scenes import sources, vocabulary

LOOKED_AT = 500  # scenes for items, by default
REASONS = 2  # of a family, why it knows no more


class Kind(msgspec.Struct, frozen=True):
    """One category: what questions call it, how many things there are, in how many scenes; is that COCO's category?"""

    category: str
    spoken: str
    things: int
    scenes: int
    is_coco: bool


class Family(msgspec.Struct, frozen=True):
    """What a family can ask: known facts, candidate pairs, and why it knows no more, with counts, the commonest first."""

    name: str
    known: int
    pairs: int
    unknown: list[tuple[str, int]]


class Inspection(msgspec.Struct, frozen=True):
    """Of the scenes that were looked at.

    scenes: by what they are for. things: of all categories; masks, joints: how many of them have that. captioned: scenes with
    captions. sizes: the smallest and the largest picture, pixels. pairs: candidates, of which judges will keep some. licences:
    of all annotated pictures, with their number, the commonest first.
    """

    source: str
    scenes: dict[str, int]
    sizes: tuple[tuple[int, int], tuple[int, int]]
    captioned: int
    things: int
    masks: int
    joints: int
    kinds: list[Kind]
    families: list[Family]
    pairs: int
    left_out: list[tuple[str, int]]
    notes: list[str]
    licences: list[tuple[str, int]]


def inspect(config: BuildConfig, progress: Progress = silent) -> Inspection:
    """Read what a build would read, and propose pairs; nothing is judged or written. Raises what `build` raises at its beginning."""
    config = config if config.source.limit else with_settings(config, limit=LOOKED_AT)
    check(config)
    with scratch.folder("pstgen-") as work:
        run = prepare(config, work, progress)
        try:
            propose_pairs(fit_prior(count_facts(run), run), run)
        except BadInput as reason:  # nothing is expected: what is known is shown all the same
            run.note(str(reason))
            for _ in facts.known(_scenes(run), config, run.report):
                pass
        scenes = {"that feed the prior": len(run.parts.prior) + len(run.parts.held), "for items": len(run.parts.items)}
        return _inspection(config, scenes, run.report, _survey(_scenes(run)))


def _scenes(run: Run) -> Iterator[Scene]:
    return passing.scenes(run.config, run.parts.items, run.report, run.witness)


class _Survey(msgspec.Struct):
    things: Counter[str] = msgspec.field(default_factory=Counter)
    scenes: Counter[str] = msgspec.field(default_factory=Counter)
    parts: Counter[str] = msgspec.field(default_factory=Counter)
    sizes: set[tuple[int, int]] = msgspec.field(default_factory=set)


def _survey(scenes: Iterable[Scene]) -> _Survey:
    """Count what scenes hold."""
    seen = _Survey()
    for scene in scenes:
        seen.sizes.add((scene.width, scene.height))
        seen.scenes.update({thing.category for thing in scene.instances})
        seen.things.update(thing.category for thing in scene.instances)
        seen.scenes.update(dict.fromkeys(scene.categories, 0))
        seen.parts["captions"] += bool(scene.captions)
        for thing in scene.instances:
            seen.parts["masks"] += bool(thing.rle)
            seen.parts["joints"] += bool(thing.keypoints)
    return seen


def _inspection(config: BuildConfig, scenes: dict[str, int], report: Report, seen: _Survey) -> Inspection:
    areas = sorted(seen.sizes, key=lambda size: size[0] * size[1])
    families = list(_families(facts.family_names(config), report))
    return Inspection(
        source=sources.load(config.source.name).origin(config)["name"],
        scenes=scenes,
        sizes=(areas[0], areas[-1]) if areas else ((0, 0), (0, 0)),
        captioned=seen.parts["captions"],
        things=seen.things.total(),
        masks=seen.parts["masks"],
        joints=seen.parts["joints"],
        kinds=[
            Kind(name, vocabulary.spoken(name), seen.things[name], n, vocabulary.is_coco(name))
            for name, n in seen.scenes.most_common()
        ],
        families=families,
        pairs=sum(family.pairs for family in families),
        left_out=reasons.left_out(report.refused.records),
        notes=report.notes,
        licences=_licences(config),
    )


def _licences(config: BuildConfig) -> list[tuple[str, int]]:
    counted = sources.licences(config, sources.load(config.source.name).index(config))
    return sorted(((licence.label, n) for licence, n in counted.items()), key=lambda row: (-row[1], row[0]))


def _families(names: Iterable[str], report: Report) -> Iterator[Family]:
    unknown: defaultdict[str, dict[str, int]] = defaultdict(dict)
    for (family, reason), n in report.refused.facts.items():
        unknown[family][reason] = n
    known: Mapping[str, int] = report.stations.get("known facts", Counter())
    pairs: Mapping[str, int] = report.stations.get("candidate pairs", Counter())
    for name in names:
        yield Family(name, known.get(name, 0), pairs.get(name, 0), reasons.grouped(unknown[name])[:REASONS])
