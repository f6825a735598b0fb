"""THE ROAD from scenes to a stress test, one station a function. Read this file first."""

from __future__ import annotations

import heapq
import random
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from itertools import chain, islice
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, Protocol, TypeVar

import msgspec

from pstgen import depth, detector, marks, plugins, resources, selection, store, wording
from pstgen.chain import chain as chain_of
from pstgen.config import BuildConfig
from pstgen.judges import Judge
from pstgen.pairing import Studio
from pstgen.priors import Expectation, is_prior_part
from pstgen.records import BadInput, Candidate, Fact, Item, Report, Scene, Verdict
from pstgen.store import Row, Score
from pstgen.wording import Wording

LESSONS = 4000  # known facts a family that the judges learn from
DIGITS = 4  # of log-probabilities on the disk: later ones change with processor and number of threads

T = TypeVar("T")


class Track(Protocol):
    """Passes an iterable through and shows how far it is."""

    def __call__(self, things: Iterable[T], what: str, total: int | None = None, /) -> Iterable[T]:
        """Pass `things` through; `what` they are, and how many, where that is known."""
        ...


def silent(things: Iterable[T], what: str, total: int | None = None, /) -> Iterable[T]:  # noqa: ARG001
    """Show nothing."""
    return things


@dataclass(frozen=True)
class Run:
    """What every station of one build shares. work: a folder for images that are made on the way; it does not outlast the build."""

    config: BuildConfig
    work: Path
    track: Track = silent
    report: Report = field(default_factory=Report)


def build(config: BuildConfig, track: Track = silent) -> Report:
    """Build a stress test in `config.out` and say what became of everything on the way.

    Raises BadInput for wrong files or words, Unavailable where the surroundings do not allow it; either way nothing
    is left in `config.out`.
    """
    with store.create(config.out) as folder, TemporaryDirectory(prefix="pstgen-") as work:
        run = Run(config, Path(work), track)
        prior, lessons = learn(run)
        candidates = propose(prior, run)
        gallery = hang(candidates, run)
        judges = call(config, lessons)
        fallen, scores = mislead(candidates, gallery, judges, run)
        kept = [show(twins, gallery, run.work) for twins in selection.lettered(selection.select(fallen, config))]
        run.report.count("kept", (twins[0].family for twins in kept))
        if not kept:
            raise BadInput(_nothing(run.report))
        scores += look(kept, judges, run)
        items = sorted(chain(*kept), key=lambda item: item.item_id)
        store.write_rows(folder, track(rows(items, gallery), "writing items", len(items)))
        store.write_scores(folder, settle(scores, kept))
        publish(folder, judges, run, len(items))
    return run.report


def settled(config: BuildConfig) -> BuildConfig:
    """Fill in what a run decides by itself.

    The built-in world where there are no photographs; COCO's train split for the prior where it stands beside; the judges
    of the models that are named, and on the world of those that come with pstgen.
    """
    if config.source == "coco" and plugins.load("sources", "coco").found(config) is None:
        config = msgspec.structs.replace(config, source="world")
    if config.source == "coco" and not config.prior_split and plugins.load("sources", "coco").has_train(config):
        config = msgspec.structs.replace(config, prior_split="train2017")
    models = {"lm": _model(config, config.lm, "words"), "vlm": _model(config, config.vlm, "eye")}
    named = models | {"vqa": config.prior_vqa}
    more = tuple(name for name, model in named.items() if model and name not in config.judges)
    return msgspec.structs.replace(config, **models, judges=(*config.judges, *more))


def _model(config: BuildConfig, named: str | None, ours: str) -> str | None:
    """The model that was named; on the built-in world, ours; "none" is none."""
    if named is None and config.source == "world":
        return str(resources.model(ours))
    return None if named == "none" else named


def learn(run: Run) -> tuple[Expectation, list[Item]]:
    """Fit the prior on scenes that give no items, and draw lessons for the judges from the same facts."""
    drawn, images = _Draw(run.config.seed), dict[str, str]()
    told = known(_noted(scenes(run, prior_part=True), images), run.config, Report())
    facts = chain.from_iterable(facts for _, facts in told)
    prior: Expectation = plugins.load("priors", run.config.prior).fit(drawn.passing(facts))
    return prior, [replace(_lesson(fact, prior, run.config), image=images[fact.scene_id]) for fact in drawn.kept]


def expect(config: BuildConfig, track: Track = silent) -> Expectation:
    """The prior alone, fitted as a build would."""
    with TemporaryDirectory(prefix="pstgen-") as work:
        return learn(Run(config, Path(work), track))[0]


def scenes(run: Run, *, prior_part: bool) -> Iterator[Scene]:
    """The scenes of one part: the one that feeds the prior, or the one that gives items."""
    config, report = run.config, run.report

    def wanted(scene_id: str) -> bool:
        return is_prior_part(scene_id, config.prior_split, config.prior_share, config.seed) == prior_part

    part, most = ("scenes for the prior", config.prior_scenes) if prior_part else ("scenes for items", None)
    source = plugins.load("sources", config.source)
    if prior_part and config.prior_split:
        config = msgspec.structs.replace(config, split=config.prior_split)
    read = islice(source.scenes(config, wanted, report.refused), most)
    for scene in run.track(witnessed(read, run), part):
        report.count(part, [config.source])
        yield scene


def witnessed(scenes: Iterator[Scene], run: Run) -> Iterator[Scene]:
    """Scenes with what the models that the user named say of them: a detector's hearing, an estimate of depth."""
    config = run.config
    if config.detector:
        scenes = detector.heard(scenes, config.detector, config.detector_threshold)
    return depth.estimated(scenes, config.depth_model, run.work) if config.depth_model else scenes


def known(scenes: Iterable[Scene], config: BuildConfig, report: Report) -> Iterator[tuple[Scene, list[Fact]]]:
    """Ask every family about every scene; pass on what is known, count by reason what is not."""
    families = {name: plugins.load("families", name) for name in config.families or plugins.names("families")}
    for scene in scenes:
        told: list[Fact] = []
        for name, family in families.items():
            for fact in family.ask(scene):
                if fact.truth.known:
                    told.append(fact)
                else:
                    report.refused.facts[name, fact.truth.reason] += 1
        report.count("known facts", (fact.family for fact in told))
        yield scene, told


def propose(prior: Expectation, run: Run) -> list[Candidate]:
    """Pair what has one question and two answers; of each family keep the pairs with the strongest pull."""
    config = run.config
    studio = Studio(prior, config, run.work, run.report.refused.edits)
    makers = [plugins.load("twins", name).open(studio) for name in config.twins or plugins.names("twins")]
    found: defaultdict[str, list[Candidate]] = defaultdict(list)
    told = known(scenes(run, prior_part=False), config, run.report)
    made = (candidate for scene, facts in told for maker in makers for candidate in maker.pair(scene, facts))
    for candidate in chain(made, chain.from_iterable(maker.rest() for maker in makers)):
        found[candidate.control.family].append(candidate)
    strongest = [
        candidate
        for family in sorted(found)
        for candidate in heapq.nsmallest(config.candidates, found[family], key=lambda c: (-c.pull, c.pair_id))
    ]
    run.report.count("candidate pairs", (candidate.control.family for candidate in strongest))
    return strongest


def hang(candidates: Sequence[Candidate], run: Run) -> dict[str, Scene]:
    """The scenes that candidates show, annotations and where their image is: made ones, and the source's, read again."""
    made = {scene.id: scene for candidate in candidates for scene in candidate.scenes}
    shown = {fact.scene_id for candidate in candidates for fact in candidate.facts} - set(made)
    source = plugins.load("sources", run.config.source)
    read = witnessed(source.scenes(run.config, shown.__contains__, run.report.refused), run)
    return made | {scene.id: scene for scene in run.track(read, "scenes of candidates", len(shown))}


def call(config: BuildConfig, lessons: Sequence[Item]) -> list[Judge]:
    """Open every judge; those that cost least come first."""
    return [judge for name in config.judges for judge in plugins.load("judges", name).open(config, lessons)]


def mislead(
    candidates: Iterable[Candidate], gallery: dict[str, Scene], judges: Sequence[Judge], run: Run
) -> tuple[list[Wording], list[Score]]:
    """Word every pair in several ways and find, for each, a wording for which every baseline falls.

    A baseline gets only what twins share, so it is asked once a wording; the next one judges what the last has left.
    Judges that learn from all the items together see all wordings at once; durable ones, which cost most, see one
    wording a pair and round, and no more of a pair that has fallen.
    """
    config, baselines = run.config, [judge for judge in judges if not judge.sees]
    tried = {
        f"{twins[0].pair_id}/{n:02}": twins
        for candidate in candidates
        for n, twins in enumerate(wording.word(candidate, config.wordings, config.frames, config.templates))
        if not twins[0].label or _end(twins, gallery) is not None
    }
    asked = _Asked(run)
    for judge in baselines:
        if not judge.durable:
            tried = asked.fooled(judge, tried)
    slow = [judge for judge in baselines if judge.durable]
    fallen: dict[str, Wording] = {}
    for batch in _rounds(tried):
        left = {name: twins for name, twins in batch.items() if twins[0].pair_id not in fallen}
        for judge in slow:
            left = asked.fooled(judge, left)
        fallen |= {twins[0].pair_id: twins for twins in left.values()}
    for name, pairs in asked.pairs.items():
        run.report.count(f"fooled {name}", pairs.values())
    return list(fallen.values()), asked.scores


def show(twins: Wording, gallery: dict[str, Scene], work: Path) -> Wording:
    """Give every twin its image; a mark or a label is drawn into a copy."""
    top = bool(twins[0].label and _end(twins, gallery))

    def file(item: Item) -> str:
        path = gallery[item.scene_id].path
        return marks.file(path, item, work, top=top) if item.mark or item.label else path

    return tuple(replace(item, image=file(item)) for item in twins)


def look(kept: Sequence[Wording], judges: Iterable[Judge], run: Run) -> list[Score]:
    """Let the seeing judges answer what was kept. It is recorded, and changes nothing."""
    items = list(chain(*kept))
    scores: list[Score] = []
    for judge in (judge for judge in judges if judge.sees):
        judged = run.track(_answers(judge, items, run.config), f"{judge.name} judges", len(items))
        scores += [_score(item, verdict, item.item_id) for item, verdict in zip(items, judged, strict=True)]
    return scores


def rows(items: Iterable[Item], gallery: dict[str, Scene]) -> Iterator[Row]:
    """Render the targets of every item and put its image beside them."""
    renderers = [plugins.load("targets", name) for name in plugins.names("targets")]
    for item in items:
        scene = gallery[item.scene_id]
        targets = (renderer.render(scene, item.evidence) for renderer in renderers)
        yield Row(
            item=item,
            scene=scene,
            image=Path(item.image).read_bytes(),
            suffix=Path(item.image).suffix.lower(),
            targets=tuple(target for target in targets if target),
            depth_kind="" if not scene.depth_path else "estimated" if scene.depth_model else "exact",
            chain=chain_of(item, scene),
        )


def settle(scores: Iterable[Score], kept: Sequence[Wording]) -> list[Score]:
    """Mark the scores of the wordings that are in the dataset."""
    wordings = {(twins[0].pair_id, twins[0].frame, twins[0].question) for twins in kept}
    marked = (replace(score, kept=(score.pair_id, score.frame, score.question) in wordings) for score in scores)
    return sorted(marked, key=lambda score: (score.pair_id, score.frame, score.question, score.judge, score.item_id))


def publish(folder: Path, judges: Iterable[Judge], run: Run, items: int) -> None:
    """Write the pages about the dataset, then its manifest, which seals every file."""
    config = run.config
    manifest = store.manifest(
        settings=_told(config),
        origin=plugins.load("sources", config.source).origin(config),
        judges={judge.name: judge.revision for judge in judges},
        report=run.report,
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


@dataclass
class _Asked:
    """What baselines were asked, what they said, and which pairs fooled each of them: judge → pair → family."""

    run: Run
    scores: list[Score] = field(default_factory=list)
    pairs: defaultdict[str, dict[str, str]] = field(default_factory=lambda: defaultdict(dict))

    def fooled(self, judge: Judge, tried: dict[str, Wording]) -> dict[str, Wording]:
        """Ask the judge each wording once and keep those for which it falls."""
        asked = [replace(twins[-1], item_id=name) for name, twins in tried.items()]
        judged = self.run.track(_answers(judge, asked, self.run.config), f"{judge.name} judges", len(asked))
        verdicts = dict(zip(tried, judged, strict=True))
        self.scores += [_score(tried[name][-1], verdict, "") for name, verdict in verdicts.items()]
        kept = {name: twins for name, twins in tried.items() if selection.falls(twins[-1], [verdicts[name]])}
        self.pairs[judge.name] |= {twins[0].pair_id: twins[0].family for twins in kept.values()}
        return kept


def _end(twins: Wording, gallery: dict[str, Scene]) -> bool | None:
    """Where the label goes, top or bottom; None where it would hide what is asked, or change colours that tell the answer."""
    first, scenes = twins[0], [gallery[item.scene_id] for item in twins]
    by_colour = (first.family, first.form) in {("colour", "of"), ("colour", "is"), ("combination", "look")}
    return None if by_colour and not scenes[0].complete else marks.end_for_label(twins, scenes)


def _rounds(tried: dict[str, Wording]) -> Iterator[dict[str, Wording]]:
    """The first wording of every pair, then the second, and so on."""
    queues: defaultdict[str, list[str]] = defaultdict(list)
    for name, twins in tried.items():
        queues[twins[0].pair_id].append(name)
    for n in range(max(map(len, queues.values()), default=0)):
        yield {queue[n]: tried[queue[n]] for queue in queues.values() if n < len(queue)}


def _noted(scenes: Iterable[Scene], images: dict[str, str]) -> Iterator[Scene]:
    """Pass scenes on and note where their images are."""
    for scene in scenes:
        images[scene.id] = scene.path
        yield scene


def _lesson(fact: Fact, prior: Expectation, config: BuildConfig) -> Item:
    answers = plugins.load("families", fact.family).answers(fact.form, fact.about)
    expected = prior.expect(fact.question, answers)
    lure = answers[max(range(len(answers)), key=expected.__getitem__)]
    return wording.lesson(fact, answers, lure, config.templates)


def _answers(judge: Judge, items: Sequence[Item], config: BuildConfig) -> Iterator[Verdict]:
    ran: Iterator[Verdict] = plugins.load("engines", config.engine).run(judge, items, config)
    return ran


def _score(item: Item, verdict: Verdict, item_id: str) -> Score:
    """item_id: whose image was seen, "" where none was."""
    return Score(
        pair_id=item.pair_id,
        item_id=item_id,
        frame=item.frame,
        question=item.question,
        options=item.options,
        lure=item.lure,
        judge=verdict.judge,
        logprobs=tuple(round(logprob, DIGITS) for logprob in verdict.logprobs),
        choice=item.options[verdict.choice],
        kept=False,
    )


def _told(config: BuildConfig) -> dict[str, Any]:
    """The configuration without this machine's paths, which are nobody else's and change no byte."""
    here = {"root", "annotations", "templates", "prior_vqa", "detector", "out"}
    told = {name: getattr(config, name) for name in config.__struct_fields__ if name not in here}
    told["detector"] = detector.revision(config.detector) if config.detector else None
    return told | {
        name: model and Path(model).name
        for name, model in (("lm", config.lm), ("vlm", config.vlm), ("depth_model", config.depth_model))
    }


def _nothing(report: Report) -> str:
    counts = ", ".join(f"{sum(by.values())} {station}" for station, by in report.stations.items())
    return f"no pair is left ({counts}): more scenes, a lower --min-pull or more --wordings give more"
