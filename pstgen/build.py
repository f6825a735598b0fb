"""THE FIRST ROAD, from scenes to a stress test, one station a function. Read this file first."""

from __future__ import annotations

import heapq
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from functools import partial
from itertools import chain, islice
from pathlib import Path
from typing import Any

import msgspec

from pstgen.core import plugins, resources, scratch, workers
from pstgen.core.config import BuildConfig
from pstgen.core.progress import Progress, silent
from pstgen.core.records import BadInput, Candidate, Item, Report, Scene, Verdict
from pstgen.dataset import store
from pstgen.dataset.rationale import chain as chain_of
from pstgen.dataset.store import Row, Score
from pstgen.models import depth_estimator, detector
from pstgen.models.judges import Judge
from pstgen.pairs import selection
from pstgen.pairs.context import Studio
from pstgen.questions import facts, prior_file, prior_scenes, sample, visual_prompts, wording
from pstgen.questions.facts import Observed
from pstgen.questions.prior_scenes import Parts
from pstgen.questions.priors import Expectation
from pstgen.questions.wording import Wording
from pstgen.scenes import pixels

FEW = 200  # scenes: a prior from fewer of them is said to be one
NAMED = ("lm", "vlm", "depth_model", "prior_annotations", "prior_file")  # in a manifest by their names alone
DIGITS = 4  # of log-probabilities on the disk: later ones change with processor and number of threads

Witness = Callable[[Iterator[Scene]], Iterator[Scene]]


@dataclass(frozen=True)
class Run:
    """What every station of one build shares.

    work: a folder for images that are made on the way; it does not outlast the build. witness: passes scenes on with what
    the models that the user named say of them, or None. cores: processes for what is done scene by scene.
    """

    config: BuildConfig
    work: Path
    parts: Parts
    progress: Progress = silent
    report: Report = field(default_factory=Report)
    witness: Witness | None = None
    cores: int = 1

    def note(self, line: str) -> None:
        """Say what the user should know of this run, now and in the manifest."""
        self.report.notes.append(line)
        self.progress.note(line)


def build(config: BuildConfig, progress: Progress = silent) -> Report:
    """Build a stress test in `config.out` and say what became of everything on the way.

    Raises BadInput for wrong files or words, Unavailable where the surroundings do not allow it; either way nothing
    is left in `config.out`.
    """
    with store.create(config.out) as folder, scratch.folder("pstgen-") as work:
        judges = open_judges(config)
        run = prepare(config, work, progress)
        with _interruptible(run.report):
            observed = observe(run)
            prior = fit(observed, run)
            candidates = propose(prior, run)
            gallery = open_scenes(candidates, run)
            judges = teach(judges, observed, candidates, run)
            fallen, scores = select_wordings(candidates, gallery, judges, run)
            kept = keep(fallen, run)
            kept = show(kept, gallery, run)
            scores += record_seeing(kept, judges, run)
            items = sorted(chain(*kept), key=lambda item: item.item_id)
            store.write_cells(folder, run.progress(cells(items, gallery, run), "writing items", len(items)))
            store.write_scores(folder, settle(scores, kept))
            publish(folder, judges, run, len(items))
    return run.report


@contextmanager
def _interruptible(report: Report) -> Iterator[None]:
    """Say what becomes of a build that is interrupted."""
    try:
        yield
    except KeyboardInterrupt as stop:
        cached = f"; {report.judged:,} verdicts of models are cached and not asked for again" * bool(report.judged)
        stop.add_note(f"nothing was written{cached}")
        raise


def foresee(config: BuildConfig, progress: Progress = silent) -> dict[str, Any]:
    """Check and open all that a build would, read what there is, and say what it would do; nothing is written.

    Raises what `build` raises at its beginning.
    """
    store.refuse_taken(config.out)
    judges = open_judges(config)
    with scratch.folder("pstgen-") as work:
        run = prepare(config, work, progress)
        families = facts.families(config)
        return {
            "out": str(config.out),
            "source": config.source,
            "scenes for the prior": len(run.parts.prior) + len(run.parts.held),
            "of which pictures are looked at": len(run.parts.pictured),
            "scenes for items": len(run.parts.items),
            "pictures that are not at hand": len(run.report.refused.records),
            "families": list(families),
            "judges": {judge.name: judge.revision for judge in judges},
            "wordings judged, at most": len(families) * config.candidates * config.wordings,
            "processes": run.cores,
            "notes": run.report.notes,
        }


def settled(config: BuildConfig) -> BuildConfig:
    """Fill in what a run decides by itself.

    The built-in world where there are no photographs; COCO's train split for the prior where its annotations stand
    beside; the judges of the models that are named, and on the world of those that come with pstgen.
    """
    if config.source == "coco" and plugins.load("sources", "coco").found(config) is None:
        config = msgspec.structs.replace(config, source="world")
    named = config.prior_split or config.prior_annotations or config.prior_file
    if config.source == "coco" and not named and plugins.load("sources", "coco").has_train(config):
        config = msgspec.structs.replace(config, prior_split="train2017")
    models = {"lm": _model(config, config.lm, "words"), "vlm": _model(config, config.vlm, "eye")}
    found = models | {"vqa": config.prior_vqa}
    more = tuple(name for name, model in found.items() if model and name not in config.judges)
    return msgspec.structs.replace(config, **models, judges=(*config.judges, *more))


def _model(config: BuildConfig, named: str | None, ours: str) -> str | None:
    """The model that was named; by our model's name, or on the built-in world by none, ours; "none" is none."""
    if (named is None and config.source == "world") or (named == ours and not Path(ours).exists()):
        return str(resources.model(ours))
    return None if named == "none" else named


def check(config: BuildConfig) -> None:
    """Refuse, before any work, what would be refused later. Raises BadInput."""
    listed = {"families": config.families, "twins": config.twins, "judges": config.judges}
    for folder, names in {**listed, "priors": (config.prior,), "engines": (config.engine,)}.items():
        for name in names:
            plugins.known(folder, name)
    for family in facts.families(config):
        wording.check(family, config.frames, config.templates)
    if config.prior_file:
        prior_file.read(config.prior_file)


def open_judges(config: BuildConfig) -> list[Judge]:
    """Open every judge, those that cost least first, before anything is read: a model that does not load costs seconds."""
    check(config)
    return [judge for name in config.judges for judge in plugins.load("judges", name).open(config)]


def prepare(config: BuildConfig, work: Path, progress: Progress = silent) -> Run:
    """Open what looks at scenes, and part those that feed the prior from those that give items."""
    witness, report = open_witness(config, work), Report()
    divided = prior_scenes.divide(config, report)
    cores = (config.workers or workers.cores()) if len(divided.items) + len(divided.prior) >= facts.MANY else 1
    run = Run(config, work, divided, progress, report, witness, cores)
    progress.plan(steps(divided, config))
    for line in divided.notes:
        run.note(line)
    return run


def steps(divided: Parts, config: BuildConfig) -> list[tuple[str, float]]:
    """The stations that take time, and about how many seconds, measured on two cores: only their ratio matters."""
    pairs = 12 * min(config.candidates, len(divided.items))
    models = sum(name in config.judges for name in ("lm", "vlm"))
    return [
        ("scenes for the prior", 0.0005 * len(divided.prior) + 0.008 * len(divided.pictured)),
        ("scenes for items", 0.012 * len(divided.items)),
        ("scenes of candidates", 0.001 * pairs),
        ("wordings", 0.001 * pairs * config.wordings),
        ("wordings for models", 0.004 * models * pairs * min(2, config.wordings)),
        ("items for the seeing model", 0.004 * models * pairs),
        ("writing items", 0.01 * pairs),
    ]


def open_witness(config: BuildConfig, work: Path) -> Witness | None:
    """What models that the user named say of scenes: what a detector detects at a low threshold, an estimate of depth."""
    looks: list[Witness] = []
    if config.detector:
        looks.append(
            partial(detector.detected, detect=detector.load(config.detector), threshold=config.detector_threshold)
        )
    if config.depth_model:
        looks.append(
            partial(
                depth_estimator.estimated,
                name=config.depth_model,
                estimate=depth_estimator.load(config.depth_model),
                folder=work,
            )
        )
    if not looks:
        return None

    def through(scenes: Iterator[Scene]) -> Iterator[Scene]:
        for look in looks:
            scenes = look(scenes)
        return scenes

    return through


def observe(run: Run) -> Observed:
    """Count what is known of the scenes that give no items."""
    config, divided, seen = run.config, run.parts, Observed()
    if config.prior_file:
        read = prior_file.read(config.prior_file)
        seen.tally, seen.scenes = read.tally, read.scenes
    cores = run.cores if len(divided.prior) + len(divided.held) >= facts.MANY else 1
    shards = chain(
        facts.observe(prior_scenes.of_prior(config), divided.prior, divided.pictured, cores, run.witness),
        facts.observe(config, divided.held, divided.pictured, cores, run.witness),
    )
    total = len(divided.prior) + len(divided.held)
    for shard in shards:
        seen.add(shard)
        run.progress.reach("scenes for the prior", seen.wanted, total)
    workers.stop()
    run.report.refused.add(seen.refused)
    run.report.count("scenes for the prior", [config.source] * seen.scenes)
    return seen


def fit(observed: Observed, run: Run) -> Expectation:
    """Fit the prior to what was counted; say so where that is little. Raises BadInput where it is nothing."""
    if not observed.tally:
        prior_scenes.look(run.parts, run.config, run.report)
        raise BadInput(prior_scenes.no_prior(observed.scenes, run.parts, run.report))
    if observed.scenes < FEW:
        number = "1 scene" if observed.scenes == 1 else f"{observed.scenes} scenes"
        others = "--scenes" if run.config.source == "world" else "pictures, --prior-annotations or --prior-file"
        run.note(
            f"the prior rests on {number}, fewer than {FEW}, so what it expects is uncertain: "
            f"a larger --prior-share or more {others}"
        )
    fitted: Expectation = plugins.load("priors", run.config.prior).fit(observed.tally)
    return fitted


def expect(config: BuildConfig, progress: Progress = silent) -> tuple[Expectation, Observed, float]:
    """The prior alone, fitted as a build would, what it was fitted on, and which share of the source that is."""
    check(config)
    with scratch.folder("pstgen-") as work:
        run = prepare(config, work, progress)
        observed = observe(run)
        return fit(observed, run), observed, run.parts.share


def scenes(run: Run) -> Iterator[Scene]:
    """The scenes that give items, with all that is said of them."""
    wanted = {entry.id for entry in run.parts.items}
    source = plugins.load("sources", run.config.source)
    read = source.scenes(run.config, wanted.__contains__, run.report.refused)
    for scene in run.witness(pixels.sound(read, run.report.refused)) if run.witness else read:
        run.report.count("scenes for items", [run.config.source])
        run.report.captioned += scene.complete or bool(scene.captions)
        yield scene


def propose(prior: Expectation, run: Run) -> list[Candidate]:
    """Pair what has one question and two answers; of each family keep the pairs with the strongest pull."""
    config = run.config
    studio = Studio(prior, config, run.work, run.report.refused.edits)
    makers = [plugins.load("twins", name).open(studio) for name in config.twins or plugins.names("twins")]
    found: defaultdict[str, list[Candidate]] = defaultdict(list)
    known = facts.known(scenes(run), config, run.report, 1 if run.witness else run.cores)
    passing = run.progress(known, "scenes for items", len(run.parts.items))
    made = (candidate for scene, told in passing for maker in makers for candidate in maker.pair(scene, told))
    for candidate in chain(made, chain.from_iterable(maker.rest() for maker in makers)):
        found[candidate.control.family].append(candidate)
    strongest = [
        candidate
        for family in sorted(found)
        for candidate in heapq.nsmallest(config.candidates, found[family], key=lambda c: (-c.pull, c.pair_id))
    ]
    run.report.count("pairs found", (family for family, pairs in found.items() for _ in pairs))
    run.report.count("candidate pairs", (candidate.control.family for candidate in strongest))
    for line in prior_scenes.closed(facts.families(config), run.report):
        run.note(line)
    return strongest


def open_scenes(candidates: Sequence[Candidate], run: Run) -> dict[str, Scene]:
    """The scenes that candidates show, annotations and where their image is: made ones, and the source's, read again."""
    made = {scene.id: scene for candidate in candidates for scene in candidate.scenes}
    shown = {fact.scene_id for candidate in candidates for fact in candidate.facts} - set(made)
    source = plugins.load("sources", run.config.source)
    read = source.scenes(run.config, shown.__contains__, run.report.refused)
    seen = run.witness(read) if run.witness else read
    return made | {scene.id: scene for scene in run.progress(seen, "scenes of candidates", len(shown))}


def teach(judges: Iterable[Judge], observed: Observed, candidates: Sequence[Candidate], run: Run) -> list[Judge]:
    """Give judges what they may know of the source: examples that its statistics draw, images of scenes that give no item."""
    examples = sample.examples(observed.tally, run.config)
    images = observed.images or _idle(candidates, run)
    taught: list[Judge] = []
    for judge in judges:
        ready = judge.learn(examples, images)
        if ready is None:
            run.note(f"{judge.name} is left out: the source has nothing that it could learn from")
        else:
            taught.append(ready)
    return taught


def _idle(candidates: Sequence[Candidate], run: Run) -> list[str]:
    """Images of a few scenes that no candidate shows."""
    shown = {fact.scene_id for candidate in candidates for fact in candidate.facts}
    idle = {entry.id for entry in islice((e for e in run.parts.items if e.id not in shown), facts.OTHERS)}
    read = plugins.load("sources", run.config.source).scenes(run.config, idle.__contains__, run.report.refused)
    return [scene.path for scene in pixels.sound(read, run.report.refused)]


def select_wordings(
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
        for candidate in run.progress(candidates, "wordings")
        for n, twins in enumerate(wording.word(candidate, config.wordings, config.frames, config.templates))
        if not twins[0].label or _end(twins, gallery) is not None
    }
    asked = _Asked(run)
    for judge in baselines:
        if not judge.durable:
            tried = asked.fooled(judge, tried)
    slow = [judge for judge in baselines if judge.durable]
    fallen: dict[str, Wording] = {}
    done, total = 0, len(tried) * len(slow)
    for batch in _rounds(tried):
        left = {name: twins for name, twins in batch.items() if twins[0].pair_id not in fallen}
        for judge in slow:
            left = asked.fooled(judge, left, done, total)
            done += len(batch)
        fallen |= {twins[0].pair_id: twins for twins in left.values()}
    run.progress.reach("wordings for models", total, total)
    for name, pairs in asked.pairs.items():
        run.report.count(f"fooled {name}", pairs.values())
    return list(fallen.values()), asked.scores


def keep(fallen: Sequence[Wording], run: Run) -> list[Wording]:
    """Of the wordings that misled every baseline, those that stay. Raises BadInput, with the reasons, where there is none."""
    kept = list(selection.lettered(selection.select(fallen, run.config, run.report.dropped)))
    if not kept:
        raise BadInput(selection.nothing(run.report, run.config))
    run.report.count("kept", (twins[0].family for twins in kept))
    return kept


def show(kept: Sequence[Wording], gallery: dict[str, Scene], run: Run) -> list[Wording]:
    """Give every twin its image; a mark or a label is drawn into a copy."""
    tops = (bool(twins[0].label and _end(twins, gallery)) for twins in kept)
    drawn = [(item, gallery[item.scene_id].path, top) for twins, top in zip(kept, tops, strict=True) for item in twins]
    files = workers.each(partial(_drawn, run.work), drawn, run.cores)
    return [tuple(replace(item, image=next(files)) for item in twins) for twins in kept]


def _drawn(work: Path, shown: tuple[Item, str, bool], /) -> str:
    item, path, top = shown
    return visual_prompts.file(path, item, work, top=top) if item.mark or item.label else path


def record_seeing(kept: Sequence[Wording], judges: Iterable[Judge], run: Run) -> list[Score]:
    """Let the seeing judges answer what was kept. It is recorded, and changes nothing."""
    items = list(chain(*kept))
    scores: list[Score] = []
    for judge in (judge for judge in judges if judge.sees):
        judged = run.progress(_answers(judge, items, run.config), "items for the seeing model", len(items))
        scores += [_score(item, verdict, item.item_id) for item, verdict in zip(items, judged, strict=True)]
    return scores


def cells(items: Iterable[Item], gallery: dict[str, Scene], run: Run) -> Iterator[store.Cells]:
    """Render the targets of every item and put its image beside them."""
    return workers.each(_cells, ((item, gallery[item.scene_id]) for item in items), run.cores)


def _cells(shown: tuple[Item, Scene], /) -> store.Cells:
    item, scene = shown
    renderers = (plugins.load("targets", name) for name in plugins.names("targets"))
    targets = (renderer.render(scene, item.evidence) for renderer in renderers)
    row = Row(
        item=item,
        scene=scene,
        image=Path(item.image).read_bytes(),
        suffix=Path(item.image).suffix.lower(),
        targets=tuple(target for target in targets if target),
        depth_kind="" if not scene.depth_path else "estimated" if scene.depth_model else "exact",
        chain=chain_of(item, scene),
    )
    return store.cells(row)


def settle(scores: Iterable[Score], kept: Sequence[Wording]) -> list[Score]:
    """Mark the scores of the wordings that are in the dataset."""
    wordings = {(twins[0].pair_id, twins[0].frame, twins[0].question) for twins in kept}
    marked = (replace(score, kept=(score.pair_id, score.frame, score.question) in wordings) for score in scores)
    return sorted(marked, key=lambda score: (score.pair_id, score.frame, score.question, score.judge, score.item_id))


def publish(folder: Path, judges: Iterable[Judge], run: Run, items: int) -> None:
    """Write the pages about the dataset, then its manifest, which seals every file."""
    manifest = store.manifest(
        settings=_settings(run.config) | {"prior_share": run.parts.share},
        origin=prior_scenes.origin(run.config),
        judges={judge.name: judge.revision for judge in judges},
        report=run.report,
        items=items,
    )
    for name in ("card", "croissant"):
        plugins.load("exporters", name).write(store.Dataset(folder, manifest), folder)
    store.seal(folder, manifest)


@dataclass
class _Asked:
    """What baselines were asked, what they said, and which pairs fooled each of them: judge → pair → family."""

    run: Run
    scores: list[Score] = field(default_factory=list)
    pairs: defaultdict[str, dict[str, str]] = field(default_factory=lambda: defaultdict(dict))

    def fooled(self, judge: Judge, tried: dict[str, Wording], done: int = 0, total: int = 0) -> dict[str, Wording]:
        """Ask the judge each wording once and keep those for which it falls.

        total: of all wordings and durable judges together, of which `done` are behind; 0 where the judge is not durable.
        """
        items = [replace(twins[-1], item_id=name) for name, twins in tried.items()]
        verdicts = {}
        for n, (name, verdict) in enumerate(zip(tried, _answers(judge, items, self.run.config), strict=True), 1):
            verdicts[name] = verdict
            self.run.report.judged += judge.durable
            if total:
                self.run.progress.reach("wordings for models", done + n, total)
        self.scores += [_score(tried[name][-1], verdict, "") for name, verdict in verdicts.items()]
        kept = {name: twins for name, twins in tried.items() if selection.falls(twins[-1], [verdicts[name]])}
        self.pairs[judge.name] |= {twins[0].pair_id: twins[0].family for twins in kept.values()}
        return kept


def _end(twins: Wording, gallery: dict[str, Scene]) -> bool | None:
    """Where the label goes, top or bottom; None where it would hide what is asked, or change colours that tell the answer."""
    first, scenes = twins[0], [gallery[item.scene_id] for item in twins]
    by_colour = (first.family, first.form) in {("colour", "of"), ("colour", "is"), ("combination", "look")}
    return None if by_colour and not scenes[0].complete else visual_prompts.end_for_label(twins, scenes)


def _rounds(tried: dict[str, Wording]) -> Iterator[dict[str, Wording]]:
    """The first wording of every pair, then the second, and so on."""
    queues: defaultdict[str, list[str]] = defaultdict(list)
    for name, twins in tried.items():
        queues[twins[0].pair_id].append(name)
    for n in range(max(map(len, queues.values()), default=0)):
        yield {queue[n]: tried[queue[n]] for queue in queues.values() if n < len(queue)}


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


def _settings(config: BuildConfig) -> dict[str, Any]:
    """The configuration without what is this machine's own and changes no byte."""
    here = {"root", "annotations", "templates", "prior_vqa", "out", "workers"}
    settings = {name: getattr(config, name) for name in config.__struct_fields__ if name not in here}
    named = {name: settings[name] and Path(settings[name]).name for name in NAMED}
    return settings | named | {"detector": detector.revision(config.detector) if config.detector else None}
