"""Runs attackers on samples, ours or of another benchmark, and measures what words alone reach."""

import logging
import warnings
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from time import perf_counter

import numpy as np
from numpy.typing import NDArray

from pstgen.core import plugins, statistics, workers
from pstgen.core.config import VerifyConfig
from pstgen.core.records import BadInput, TooLarge
from pstgen.core.resources import model_folder, model_named
from pstgen.core.statistics import Share
from pstgen.dataset.chance import coin
from pstgen.models.chat import Image
from pstgen.models.loading import ModelOptions
from pstgen.questions.wording import NEUTRAL
from pstgen.verification import attackers
from pstgen.verification.attackers import Resources
from pstgen.verification.findings import AttackResult
from pstgen.verification.samples import Sample, Split, leaks, splits, with_positions

LOG = logging.getLogger("pstgen")
MANY = 400  # samples for which worker processes pay
MODELS = frozenset({"lm", "vlm"})  # what an attacker may need that takes a machine for itself


@dataclass(frozen=True, slots=True, kw_only=True)
class AttackRun:
    """One attacker's run. correct: (samples,) bool, whether it was right about each. seconds: how long it took."""

    result: AttackResult
    correct: NDArray[np.bool_]
    seconds: float


def run_all(
    samples: Sequence[Sample],
    config: VerifyConfig,
    images: Mapping[str, Image] | None = None,
    untried: dict[str, str] | None = None,
) -> Iterator[AttackRun]:
    """Every attacker that has what it needs; of many samples those without a model in several processes at once.

    images: a few of the set by scene, to show a VLM the wrong one. An attacker whose model does not fit the memory is left
    out, and `untried` says so. Raises Unavailable where a model that is named does not load.
    """
    able = list(_able(samples, config, images))
    plain = [name for name in able if not attackers.needs(name) & MODELS]
    processes = (config.workers or workers.cores()) if len(samples) >= MANY else 1
    tried_plain = workers.parallel_map(partial(_tried, workers.Shared(samples), config), plain, processes, batch=1)
    for name in able:
        tried = next(tried_plain) if name in plain else _tried(workers.Shared(samples), config, name, images)
        if isinstance(tried, TooLarge):
            if untried is None:
                raise tried
            untried[name] = str(tried)
            continue
        LOG.info("%s: %s items attacked in %.1f s", name, f"{len(samples):,}", tried.seconds)
        yield tried


def _able(samples: Sequence[Sample], config: VerifyConfig, images: Mapping[str, Image] | None) -> Iterator[str]:
    """Those that have what they need. Raises BadInput where one that was chosen has not."""
    resources = _resources(config, images)
    available = {name for name in ("lm", "vlm", "images") if getattr(resources, name)}
    if all(sample.lure >= 0 for sample in samples):
        available.add("lure")
    for name in config.attackers or plugins.names("attackers"):
        missing = attackers.needs(name) - available
        if missing and config.attackers:
            wanted = (f"--attacker-{what}" if what in MODELS else what for what in sorted(missing))
            raise BadInput(f"--attacker {name}: needs {', '.join(wanted)}")
        if not missing:
            yield name


def _tried(
    samples: workers.Shared[Sequence[Sample]],
    config: VerifyConfig,
    name: str,
    images: Mapping[str, Image] | None = None,
) -> AttackRun | TooLarge:
    try:
        return run(name, samples.value, config, images)
    except TooLarge as error:
        return error


def run(
    name: str, samples: Sequence[Sample], config: VerifyConfig, images: Mapping[str, Image] | None = None
) -> AttackRun:
    """What one attacker reaches; the model that answers a sample was trained on neither its pair nor its scene.

    Where a set is so small that nothing is left to train on, the first option is chosen. Raises RuntimeError where folds
    leak: what is reached then means nothing.
    """
    start = perf_counter()
    numbered, resources = with_positions(samples), _resources(config, images)
    choices, trained_on = [0] * len(samples), 0
    for split in splits(samples, config.folds, config.seed):
        if leaked := leaks(samples, split):
            raise RuntimeError(
                f"folds leak: {', '.join(leaked[:3])}, {len(leaked)} in all, are in both parts of a split"
            )
        if len(split.train):
            for n, scores in zip(split.test.tolist(), _scores(numbered, split, name, resources), strict=True):
                choices[n] = int(np.argmax(scores))
        trained_on += len(split.train) * len(split.test)
    result = measure(name, samples, choices, config, train_share=trained_on / len(samples) ** 2)
    return AttackRun(result=result, correct=_correct(samples, choices), seconds=perf_counter() - start)


def _scores(samples: Sequence[Sample], split: Split, name: str, resources: Resources) -> list[tuple[float, ...]]:
    """Without a model of torch's, on one thread: several wait for each other, and sum in another order elsewhere."""
    import sklearn.ensemble  # noqa: F401 (whose threads are limited only once it is loaded)
    from threadpoolctl import threadpool_limits

    train, test = ([samples[n] for n in indices.tolist()] for indices in (split.train, split.test))
    with warnings.catch_warnings(), threadpool_limits(None if attackers.needs(name) & MODELS else 1):
        warnings.filterwarnings("ignore", "The number of unique classes", UserWarning)  # of few samples
        return attackers.load(name).attack(train, test, resources)


def _resources(config: VerifyConfig, images: Mapping[str, Image] | None) -> Resources:
    lm, vlm = _model(config.attacker_lm, "words"), _model(config.attacker_vlm, "eye")
    options = ModelOptions(device=config.device, dtype=config.dtype, device_map=config.device_map)
    return Resources(seed=config.seed, lm=lm, vlm=vlm, options=options, images=images or {})


def _model(name: str, ours: str) -> str:
    """Folder or hub id of a model; "ours" names the one that comes with pstgen, "smollm2" the package's."""
    return str(model_folder(ours)) if name == "ours" else model_named(name, ours) or ""


def _correct(samples: Sequence[Sample], choices: Sequence[int]) -> NDArray[np.bool_]:
    return np.array([choice == sample.answer for sample, choice in zip(samples, choices, strict=True)])


def measure(
    name: str, samples: Sequence[Sample], choices: Sequence[int], config: VerifyConfig, *, train_share: float = 0.0
) -> AttackResult:
    """What the choices, an index of an option each, come to.

    Twins share their words, so a pair is one draw: a guess by the words hits one of its twins or none.
    """
    correct = _correct(samples, choices)
    roles = np.array([sample.role for sample in samples])
    framed = np.array([sample.frame not in {"", NEUTRAL} for sample in samples])
    neutral = np.array([sample.frame == NEUTRAL for sample in samples])
    chances = np.array([1 / len(sample.options) for sample in samples])
    pair = np.unique([sample.pair for sample in samples], return_inverse=True)[1]
    sizes = np.bincount(pair)

    def share(hits: NDArray[np.int64], counted: NDArray[np.int64], chance: float) -> Share:
        return statistics.share_of_pairs(hits, counted, chance=chance, confidence=config.confidence, seed=config.seed)

    def of(mask: NDArray[np.bool_]) -> Share | None:
        if not mask.any():
            return None
        hits, counted = (np.bincount(pair[which], minlength=len(sizes)) for which in (correct & mask, mask))
        return share(hits, counted, float(chances[mask].mean()))

    won = np.bincount(pair[correct], minlength=len(sizes)) == sizes
    twins = defaultdict[int, list[tuple[int, str]]](list)
    for n, sample in zip(pair.tolist(), samples, strict=True):
        twins[n].append((len(sample.options), sample.correct_option))
    by_chance = coin(twins.values())
    return AttackResult(
        attacker=name,
        pairs=share(won.astype(np.int64), np.ones_like(sizes), by_chance.options),
        items=share(np.bincount(pair[correct], minlength=len(sizes)), sizes, float(chances.mean())),
        stress=of(roles == "stress"),
        control=of(roles == "control"),
        ceiling=len(sizes) / len(samples),
        train_share=train_share,
        neutral=of(neutral),
        framed=of(framed),
        coin=by_chance.answers,
    )


def vulnerability(runs: Sequence[AttackRun]) -> NDArray[np.float64]:
    """(samples,) s(x): the share of attackers that are right about each. Twins of one text have at most 1 in sum."""
    shares: NDArray[np.float64] = np.mean([run.correct for run in runs], axis=0)
    return shares
