"""What do people who looked at a sample of the labels say: how many are wrong, how many ambiguous; and how many pairs?"""

from collections.abc import Iterator
from dataclasses import fields

from pstgen.core.config import VerifyConfig
from pstgen.core.records import BadInput
from pstgen.dataset.store import Dataset
from pstgen.verification import agreement, annotations
from pstgen.verification.annotations import Annotation, PairRates
from pstgen.verification.checks import first_problems
from pstgen.verification.findings import AuditResult, Finding

UNTESTED = "no person has audited the labels"


def examine(dataset: Dataset, config: VerifyConfig, /) -> Finding:
    """Sum up audit.jsonl, where there is one, of this very manifest; without it nothing is tested.

    Where `config.most_wrong` is set, a set that nobody has audited is not sound.
    """
    counted, strange = _read(dataset)
    result = agreement.summarize(counted, config.confidence)
    pairs = annotations.rate_pairs(counted, config.confidence)
    return Finding(
        check="audit",
        summary=_summary(result, pairs) if result and pairs else UNTESTED,
        figures=_figures(pairs) if pairs else {},
        problems=first_problems((*strange, *_exceeded(result, config.most_wrong))),
        audit=result,
        untested="" if result else UNTESTED,
    )


def _read(dataset: Dataset) -> tuple[list[Annotation], list[str]]:
    """The annotations that count, and what is wrong with the others."""
    try:
        lines = annotations.read(dataset.folder / annotations.FILE)
    except BadInput as error:
        return [], [str(error)]
    known = {(item.item_id, item.pair_id, item.family) for item in dataset.items()} if lines else set()
    counted, strange = list[Annotation](), list[str]()
    for n, line in enumerate(lines, 1):
        if line.manifest != dataset.manifest.seal:
            strange.append(
                f"{annotations.FILE}: line {n} is about another manifest; move the file away and audit this set"
            )
        elif (line.item, line.pair, line.family) not in known:
            strange.append(
                f"{annotations.FILE}: line {n}: the set has no item {line.item} of {line.pair}, {line.family}"
            )
        else:
            counted.append(line)
    return counted, strange


def _exceeded(result: AuditResult | None, most_wrong: float | None) -> Iterator[str]:
    if most_wrong is None:
        return
    if result is None:
        yield f"not audited, and at most {most_wrong:.1%} of the labels may be wrong: run pstgen audit"
    elif result.labels.wrong.high > most_wrong:
        yield f"up to {result.labels.wrong.high:.1%} of the labels may be wrong, and at most {most_wrong:.1%} are allowed"


def _figures(pairs: PairRates) -> dict[str, float]:
    """Shares of pairs with their bounds: "pairs_wrong", "pairs_wrong_low", "pairs_wrong_high" and so on."""
    rates = ((f"pairs_{field.name}", getattr(pairs, field.name)) for field in fields(pairs))
    bounds = [{name: rate.share, f"{name}_low": rate.low, f"{name}_high": rate.high} for name, rate in rates]
    return {name: value for bound in bounds for name, value in bound.items()}


def _summary(result: AuditResult, pairs: PairRates) -> str:
    kappa = "" if result.kappa is None else f" (kappa {result.kappa:.2f})"
    labels = result.labels
    return (
        f"{labels.wrong.total:,} labels audited by {result.auditors}{kappa}: "
        f"{labels.wrong} wrong, {labels.ambiguous} ambiguous; of {pairs}"
    )
