"""Is every answer what the annotations and the pixels say, worked out anew, and what did people say of it?"""

from collections.abc import Iterator

from pstgen import plugins, store, verdicts
from pstgen.checks import some
from pstgen.config import VerifyConfig
from pstgen.records import BadInput, Finding
from pstgen.store import Dataset, Row
from pstgen.verdicts import Line, Outcome, Rate


def examine(dataset: Dataset, config: VerifyConfig, /) -> Finding:
    """Ask each item's family about its scene again; sum up audit.jsonl, where there is one, of this very manifest."""
    labels = (problem for row in dataset.rows() for problem in _label(row))
    lines, strange = _audit(dataset)
    outcome = verdicts.outcome(lines, config.confidence)
    return Finding(
        check="labels",
        summary=f"{dataset.manifest.items:,} answers recomputed from annotations and pixels; {_said(outcome)}",
        problems=some((*labels, *strange, *_doubtful(outcome, config.most_wrong))),
        figures=_figures(outcome) if outcome else {},
    )


def _label(row: Row) -> Iterator[str]:
    item = row.item
    with store.on_disk(row) as scene:
        facts = [
            fact
            for fact in plugins.load("families", item.family).ask(scene)
            if (fact.form, fact.about, fact.mark) == (item.form, item.about, item.mark)
        ]
    if not facts:
        yield f"item {item.item_id}: its family asks no such question of this scene"
    elif not facts[0].truth.known:
        yield f"item {item.item_id}: the answer is unknown ({facts[0].truth.reason}), the set says {item.answer!r}"
    elif facts[0].truth.answer != item.answer:
        yield f"item {item.item_id}: the answer is {facts[0].truth.answer!r}, the set says {item.answer!r}"
    elif facts[0].evidence != item.evidence:
        yield f"item {item.item_id}: the evidence is {facts[0].evidence}, the set says {item.evidence}"


def _audit(dataset: Dataset) -> tuple[list[Line], list[str]]:
    """The lines of audit.jsonl that count, and what is wrong with the others."""
    try:
        lines = verdicts.read(dataset.folder / verdicts.FILE)
    except BadInput as error:
        return [], [str(error)]
    known = {(item.item_id, item.pair_id, item.family) for item in dataset.items()} if lines else set()
    counted, strange = list[Line](), list[str]()
    for n, line in enumerate(lines, 1):
        if line.manifest != dataset.manifest.seal:
            strange.append(
                f"{verdicts.FILE}: line {n} speaks of another manifest; move the file away and audit this set"
            )
        elif (line.item, line.pair, line.family) not in known:
            strange.append(f"{verdicts.FILE}: line {n}: the set has no item {line.item} of {line.pair}, {line.family}")
        else:
            counted.append(line)
    return counted, strange


def _doubtful(outcome: Outcome | None, most_wrong: float | None) -> Iterator[str]:
    if most_wrong is not None and outcome is None:
        yield f"not audited, and at most {most_wrong:.1%} of the labels are to be wrong: pstgen audit"
    elif most_wrong is not None and outcome and outcome.wrong.high > most_wrong:
        yield f"up to {outcome.wrong.high:.1%} of the labels may be wrong; at most {most_wrong:.1%} are to be"


def _said(outcome: Outcome | None) -> str:
    if outcome is None:
        return "not audited"
    kappa = "" if outcome.kappa is None else f" (kappa {outcome.kappa:.2f})"
    people = "one person" if outcome.people == 1 else f"{outcome.people} people"
    rates = f"{_bounds(outcome.wrong)} wrong, {_bounds(outcome.ambiguous)} ambiguous"
    return f"{outcome.wrong.of:,} audited by {people}{kappa}: {rates}"


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
