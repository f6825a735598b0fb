"""Facts of scenes, asked of every family; where there are many scenes, in worker processes."""

from collections import Counter
from collections.abc import Callable, Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from functools import partial

from pstgen.core import plugins, workers
from pstgen.core.config import BuildConfig
from pstgen.core.records import Fact, Scene
from pstgen.core.report import Refusals, Report
from pstgen.questions import families
from pstgen.questions.priors import Tally, answered
from pstgen.scenes import pixels, sources
from pstgen.scenes.sources import Entry

MANY = 400  # scenes for which worker processes pay
SHARD, PICTURED = 2000, 100  # scenes of the prior that a worker reads at a time, without and with their pictures
OTHERS = 64  # images of scenes that feed the prior which are remembered, to stand for another scene


Through = Callable[[Iterator[Scene]], Iterator[Scene]]  # passes scenes on, with more known of them


@dataclass(frozen=True, slots=True)
class Known:
    """What the families know of one scene: facts, and those that are unknown. unsound: why its image cannot be used, or ""."""

    facts: tuple[Fact, ...] = ()
    unknown: tuple[Fact, ...] = ()
    unsound: str = ""


@dataclass(slots=True)
class Observed:
    """What scenes that give no items teach. scenes: how many; pictured: of how many the image was looked at.

    wanted: how many there were to read. images: some of their image files, in the order of their scenes.
    """

    tally: Tally = field(default_factory=Counter)
    scenes: int = 0
    pictured: int = 0
    wanted: int = 0
    images: list[str] = field(default_factory=list)
    refused: Refusals = field(default_factory=Refusals)

    def add(self, other: "Observed") -> None:
        """Add what other scenes teach."""
        self.tally.update(other.tally)
        self.scenes += other.scenes
        self.pictured += other.pictured
        self.wanted += other.wanted
        self.images += other.images[: OTHERS - len(self.images)]
        self.refused.add(other.refused)


def family_names(config: BuildConfig) -> tuple[str, ...]:
    """The families that are asked."""
    return config.questions.families or plugins.names("families")


def ask(names: Sequence[str], scene: Scene, /) -> Known:
    """Ask each family about a scene; one whose image is at hand and cannot be used is not asked about."""
    if scene.path and (reason := pixels.defect(scene)):
        return Known(unsound=reason)
    asked = [fact for name in names for fact in families.load(name).ask(scene)]
    return Known(
        tuple(fact for fact in asked if fact.truth.answer is not None),
        tuple(fact for fact in asked if fact.truth.answer is None),
    )


def known(scenes: Iterable[Scene], config: BuildConfig, report: Report) -> Iterator[tuple[Scene, tuple[Fact, ...]]]:
    """Pass on each scene with its known facts, in their order; what is unknown or unsound is counted and named."""
    names = family_names(config)
    for scene in scenes:
        answer = ask(names, scene)
        if answer.unsound:
            pixels.refuse(scene, answer.unsound, report.refused)
            continue
        report.refused.facts.update((fact.family, fact.truth.reason) for fact in answer.unknown)
        report.count("known facts", (fact.family for fact in answer.facts))
        yield scene, answer.facts


def observe(
    config: BuildConfig,
    entries: Sequence[Entry],
    pictured: frozenset[str],
    processes: int,
    through: Through | None = None,
) -> Iterator[Observed]:
    """What those scenes of the source teach, shard by shard. pictured: ids of scenes whose image is looked at.

    through: passes scenes on, with more known of them; it cannot be taken into worker processes.
    """
    ids = ([entry.id for entry in shard] for shard in shards(entries, pictured, SHARD, PICTURED))
    parts = ((frozenset(shard), pictured.intersection(shard)) for shard in ids)
    if through:
        yield from (_shard(config, part, through) for part in parts)
    else:
        yield from workers.parallel_map(partial(_shard, config), parts, processes, batch=1)


def shards(entries: Iterable[Entry], pictured: Collection[str], plain: int, looked_at: int) -> Iterator[list[Entry]]:
    """Scenes in their order, as many at a time as take about equally long.

    plain: how many without their pictures; looked_at: how many with them. pictured: ids of those.
    """
    shard, weight = list[Entry](), 0
    for entry in entries:
        shard.append(entry)
        weight += plain // looked_at if entry.id in pictured else 1
        if weight >= plain:
            yield shard
            shard, weight = [], 0
    if shard:
        yield shard


def _shard(
    config: BuildConfig,
    part: tuple[frozenset[str], frozenset[str]],
    through: Callable[[Iterator[Scene]], Iterator[Scene]] = lambda scenes: scenes,
) -> Observed:
    wanted, pictured = part
    observed, names = Observed(wanted=len(wanted)), family_names(config)
    counting = {name: counted for name in names if (counted := families.counted(name))}
    asked = [name for name in names if name not in counting]
    source = sources.load(config.source.name)
    read = source.scenes(config, wanted.__contains__, observed.refused, pictured.__contains__)
    for scene in through(read):
        answer = ask(asked, scene)
        if answer.unsound:
            pixels.refuse(scene, answer.unsound, observed.refused)
            continue
        observed.scenes += 1
        observed.tally.update(answered(answer.facts))
        for counted in counting.values():
            counted.add(scene)
        if scene.path:
            observed.pictured += 1
            observed.images += [scene.path] * (len(observed.images) < OTHERS)
    for counted in counting.values():
        observed.tally.update(dict(counted.tally()))
    return observed
