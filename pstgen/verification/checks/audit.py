"""What do people who looked at a sample of the labels say: how many are wrong, how many ambiguous?"""

from collections.abc import Iterator

from pstgen.core.config import VerifyConfig
from pstgen.core.records import BadInput, Finding
from pstgen.dataset.store import Dataset
from pstgen.verification import annotations
from pstgen.verification.annotations import Line, Outcome, Rate
from pstgen.verification.checks import some

UNTESTED = "no person has audited the labels"


def examine(dataset: Dataset, config: VerifyConfig, /) -> Finding:
    """Sum up audit.jsonl, where there is one, of this very manifest; without it nothing is tested.

    Where `config.most_wrong` is set, a set that nobody has audited is not sound.
    """
    lines, strange = _read(dataset)
    outcome = annotations.outcome(lines, config.confidence)
    return Finding(
        check="audit",
        summary=_summary(outcome) if outcome else UNTESTED,
        problems=some((*strange, *_doubtful(outcome, config.most_wrong))),
        figures=_figures(outcome) if outcome else {},
        untested="" if outcome else UNTESTED,
    )


def _read(dataset: Dataset) -> tuple[list[Line], list[str]]:
    """The lines of audit.jsonl that count, and what is wrong with the others."""
    try:
        lines = annotations.read(dataset.folder / annotations.FILE)
    except BadInput as error:
        return [], [str(error)]
    known = {(item.item_id, item.pair_id, item.family) for item in dataset.items()} if lines else set()
    counted, strange = list[Line](), list[str]()
    for n, line in enumerate(lines, 1):
        if line.manifest != dataset.manifest.seal:
            strange.append(
                f"{annotations.FILE}: line {n} speaks of another manifest; move the file away and audit this set"
            )
        elif (line.item, line.pair, line.family) not in known:
            strange.append(
                f"{annotations.FILE}: line {n}: the set has no item {line.item} of {line.pair}, {line.family}"
            )
        else:
            counted.append(line)
    return counted, strange


def _doubtful(outcome: Outcome | None, most_wrong: float | None) -> Iterator[str]:
    if most_wrong is not None and outcome is None:
        yield f"not audited, and at most {most_wrong:.1%} of the labels are to be wrong: pstgen audit"
    elif most_wrong is not None and outcome and outcome.wrong.high > most_wrong:
        yield f"up to {outcome.wrong.high:.1%} of the labels may be wrong; at most {most_wrong:.1%} are to be"


def _summary(outcome: Outcome) -> str:
    kappa = "" if outcome.kappa is None else f" (kappa {outcome.kappa:.2f})"
    people = "one person" if outcome.people == 1 else f"{outcome.people} people"
    rates = f"{_bounds(outcome.wrong)} wrong, {_bounds(outcome.ambiguous)} ambiguous"
    return f"{outcome.wrong.of:,} labels audited by {people}{kappa}: {rates}"


def _bounds(rate: Rate) -> str:
    return f"{rate.share:.1%} [{rate.low:.1%}, {rate.high:.1%}]"


def _figures(outcome: Outcome) -> dict[str, float]:
    """Every rate with its bounds and of how many; agreement and kappa only where there are any."""
    rates = {"wrong": outcome.wrong, "ambiguous": outcome.ambiguous, "pairs wrong": outcome.pairs_wrong}
    for family, (wrong, ambiguous) in outcome.by_family.items():
        rates |= {f"{family}/wrong": wrong, f"{family}/ambiguous": ambiguous}
    agreed = {"agreement": outcome.agreement, "kappa": outcome.kappa}
    return {
        "audited": outcome.wrong.of,
        "people": outcome.people,
        **{name: figure for name, figure in agreed.items() if figure is not None},
        **{f"{name}/{what}": figure for name, rate in rates.items() for what, figure in _parts(rate)},
    }


def _parts(rate: Rate) -> Iterator[tuple[str, float]]:
    yield from (("share", rate.share), ("low", rate.low), ("high", rate.high), ("of", rate.of))
