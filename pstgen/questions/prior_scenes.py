"""Which scenes feed the prior, and which give items."""

from collections import Counter
from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass
from itertools import islice

from pstgen.core import reasons
from pstgen.core.config import BuildConfig, with_settings
from pstgen.core.records import BadInput
from pstgen.core.report import Refusals, Report
from pstgen.questions import prior_base, prior_file
from pstgen.questions.facts import OTHERS
from pstgen.questions.priors import is_prior_part
from pstgen.scenes import licences, pixels, sources
from pstgen.scenes.sources import PRIOR, Entry

SHARE = 0.2  # of a source's scenes, that feed the prior where it has no scenes of its own
FED, SEED = "share of the scenes", "seed of the share"  # in a prior's file
FEW = 200  # scenes: a prior from fewer of them is said to be uncertain
REASONS = 3  # why things were left out, the commonest, that an error names


@dataclass(frozen=True)
class Parts:
    """The scenes of a run, each in the order of its source's index.

    prior: those of the prior's own annotations; held: scenes of the items' source that feed the prior instead; items: those
    that give items. pictured: ids of the prior's scenes whose picture is looked at. share: of the items' source, that is
    held. notes: what the user should know of it. licences: addresses of those that items may have, none where all may;
    unlicensed: how many scenes give no items since they have another.
    """

    prior: Sequence[Entry]
    held: Sequence[Entry]
    items: Sequence[Entry]
    pictured: frozenset[str]
    share: float
    notes: tuple[str, ...] = ()
    licences: tuple[str, ...] = ()
    unlicensed: int = 0


def check(config: BuildConfig) -> None:
    """Read what the prior rests on beside its scenes. Raises BadInput where that cannot be read, or counts the items' pictures."""
    if config.questions.prior_file:
        prior_file.read(config.questions.prior_file)
    prior_base.check(config)


def prior_config(config: BuildConfig) -> BuildConfig:
    """The configuration that reads the prior's own scenes."""
    if config.questions.prior_annotations:
        return with_settings(config, annotations=config.questions.prior_annotations, split=PRIOR)
    return with_settings(config, split=config.questions.prior_split)


def divide(config: BuildConfig, report: Report) -> Parts:
    """Part the scenes; pictures of items that are not at hand, or of a licence that is not wanted, are named in the report.

    The latter feed the prior too, by their annotations alone. Raises BadInput where options contradict each other, no picture
    is at hand, or none has a licence that is wanted.
    """
    _refuse(config)
    source = sources.load(config.source.name)
    entries: list[Entry] = source.index(config)
    allowed = _allowed(config, entries)
    own, shared = _own(config, entries)
    pictures = any(entry.at_hand and allowed(entry.licence) for entry in own)
    fed = _fed(config)
    share = _share(config, fed, pictures=pictures)
    held = [entry for entry in entries if is_prior_part(entry.id, config.questions.prior_split, share, config.seed)]
    feeding = {entry.id for entry in held}
    others = [entry for entry in entries if entry.id not in feeding]
    items = [entry for entry in others if allowed(entry.licence)]
    there = [entry for entry in items if entry.at_hand]
    for entry in others:
        if reason := entry.fault if allowed(entry.licence) else licences.refusal(entry.licence):
            report.refused.record(entry.image, f"image {entry.id.partition('/')[2]}", reason)
    if not there:
        raise BadInput(_no_pictures(items, entries, config))
    if fed:
        held = []  # the prior's file has counted them
    usable = (entry.id for entry in (*own, *held) if entry.at_hand and allowed(entry.licence))
    looked = islice(usable, config.questions.prior_pictures)
    return Parts(
        own,
        held,
        there[: config.source.limit],
        frozenset(looked),
        share,
        (*sources.notes(config), *_notes(own, held, shared)),
        tuple(sorted(allowed.addresses)),
        len(others) - len(items),
    )


def steps(divided: Parts, config: BuildConfig) -> list[tuple[str, float]]:
    """The stations that take time, and about how many seconds, measured on two cores: only their ratio matters."""
    pairs = 12 * min(config.pairs.candidates, len(divided.items))
    models = sum(name in config.judges.names for name in ("lm", "vlm", "endpoint"))
    return [
        ("scenes for the prior", 0.0005 * len(divided.prior) + 0.008 * len(divided.pictured)),
        ("scenes for items", 0.012 * len(divided.items)),
        ("scenes of candidates", 0.001 * pairs),
        ("ordinary questions", 2.0 * models),
        ("wordings", 0.001 * pairs * config.judges.wordings),
        ("wordings for models", 0.004 * models * pairs * min(2, config.judges.wordings)),
        ("items for the seeing model", 0.004 * models * pairs),
        ("writing items", 0.01 * pairs),
    ]


def _allowed(config: BuildConfig, entries: Sequence[Entry]) -> licences.Allowed:
    wanted = config.source.licenses
    return licences.allowed(wanted, sources.licences(config, entries) if wanted else {})


def _refuse(config: BuildConfig) -> None:
    if config.questions.prior_split and config.source.annotations:
        raise BadInput("--prior-split goes with COCO's folder; with --annotations name --prior-annotations FILE")
    if config.questions.prior_split and config.questions.prior_split == config.source.split:
        raise BadInput(
            f"--prior-split {config.questions.prior_split} is the split that gives the items; name another, or neither"
        )
    if (
        sum(map(bool, (config.questions.prior_split, config.questions.prior_annotations, config.questions.prior_file)))
        > 1
    ):
        raise BadInput("--prior-split, --prior-annotations and --prior-file exclude each other")
    files = [file for file in (config.source.annotations, config.questions.prior_annotations) if file and file.exists()]
    if len(files) == 2 and files[0].samefile(files[1]):
        raise BadInput(
            f"{config.source.annotations}: gives the items; without --prior-annotations a share of it feeds the prior"
        )


def _own(config: BuildConfig, entries: Sequence[Entry]) -> tuple[list[Entry], int]:
    """The prior's own scenes, and how many were left out since the items' source shows the same image."""
    if not (config.questions.prior_split or config.questions.prior_annotations):
        return [], 0
    own: list[Entry] = sources.load(config.source.name).index(prior_config(config))
    if {entry.id for entry in own} & {entry.id for entry in entries}:
        option = "--prior-annotations" if config.questions.prior_annotations else "--prior-split"
        raise BadInput(f"{option}: the source {config.source.name} has no scenes apart from those that give the items")
    if not config.questions.prior_annotations:
        return own, 0
    images = {entry.image for entry in entries}
    other = [entry for entry in own if entry.image not in images]
    return other, len(own) - len(other)


def _share(config: BuildConfig, fed: float, *, pictures: bool) -> float:
    """Of the items' source, what feeds the prior: nothing where the prior has pictures of its own, or was fitted before.

    fed: the share that the file of the prior was fitted on.
    """
    if fed and config.questions.prior_share not in {None, fed}:
        raise BadInput(
            f"{config.questions.prior_file}: was fitted on a share of {fed:g} of these scenes; leave --prior-share out"
        )
    if config.questions.prior_share is not None:
        return config.questions.prior_share
    return fed if pictures or config.questions.prior_file else SHARE


def _fed(config: BuildConfig) -> float:
    """Which share of the items' source the prior's file was fitted on. Raises BadInput where it is all, or by another seed."""
    if not config.questions.prior_file:
        return 0.0
    fitted_on = prior_file.read(config.questions.prior_file).fitted_on
    here: dict[str, str] = sources.load(config.source.name).origin(config)
    hashes = {value for name, value in here.items() if name.startswith("sha256")}
    if hashes & {value for name, value in fitted_on.items() if name.startswith("prior, ")}:
        raise BadInput(
            f"{config.questions.prior_file}: was fitted on all of these scenes, so none can give items; name other ones"
        )
    same = all(fitted_on.get(name) == value for name, value in here.items() if name != "scenes")
    if not (same or hashes & set(fitted_on.values())):
        return 0.0
    if fitted_on[SEED] != str(config.seed):
        raise BadInput(
            f"{config.questions.prior_file}: was fitted on a share of these scenes, drawn by --seed {fitted_on[SEED]}"
        )
    return float(fitted_on[FED])


def fitted_on(config: BuildConfig, share: float) -> dict[str, str]:
    """What a prior that is written rests on: where it comes from, and which share of it."""
    return origin(config) | {FED: f"{share:g}", SEED: str(config.seed)}


def _notes(own: Sequence[Entry], held: Sequence[Entry], shared: int) -> Iterator[str]:
    if shared:
        yield f"{shared:,} images of the prior's file are the items' too and do not feed the prior"
    if own and not any(entry.at_hand for entry in own):
        yield (
            f"the prior rests on the annotations of {len(own):,} scenes whose pictures are not at hand; what only pictures "
            f"show (colours, marked points, what touches) it learns from {len(held):,} scenes that give no items"
        )


def _no_pictures(items: Sequence[Entry], entries: Sequence[Entry], config: BuildConfig) -> str:
    if not items and config.source.licenses:
        return f"all scenes of --licenses {', '.join(config.source.licenses)} feed the prior, and none is left for items: a lower --prior-share, or more licences"
    if not items:
        return f"all {len(entries):,} scenes feed the prior, and none is left for items: a lower --prior-share, or more scenes"
    names = ", ".join(entry.image for entry in items[:3])
    fault, _ = Counter(entry.fault for entry in items).most_common(1)[0]
    places = ", ".join(map(str, sources.searched(config)))
    return (
        f"none of {len(items):,} annotated pictures is at hand ({names}, …): {fault}. Looked for in {places}; "
        "with --annotations, --images DIR names their folder"
    )


def read_pictures(divided: Parts, config: BuildConfig, report: Report) -> None:
    """Open the items' pictures too where some were left out, so that an error can tell all of it at once."""
    if report.refused.records:
        wanted = {entry.id for entry in divided.items}
        read = sources.load(config.source.name).scenes(config, wanted.__contains__, report.refused)
        for _ in pixels.usable(read, report.refused):
            pass


def uncertain(scenes: int, config: BuildConfig) -> str:
    """A line that says so, where the prior rests on few scenes; else an empty one."""
    if scenes >= FEW:
        return ""
    number = "1 scene" if scenes == 1 else f"{scenes} scenes"
    others = "--scenes" if config.source.name == "world" else "pictures, --prior-annotations or --prior-file"
    base = config.questions.prior_base
    which = f" (what is seen together it knows from {base} too)" if base and base != "none" else ""
    return (
        f"the prior rests on {number}, fewer than {FEW}, so what it expects is uncertain{which}: "
        f"a larger --prior-share or more {others}"
    )


def idle(divided: Parts, shown: Collection[str], config: BuildConfig, refused: Refusals) -> list[str]:
    """Images of a few scenes that no candidate shows."""
    unused = {entry.id for entry in islice((e for e in divided.items if e.id not in shown), OTHERS)}
    read = sources.load(config.source.name).scenes(config, unused.__contains__, refused)
    return [scene.path for scene in pixels.usable(read, refused)]


def why_no_prior(scenes: int, divided: Parts, report: Report) -> str:
    """Why there is nothing to expect: what was left out comes last, or what else would bring a prior."""
    known = " of which nothing is known for sure" * bool(scenes)
    summary = f"the prior rests on {scenes:,} scenes{known}, so nothing is expected and no answer is a lure"
    if left_out := reasons.left_out(report.refused.records)[:REASONS]:
        return f"{summary}. {'; '.join(f'{n:,} {what}' for what, n in left_out)}"
    return (
        f"{summary}: a larger --prior-share (it is {divided.share:g} of {len(divided.held) + len(divided.items):,} scenes), "
        "more pictures, --prior-annotations FILE or --prior-file FILE"
    )


def empty_families(families: Sequence[str], report: Report) -> Iterator[str]:
    """Whether captions would bring more pairs; and families that gave no candidate, a line for all of them."""
    candidates = report.stations["candidate pairs"]
    none = [family for family in families if not candidates[family]]
    if report.stations.get("scenes for items") and not report.captioned:
        yield (
            "there are no captions, without which nothing small is known to be there, and nothing to be absent: fewer pairs; "
            "captions_*.json beside instances_*.json brings them"
        )
    if none:
        yield f"no pair was found in {', '.join(none)}: no question of theirs has two answers, one of them expected"


def origin(config: BuildConfig) -> dict[str, str]:
    """Where the images come from, and what the prior was fitted on."""
    source = sources.load(config.source.name)
    sources_of: dict[str, str] = source.origin(config)
    if config.questions.prior_file:
        return sources_of | {"prior file": prior_file.digest(config.questions.prior_file)}
    if config.questions.prior_split or config.questions.prior_annotations:
        own = source.origin(prior_config(config))
        return sources_of | {f"prior, {name}": value for name, value in own.items() if name.startswith("sha256")}
    return sources_of
