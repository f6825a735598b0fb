"""Scenes pass every twin maker. Where there are many, worker processes read them, ask about them and look at them, shard by shard."""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from functools import lru_cache, partial
from typing import Any

from pstgen.core import workers
from pstgen.core.config import BuildConfig
from pstgen.core.records import Candidate, Scene
from pstgen.core.report import Report
from pstgen.core.workers import Shared
from pstgen.pairs import twins
from pstgen.pairs.context import PairContext
from pstgen.pairs.twins import Maker
from pstgen.questions import facts
from pstgen.scenes import pixels, sources
from pstgen.scenes.sources import Entry

SHARD, PICTURED = 960, 32  # scenes that a worker takes at a time, without and with their pictures

Found = dict[str, Any]  # by twin maker, what it found in one scene
Witness = Callable[[Iterator[Scene]], Iterator[Scene]]


def scenes(
    config: BuildConfig, entries: Sequence[Entry], report: Report, witness: Witness | None = None
) -> Iterator[Scene]:
    """The scenes that give items, in their order, with all that is said of them; without its picture where that is not at hand."""
    at_hand = {entry.id: entry.at_hand for entry in entries}
    read = sources.load(config.source.name).scenes(config, at_hand.__contains__, report.refused, at_hand.__getitem__)
    for scene in witness(pixels.usable(read, report.refused)) if witness else read:
        report.count("scenes for items", [config.source.name])
        report.captioned += scene.complete or bool(scene.captions)
        yield scene


def found(
    makers: Mapping[str, Maker], passing: Iterator[Scene], config: BuildConfig, report: Report
) -> Iterator[Found]:
    """What each maker that wants more finds in each scene whose image can be used."""
    for scene, known in facts.known(passing, config, report):
        yield {name: maker.look(scene, known) for name, maker in makers.items() if maker.wants()}


def found_ahead(
    makers: Mapping[str, Maker], entries: Sequence[Entry], context: PairContext, report: Report, processes: int
) -> Iterator[Found]:
    """The same of the scenes of a source, which worker processes read and look at while others pass."""
    jobs = (
        (shard, [name for name, maker in makers.items() if maker.wants()])
        for shard in facts.shards(entries, {entry.id for entry in entries if entry.at_hand}, SHARD, PICTURED)
    )
    for of_shard, each in workers.parallel_map(partial(_shard, Shared(context)), jobs, processes, batch=1):
        report.add(of_shard)
        yield from each


def candidates(makers: Mapping[str, Maker], found: Iterable[Found]) -> Iterator[Candidate]:
    """The pairs of each scene, in their order, then those that scenes give together."""
    for by_maker in found:
        for name, each in by_maker.items():
            yield from makers[name].take(each)
    for maker in makers.values():
        yield from maker.rest()


def _shard(shared: Shared[PairContext], job: tuple[Sequence[Entry], Sequence[str]], /) -> tuple[Report, list[Found]]:
    (entries, names), report, config = job, Report(), shared.value.config
    makers = {name: _maker(shared, name) for name in names}
    return report, list(found(makers, scenes(config, entries, report), config, report))


@lru_cache
def _maker(shared: Shared[PairContext], name: str) -> Maker:
    """Of this process; it remembers what words suggest from one shard to the next."""
    return twins.load(name).open(shared.value)
