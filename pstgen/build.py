"""THE ROAD from scenes to a stress test, one station a function. Read this file first."""

from __future__ import annotations

import heapq
import random
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace
from itertools import chain, tee
from pathlib import Path
from typing import Protocol, TypeVar

import msgspec

from pstgen import plugins, selection, store, wording
from pstgen.config import BuildConfig
from pstgen.judges import Judge
from pstgen.priors import Expectation, is_prior_part
from pstgen.records import BadInput, Candidate, Fact, Item, Refusals, Report, Scene, Verdict
from pstgen.store import Row, Score
from pstgen.wording import Wording

LESSONS = 4000  # known facts a family that the judges learn from

T = TypeVar("T")


class Track(Protocol):
    """Passes an iterable through and shows how far it is."""

    def __call__(self, things: Iterable[T], what: str, total: int | None = None, /) -> Iterable[T]: ...


def silent(things: Iterable[T], what: str, total: int | None = None, /) -> Iterable[T]:  # noqa: ARG001
    """Show nothing."""
    return things


def build(config: BuildConfig, track: Track = silent) -> Report:
    """Build a stress test in `config.out` and say what became of everything on the way.

    Raises BadInput for wrong files or words, Unavailable where the surroundings do not allow it; either way nothing
    is left in `config.out`.
    """
    report = Report()
    with store.create(config.out) as folder:
        prior, lessons = learn(config, report, track)
        candidates = propose(prior, config, report, track)
        gallery = hang(candidates, config, report, track)
        judges = call(config, lessons)
        fallen, scores = mislead(candidates, gallery, judges, config, report, track)
        kept = list(selection.lettered(selection.select(fallen, config)))
        report.count("kept", (twins[0].family for twins in kept))
        if not kept:
            raise BadInput(_nothing(report))
        scores += look(kept, judges, config, track)
        items = sorted(chain(*kept), key=lambda item: item.item_id)
        store.write_rows(folder, track(rows(items, gallery), "writing items", len(items)))
        store.write_scores(folder, settle(scores, kept))
        publish(folder, config, judges, report, len(items))
    return report


def settled(config: BuildConfig) -> BuildConfig:
    """Fill in what a run decides by itself: the built-in world where there are no photographs, a named VLM's judge."""
    if config.source == "coco" and plugins.load("sources", "coco").found(config) is None:
        config = msgspec.structs.replace(config, source="world")
    if config.vlm and "vlm" not in config.judges:
        config = msgspec.structs.replace(config, judges=(*config.judges, "vlm"))
    return config


def learn(config: BuildConfig, report: Report, track: Track) -> tuple[Expectation, list[Item]]:
    """Fit the prior on scenes that give no items, and draw lessons for the judges from the same facts."""
    drawn = _Draw(config.seed)
    told = known(scenes(config, report, track, prior_part=True), config, Report())
    prior: Expectation = plugins.load("priors", config.prior).fit(drawn.passing(told))
    return prior, [_lesson(fact, prior, config) for fact in drawn.kept]


def scenes(config: BuildConfig, report: Report, track: Track, *, prior_part: bool) -> Iterator[Scene]:
    """The scenes of one part: the one that feeds the prior, or the one that gives items."""

    def wanted(scene_id: str) -> bool:
        return is_prior_part(scene_id, config.prior_share, config.seed) == prior_part

    part = "scenes for the prior" if prior_part else "scenes for items"
    source = plugins.load("sources", config.source)
    for scene in track(source.scenes(config, wanted, report.refused), part):
        report.count(part, [config.source])
        yield scene


def known(scenes: Iterable[Scene], config: BuildConfig, report: Report) -> Iterator[Fact]:
    """Ask every family about every scene; pass on what is known, count by reason what is not."""
    families = {name: plugins.load("families", name) for name in config.families or plugins.names("families")}
    for scene in scenes:
        for name, family in families.items():
            for fact in family.ask(scene):
                if fact.truth.known:
                    report.count("known facts", [name])
                    yield fact
                else:
                    report.refused.facts[name, fact.truth.reason] += 1


def propose(prior: Expectation, config: BuildConfig, report: Report, track: Track) -> list[Candidate]:
    """Pair what has one question and two answers; of each family keep the pairs with the strongest pull."""
    makers = [plugins.load("twins", name) for name in config.twins or plugins.names("twins")]
    told = known(scenes(config, report, track, prior_part=False), config, report)
    found: defaultdict[str, list[Candidate]] = defaultdict(list)
    for maker, facts in zip(makers, tee(told, len(makers)), strict=True):
        for candidate in maker.pair(facts, prior, config):
            found[candidate.control.family].append(candidate)
    strongest = [
        candidate
        for family in sorted(found)
        for candidate in heapq.nsmallest(config.candidates, found[family], key=lambda c: (-c.pull, c.pair_id))
    ]
    report.count("candidate pairs", (candidate.control.family for candidate in strongest))
    return strongest


def hang(candidates: Iterable[Candidate], config: BuildConfig, report: Report, track: Track) -> dict[str, Scene]:
    """Read again the scenes that candidates show: their annotations and where their image is, no pixels."""
    shown = {fact.scene_id for candidate in candidates for fact in (candidate.stress, candidate.control)}
    source = plugins.load("sources", config.source)
    found = track(source.scenes(config, shown.__contains__, report.refused), "scenes of candidates", len(shown))
    return {scene.id: scene for scene in found}


def call(config: BuildConfig, lessons: Sequence[Item]) -> list[Judge]:
    """Open every judge; those that cost least come first."""
    return [judge for name in config.judges for judge in plugins.load("judges", name).open(config, lessons)]


def mislead(
    candidates: Iterable[Candidate],
    gallery: dict[str, Scene],
    judges: Iterable[Judge],
    config: BuildConfig,
    report: Report,
    track: Track,
) -> tuple[list[Wording], list[Score]]:
    """Word every pair in several ways and keep the wordings for which every baseline falls.

    A baseline gets only what twins share, so it is asked once a wording; the next one judges what the last has left.
    """
    tried = {
        f"{twins[0].pair_id}/{n}": tuple(replace(item, image=gallery[item.scene_id].path) for item in twins)
        for candidate in candidates
        for n, twins in enumerate(wording.word(candidate, config.wordings, config.frames, config.templates))
    }
    scores: list[Score] = []
    for judge in (judge for judge in judges if not judge.sees):
        asked = [replace(twins[-1], item_id=name) for name, twins in tried.items()]
        judged = track(_run(judge, asked, config), f"{judge.name} judges", len(asked))
        verdicts = dict(zip(tried, judged, strict=True))
        scores += [_score(tried[name][-1], verdict, "both") for name, verdict in verdicts.items()]
        tried = {name: twins for name, twins in tried.items() if selection.falls(twins[-1], [verdicts[name]])}
        fallen = {twins[0].pair_id: twins[0].family for twins in tried.values()}
        report.count(f"fooled {judge.name}", fallen.values())
    return list(tried.values()), scores


def look(kept: Sequence[Wording], judges: Iterable[Judge], config: BuildConfig, track: Track) -> list[Score]:
    """Let the seeing judges answer what was kept. It is recorded, and changes nothing."""
    items = list(chain(*kept))
    return [
        _score(item, verdict, item.role)
        for judge in judges
        if judge.sees
        for item, verdict in zip(items, track(_run(judge, items, config), f"{judge.name} judges", len(items)), strict=True)
    ]


def rows(items: Iterable[Item], gallery: dict[str, Scene]) -> Iterator[Row]:
    """Render the targets of every item and put its image beside them."""
    renderers = [plugins.load("targets", name) for name in plugins.names("targets")]
    for item in items:
        scene = gallery[item.scene_id]
        targets = (renderer.render(scene, item.evidence) for renderer in renderers)
        yield Row(
            item=item,
            scene=scene,
            image=Path(scene.path).read_bytes(),
            suffix=Path(scene.path).suffix.lower(),
            targets=tuple(target for target in targets if target),
            depth_kind="exact" if scene.depth_path else "",
        )


def settle(scores: Iterable[Score], kept: Sequence[Wording]) -> list[Score]:
    """Mark the scores of the wordings that are in the dataset."""
    questions = {(twins[0].pair_id, twins[0].question) for twins in kept}
    marked = (replace(score, kept=(score.pair_id, score.question) in questions) for score in scores)
    return sorted(marked, key=lambda score: (score.pair_id, score.question, score.judge, score.role))


def publish(folder: Path, config: BuildConfig, judges: Iterable[Judge], report: Report, items: int) -> None:
    """Write the pages about the dataset, then its manifest, which seals every file."""
    manifest = store.manifest(
        settings=msgspec.to_builtins(_told(config)),
        origin=plugins.load("sources", config.source).origin(config),
        judges={judge.name: judge.revision for judge in judges},
        report=report,
        items=items,
    )
    for name in ("card", "croissant"):
        plugins.load("exporters", name).write(store.Dataset(folder, manifest), folder)
    store.seal(folder, manifest)


class _Draw:
    """A sample of each family's facts, at most LESSONS, taken while they pass (Vitter's algorithm R)."""

    def __init__(self, seed: int) -> None:
        self.random = random.Random(seed)
        self.passed: Counter[str] = Counter()
        self.shelves: defaultdict[str, list[Fact]] = defaultdict(list)

    @property
    def kept(self) -> list[Fact]:
        return [fact for name in sorted(self.shelves) for fact in self.shelves[name]]

    def passing(self, facts: Iterable[Fact]) -> Iterator[Fact]:
        for fact in facts:
            shelf = self.shelves[fact.family]
            self.passed[fact.family] += 1
            place = int(self.random.random() * self.passed[fact.family])
            if len(shelf) < LESSONS:
                shelf.append(fact)
            elif place < LESSONS:
                shelf[place] = fact
            yield fact


def _lesson(fact: Fact, prior: Expectation, config: BuildConfig) -> Item:
    answers = plugins.load("families", fact.family).answers(fact.form, fact.about)
    expected = prior.expect(fact.question, answers)
    lure = answers[max(range(len(answers)), key=expected.__getitem__)]
    return wording.lesson(fact, answers, lure, config.templates)


def _run(judge: Judge, items: Sequence[Item], config: BuildConfig) -> Iterator[Verdict]:
    ran: Iterator[Verdict] = plugins.load("engines", config.engine).run(judge, items, config)
    return ran


def _score(item: Item, verdict: Verdict, role: str) -> Score:
    return Score(
        pair_id=item.pair_id,
        role=role,
        frame=item.frame,
        question=item.question,
        options=item.options,
        lure=item.lure,
        judge=verdict.judge,
        logprobs=verdict.logprobs,
        choice=item.options[verdict.choice],
        kept=False,
    )


def _told(config: BuildConfig) -> BuildConfig:
    """The configuration without this machine's paths, which are nobody else's and change no byte."""
    vlm = Path(config.vlm).name if config.vlm else None
    return msgspec.structs.replace(config, root=None, annotations=None, templates=None, vlm=vlm, out=Path("pst"))


def _nothing(report: Report) -> str:
    counts = ", ".join(f"{sum(by.values())} {station}" for station, by in report.stations.items())
    return f"no pair is left ({counts}): more scenes, a lower --min-pull or more --wordings give more"
