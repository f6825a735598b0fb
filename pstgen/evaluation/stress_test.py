"""A stress test put to a model, or to answers that were made elsewhere: from a set on the disk to a result."""

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from pstgen.core.config import EvalConfig, read
from pstgen.core.progress import Progress, silent
from pstgen.core.records import BadInput, Item
from pstgen.dataset import store
from pstgen.dataset.damage import guarded, readable
from pstgen.dataset.store import Dataset
from pstgen.evaluation import grounding, mini, model_answers, place_answers, predictions, stress_result
from pstgen.evaluation.grounding import GroundingResult
from pstgen.evaluation.model_answers import PLACES, Answers
from pstgen.evaluation.place_answers import PlaceAnswers
from pstgen.evaluation.stress_result import StressResult


def evaluate(config: EvalConfig, progress: Progress = silent) -> StressResult:
    """Put a set, the pairs of a mini, or `limit` pairs to a model, or measure predictions.

    Raises BadInput where there is no set, where not just one of model and predictions is named, and where predictions or the
    mini do not fit; and what opening the model raises.
    """
    _check(config)
    if config.ask in PLACES:
        raise BadInput(
            f"--ask {config.ask} asks for places: from Python, `pstgen.evaluation.stress_test.ground` does that"
        )
    if config.coordinates:
        raise BadInput("--coordinates is about places: it stands beside --ask point or --ask box")
    with readable(config.folder):
        dataset = store.open(config.folder)
        every = list(dataset.items())
    wanted = _wanted(dataset, every, config)
    if config.predictions:
        answers = _predicted(config.predictions, config, every)
    else:
        answers = model_answers.answer(dataset, wanted, config, progress)
    items = [item for item in every if item.pair_id in wanted]
    named = replace(answers, model=config.name or answers.model)
    return stress_result.result(items, named, dataset.manifest, config.seed)


def ground(config: EvalConfig, progress: Progress = silent) -> GroundingResult:
    """Ask a model where the answers are shown, by the point or the box that `config.ask` names, or measure such predictions.

    Raises what `evaluate` raises, and BadInput where the set has no place to be asked for, or something is wanted beside places.
    """
    _check(config)
    place = next((place for place in PLACES if place == config.ask), None)
    if place is None or config.collateral or config.blind_predictions:
        raise BadInput(
            "places are asked for by --ask point or --ask box, without --collateral and --blind-predictions, which are about options"
        )
    with readable(config.folder):
        dataset = store.open(config.folder)
        every = list(dataset.items())
    wanted = _wanted(dataset, every, config)
    if config.predictions:
        texts = predictions.texts(config.predictions, every, config.folder)
        answers = PlaceAnswers(config.predictions.stem, named=config.coordinates, texts=texts)
    else:
        answers = place_answers.answer(dataset, wanted, place, config, progress)
    named = replace(answers, model=config.name or answers.model)
    return grounding.result(
        guarded(dataset.rows_of(wanted), config.folder), place, named, dataset.manifest, config.seed
    )


def _check(config: EvalConfig) -> None:
    """Raise BadInput where not just one of model and predictions is named, or what only one of them can give is wanted."""
    if bool(config.model) == bool(config.predictions):
        raise BadInput("name what is to be evaluated: --model (a folder, hub id or server) or --predictions FILE")
    if config.blind_predictions and not config.predictions:
        raise BadInput("--blind-predictions stands beside --predictions; a --model is asked without images anyway")
    if config.collateral and not config.model:
        raise BadInput("--collateral needs a --model: its questions are not in the set, so no predictions answer them")


def from_folder(folder: str | Path, progress: Progress = silent, **settings: Any) -> StressResult:
    """Evaluate as `pstgen eval` does: `pstgen.evaluate("pst/", model="eye")`.

    settings: the command's options. Raises what `evaluate` raises.
    """
    return evaluate(read(None, settings | {"folder": folder}, EvalConfig), progress)


def _wanted(dataset: Dataset, items: Sequence[Item], config: EvalConfig) -> set[str]:
    """The pairs that count."""
    of = mini.strata(items)
    if config.pairs:
        named = mini.read(config.pairs, dataset.manifest.seal, config.folder)
        if gone := sorted(set(named) - set(of)):
            raise BadInput(f"{config.pairs}: {config.folder} has no pair {gone[0]}")
        of = {pair: of[pair] for pair in named}
    return set(mini.draw(of, config.limit)) if config.limit else set(of)


def _predicted(file: Path, config: EvalConfig, items: Sequence[Item]) -> Answers:
    blind = config.blind_predictions
    return Answers(
        model=file.stem,
        seeing=predictions.read(file, items, config.folder),
        blind=predictions.read(blind, items, config.folder) if blind else {},
    )
