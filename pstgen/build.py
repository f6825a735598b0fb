"""THE FIRST ROAD, from scenes to a stress test, one station a function. Read this file first."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from functools import partial
from itertools import chain
from pathlib import Path
from typing import Any

from pstgen.core import plugins, resources, scratch, workers
from pstgen.core.callable_module import make_callable
from pstgen.core.config import BuildConfig, build_config, manifest_settings, with_settings
from pstgen.core.progress import Progress, silent
from pstgen.core.records import BadInput, Candidate, Pair, Scene, Score
from pstgen.core.report import Report
from pstgen.core.resources import is_server
from pstgen.dataset import atomic, blurring, exporters, rendering, store
from pstgen.dataset.parts import Shard
from pstgen.dataset.rows import Cells
from pstgen.evaluation.dry_run import build_cost
from pstgen.evaluation.dry_run.device import Device
from pstgen.models import association, calibration, detector, engines, witnesses
from pstgen.models.judges import Judge, open_all
from pstgen.models.panel import Panel
from pstgen.models.recorded import Recorded
from pstgen.models.witnesses import Witness
from pstgen.pairs import agreement, balance, passing, selection, shares, twins
from pstgen.pairs.context import PairContext
from pstgen.pairs.selection import Trial
from pstgen.questions import (
    facts,
    kept_counts,
    prior_base,
    prior_file,
    prior_scenes,
    priors,
    sample,
    visual_prompts,
    wording,
)
from pstgen.questions.facts import Observed
from pstgen.questions.prior_scenes import Parts
from pstgen.questions.priors import Expectation
from pstgen.scenes import sources


@dataclass(frozen=True)
class Run:
    """What every station of one build shares.

    work: a folder for images that are made on the way; it does not outlast the build. witness: passes scenes on with what
    the models that the user named say of them, or None. cores: processes for what is done scene by scene. shard: which pairs
    models judge, or None for all. recorded: what they said in other runs, and say in this one, or None.
    """

    config: BuildConfig
    work: Path
    parts: Parts
    progress: Progress = silent
    report: Report = field(default_factory=Report)
    witness: Witness | None = None
    cores: int = 1
    shard: Shard | None = None
    recorded: Recorded | None = None

    def note(self, line: str) -> None:
        """Say what the user should know of this run, now and in the manifest."""
        self.report.notes.append(line)
        self.progress.note(line)


def build(config: BuildConfig, progress: Progress = silent, recorded: Recorded | None = None) -> Report:
    """Build a stress test in `config.out` and say what became of everything on the way.

    recorded: what models said already. Raises BadInput for wrong files or words, Unavailable where the surroundings do not
    allow it; either way nothing is left in `config.out`.
    """
    with atomic.create(config.out) as folder, scratch.folder("pstgen-") as work:
        judges = open_judges(config)
        run = replace(prepare(config, work, progress), recorded=recorded)
        with interruptible(run.report):
            misled, scores, gallery, panel = judge_pairs(judges, run)
            kept = add_images(select_pairs(misled, gallery, run), gallery, run)
            scores += record_others(kept, panel, run)
            items = store.write_cells(folder, render_rows(kept, gallery, run))
            store.write_scores(folder, selection.mark_kept(scores, kept))
            publish(folder, panel.judges, items, run)
    return run.report


def judge_pairs(judges: Sequence[Judge], run: Run) -> tuple[list[Pair], list[Score], dict[str, Scene], Panel]:
    """From scenes to pairs in a wording that misleads every baseline, with what judges said and the scenes that are shown."""
    observed = count_facts(run)
    prior = fit_prior(observed, run)
    candidates = keep_agreed(propose_pairs(prior, run), judges, run)
    gallery = open_scenes(candidates, run)
    panel = train_judges(judges, observed, prior, candidates, run)
    misled, scores = select_wordings(candidates, gallery, panel, run)
    return hide_faces(misled, gallery, run), scores, gallery, panel


def from_settings(progress: Progress = silent, **settings: Any) -> Report:
    """Build a stress test as `pstgen build` does: `pstgen.build(source="world", scenes=300, out="pst/")`.

    settings: the command's options, or those of `pstgen build --print-config`. Raises what `build` raises.
    """
    return build(with_defaults(build_config(**settings)), progress)


@contextmanager
def interruptible(report: Report) -> Iterator[None]:
    """Say what becomes of a build that is interrupted."""
    try:
        yield
    except KeyboardInterrupt as stop:
        cached = f"; {report.judged:,} verdicts of models are cached and not asked for again" * bool(report.judged)
        stop.add_note(f"nothing was written{cached}")
        raise


def dry_run(config: BuildConfig, progress: Progress = silent, device: Device | None = None) -> dict[str, Any]:
    """Check the settings, count the scenes, and say what a build would do and cost; no model is opened, nothing is written.

    device: what models would run on. Raises BadInput, and Unavailable where a model's folder is none.
    """
    atomic.refuse_taken(config.out)
    check(config)
    with scratch.folder("pstgen-") as work:
        run, families = prepare(config, work, progress), facts.family_names(config)
        return {
            "out": str(config.out),
            "source": config.source.name,
            "scenes for the prior": len(run.parts.prior) + len(run.parts.held),
            "of which pictures are looked at": len(run.parts.pictured),
            "scenes for items": len(run.parts.items),
            "pictures that are not at hand": len(run.report.refused.records) - run.parts.unlicensed,
            "pictures of other licences": run.parts.unlicensed,
            "families": list(families),
            "judges": dict(build_cost.names(config)),
            "processes": run.cores,
            "notes": run.report.notes,
            "cost": build_cost.estimate(config, run.parts, families, run.cores, device or Device()),
        }


def with_defaults(config: BuildConfig) -> BuildConfig:
    """Fill in what a run decides by itself: what its source says, and the judges of the models that are named."""
    config = sources.with_defaults(config)
    named = {"lm": (config.judges.lm, "words"), "vlm": (config.judges.vlm, "eye")}
    models = {kind: resources.model_named(*names) for kind, names in named.items()}
    vlm = "endpoint" if is_server(models["vlm"] or "") else "vlm"
    models_by_judge = {"lm": models["lm"], vlm: models["vlm"], "vqa": config.judges.prior_vqa}
    more = tuple(name for name, model in models_by_judge.items() if model and name not in config.judges.names)
    return with_settings(config, **models, judges=(*config.judges.names, *more))


def check(config: BuildConfig) -> None:
    """Refuse, before any work, what would be refused later. Raises BadInput."""
    listed = {"families": config.questions.families, "twins": config.pairs.twins, "judges": config.judges.names}
    for folder, names in {**listed, "priors": (config.questions.prior,), "engines": (config.judges.engine,)}.items():
        for name in names:
            plugins.known(folder, name)
    engines.check(config)
    for family in facts.family_names(config):
        wording.check(family, config.questions.frames, config.questions.templates)
    prior_scenes.check(config)


def open_judges(config: BuildConfig) -> list[Judge]:
    """Open every judge, those that cost least first, before anything is read: a model that does not load costs seconds."""
    check(config)
    return open_all(config)


def prepare(config: BuildConfig, work: Path, progress: Progress = silent) -> Run:
    """Open what looks at scenes, and part those that feed the prior from those that give items."""
    witness, report = witnesses.open(config.source, work), Report()
    divided = prior_scenes.divide(config, report)
    cores = (config.workers or workers.cores()) if len(divided.items) + len(divided.prior) >= facts.MANY else 1
    known = with_settings(config, licenses=divided.licences)  # by their addresses, whatever the user calls them
    run = Run(known, work, divided, progress, report, witness, cores)
    progress.plan(prior_scenes.steps(divided, config))
    for line in divided.notes:
        run.note(line)
    return run


def count_facts(run: Run) -> Observed:
    """Count what is known of the scenes that give no items."""
    config, divided, seen = run.config, run.parts, Observed()
    if config.questions.prior_file:
        read = prior_file.read(config.questions.prior_file)
        seen.tally, seen.scenes = read.tally, read.scenes
    cores = run.cores if len(divided.prior) + len(divided.held) >= facts.MANY else 1
    shards = chain(
        kept_counts.observe(prior_scenes.prior_config(config), divided.prior, divided.pictured, cores, run.witness),
        kept_counts.observe(config, divided.held, divided.pictured, cores, run.witness),
    )
    total = len(divided.prior) + len(divided.held)
    for shard in shards:
        seen.add(shard)
        run.progress.reach("scenes for the prior", seen.wanted, total)
    if divided.prior:  # of another file, which workers hold
        workers.stop()
    run.report.refused.add(seen.refused)
    run.report.count("scenes for the prior", [config.source.name] * seen.scenes)
    return seen


def fit_prior(observed: Observed, run: Run) -> Expectation:
    """Fit the prior to what was counted; say so where that is little. Raises BadInput where it is nothing."""
    if not observed.tally:
        prior_scenes.read_pictures(run.parts, run.config, run.report)
        raise BadInput(prior_scenes.why_no_prior(observed.scenes, run.parts, run.report))
    if line := prior_scenes.uncertain(observed.scenes, run.config):
        run.note(line)
    questions = run.config.questions
    return priors.load(questions.prior).fit(prior_base.mixed(observed.tally, observed.scenes, questions.prior_base))


def prior_alone(config: BuildConfig, progress: Progress = silent) -> tuple[Expectation, Observed, float]:
    """The prior alone, fitted as a build would, what it was fitted on, and which share of the source that is."""
    check(config)
    with scratch.folder("pstgen-") as work:
        run = prepare(config, work, progress)
        observed = count_facts(run)
        return fit_prior(observed, run), observed, run.parts.share


def propose_pairs(prior: Expectation, run: Run) -> list[Candidate]:
    """Pair what has one question and two answers; of each family keep the pairs with the strongest pull."""
    config = run.config
    context = PairContext(prior, config, run.work, run.report.refused.edits)
    makers = {name: twins.load(name).open(context) for name in config.pairs.twins or plugins.names("twins")}
    by_family: defaultdict[str, list[Candidate]] = defaultdict(list)
    items = run.parts.items
    found = (
        passing.found(makers, passing.scenes(config, items, run.report, run.witness), config, run.report)
        if run.cores < 2 or run.witness  # a witness holds a model, which stays in this process
        else passing.found_ahead(makers, items, context, run.report, run.cores)
    )
    for candidate in passing.candidates(makers, run.progress(found, "scenes for items", len(items))):
        by_family[candidate.control.family].append(candidate)
    strongest = [
        candidate
        for family in sorted(by_family)
        for candidate in shares.strongest(by_family[family], config.pairs.candidates, config.selection.pairs_per_kind)
    ]
    run.report.count("pairs found", (family for family, pairs in by_family.items() for _ in pairs))
    run.report.count("candidate pairs", (candidate.control.family for candidate in strongest))
    for line in prior_scenes.empty_families(facts.family_names(config), run.report):
        run.note(line)
    return strongest


def keep_agreed(candidates: list[Candidate], judges: Iterable[Judge], run: Run) -> list[Candidate]:
    """Let models say what they associate with the contexts; where one can, no pair stays of which none says what is counted."""
    counted = agreement.counted(candidates)
    found = association.of_judges(judges, counted, counted)
    for name, associations in found.items():
        run.report.models.setdefault(name, {})["associations"] = associations.summary()
    deciding = [name for name, associations in found.items() if associations.competent]
    kept = agreement.agreeing(candidates, {name: each.values for name, each in found.items()}, deciding)
    if deciding:
        run.report.count("expected by a model", (pair.control.family for pair in kept))
    return kept


def open_scenes(candidates: Sequence[Candidate], run: Run) -> dict[str, Scene]:
    """The scenes that candidates show, annotations and where their image is: made ones, and the source's, read again."""
    edited = {scene.id: scene for candidate in candidates for scene in candidate.scenes}
    shown = {fact.scene_id for candidate in candidates for fact in candidate.facts} - set(edited)
    source = sources.load(run.config.source.name)
    read = source.scenes(run.config, shown.__contains__, run.report.refused)
    seen = run.witness(read) if run.witness else read
    return edited | {scene.id: scene for scene in run.progress(seen, "scenes of candidates", len(shown))}


def train_judges(
    judges: Sequence[Judge], observed: Observed, prior: Expectation, candidates: Sequence[Candidate], run: Run
) -> Panel:
    """Give judges what they may know of the source: examples that its statistics draw, images of scenes that give no item.

    Blind ones answer such examples first, none that they have learnt: who is no better than chance at them does not decide.
    """
    tally = prior_base.mixed(observed.tally, observed.scenes, run.config.questions.prior_base)
    examples = sample.examples(tally, prior, run.config)
    shown = {fact.scene_id for candidate in candidates for fact in candidate.facts}
    images = observed.images or prior_scenes.idle(run.parts, shown, run.config, run.report.refused)
    learnt = {judge.name: judge.learn(examples, images, prior) for judge in judges}
    for name in (name for name, ready in learnt.items() if ready is None):
        run.note(f"{name} is left out: the source has nothing that it could learn from")
    forms = {candidate.control.question[:2] for candidate in candidates}
    questions = calibration.ordinary(item for item in examples if (item.family, item.form) in forms)
    rest, unseen = sample.without(examples, tally, questions)
    fitted = priors.load(run.config.questions.prior).fit(unseen)
    others = {judge.name: judge.learn(rest, images, fitted) for judge in judges if not judge.durable}
    panel = Panel([judge for judge in learnt.values() if judge], run.config, run.report, run.progress, run.recorded)
    panel.calibrate(questions, {name: judge for name, judge in others.items() if judge})
    return panel


def select_wordings(
    candidates: Iterable[Candidate], gallery: dict[str, Scene], panel: Panel, run: Run
) -> tuple[list[Pair], list[Score]]:
    """Word every pair in several ways and find, for each, a wording for which every baseline falls."""
    judging, questions = run.config.judges, run.config.questions
    wordings = {
        f"{pair.pair_id}/{n:02}": pair
        for candidate in run.progress(candidates, "wordings")
        for n, pair in enumerate(wording.word(candidate, judging.wordings, questions.frames, questions.templates))
        if not pair.control.label or _end(pair, gallery) is not None
    }
    trial = Trial(panel.answer, run.report, run.progress, run.shard.has if run.shard else bool)
    misled = trial.misled(wordings, panel.deciding)
    return misled, trial.scores


def hide_faces(misled: list[Pair], gallery: dict[str, Scene], run: Run) -> list[Pair]:
    """Where that is wanted, give items a picture with blurred faces; pairs whose answers it would change are dropped."""
    if not run.config.source.blur_faces:
        return misled
    run.note(blurring.summary([gallery[name] for name in sorted({i.scene_id for pair in misled for i in pair.items})]))
    return blurring.blur(misled, gallery, run.work, run.cores, run.report.dropped)


def select_pairs(misled: Sequence[Pair], gallery: dict[str, Scene], run: Run) -> list[Pair]:
    """Of the wordings that misled every baseline, those that stay. Raises BadInput, with the reasons, where there is none.

    They are selected, evened out so that pictures alone do not tell twins apart, and selected again, since shares change.
    """
    config, dropped = run.config.selection, run.report.dropped
    fair = balance.even(shares.select(misled, config, dropped), gallery, run.cores, dropped)
    kept = list(selection.lettered(shares.select(fair, config, dropped)))
    if not kept:
        raise BadInput(selection.nothing(run.report, run.config))
    run.report.count("kept", (pair.family for pair in kept))
    return kept


def add_images(kept: Sequence[Pair], gallery: dict[str, Scene], run: Run) -> list[Pair]:
    """Give every twin its image; a mark or a label is drawn into a copy."""
    tops = (bool(pair.control.label and _end(pair, gallery)) for pair in kept)
    plain = [
        (item, item.image or gallery[item.scene_id].path, top)
        for pair, top in zip(kept, tops, strict=True)
        for item in pair.items
    ]
    files = workers.parallel_map(partial(visual_prompts.shown, run.work), plain, run.cores)
    return [pair.map(lambda item: replace(item, image=next(files))) for pair in kept]


def record_others(kept: Sequence[Pair], panel: Panel, run: Run) -> list[Score]:
    """Let judges that see, and blind ones that do not decide, answer what was kept. It is recorded, and changes nothing."""
    items = sorted((item for pair in kept for item in pair.items), key=lambda item: (item.image, item.item_id))
    scores: list[Score] = []
    for judge in panel.others:
        asked = items if judge.sees else [pair.control for pair in kept]
        verdicts = run.progress(panel.answer(judge, asked), "items for the seeing model", len(asked))
        names = [item.item_id if judge.sees else "" for item in asked]
        scores += [selection.score(*answered) for answered in zip(asked, verdicts, names, strict=True)]
    panel.compare_ways(items)
    return scores


def render_rows(kept: Sequence[Pair], gallery: dict[str, Scene], run: Run) -> Iterator[Cells]:
    """The rows of all items, in the order of their ids: image, targets, chain."""
    items = sorted((item for pair in kept for item in pair.items), key=lambda item: item.item_id)
    rows = workers.parallel_map(rendering.cells, ((item, gallery[item.scene_id]) for item in items), run.cores)
    yield from run.progress(rows, "writing items", len(items))


def publish(folder: Path, judges: Iterable[Judge], items: int, run: Run) -> None:
    """Write the pages about the dataset, then its manifest, which seals every file."""
    manifest = store.manifest(
        settings=manifest_settings(
            run.config, run.parts.share, detector.revision(named) if (named := run.config.source.detector) else None
        ),
        origin=prior_scenes.origin(run.config),
        judges={judge.name: judge.revision for judge in judges},
        report=run.report,
        items=items,
    )
    for name in exporters.PAGES:
        exporters.load(name).write(store.Dataset(folder, manifest), folder)
    store.seal(folder, manifest)


def _end(pair: Pair, gallery: dict[str, Scene]) -> bool | None:
    """Where the label goes, top or bottom; None where there is no room for it."""
    return visual_prompts.end_for_label(pair, [gallery[item.scene_id] for item in pair.items])


make_callable(__name__, from_settings)
