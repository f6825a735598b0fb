"""Who else expects the lure: what models associate with the context, beside what was counted."""

from collections.abc import Collection, Iterable, Mapping
from dataclasses import replace

from pstgen.core.records import Candidate
from pstgen.questions import families, prior_base

Couple = tuple[str, str]  # a kind of thing, and its context


def couple(pair: Candidate) -> Couple | None:
    """The thing that one expects, or not, and the context; None where the question has no context."""
    (family, form, about), _ = families.expected_of(pair.control.question, pair.lure)
    return (about[0], about[1]) if (family, form) == prior_base.FORM else None


def counted(pairs: Iterable[Candidate]) -> dict[Couple, float]:
    """What the context surely adds to the odds of each thing that pairs ask about, in nats."""
    return {known: _sign(pair) * pair.pull for pair in pairs if (known := couple(pair))}


def agreeing(
    pairs: Iterable[Candidate], models: Mapping[str, Mapping[Couple, float]], deciding: Collection[str]
) -> list[Candidate]:
    """Those of whose lure at least one deciding model says the same, where there is one; each with what every model says.

    models: what each adds to the odds of a thing in a context, in nats.
    """
    kept: list[Candidate] = []
    for pair in pairs:
        known = couple(pair)
        of_couple = [(name, values.get(known)) for name, values in sorted(models.items())] if known else []
        pulls = tuple((name, _sign(pair) * value) for name, value in of_couple if value is not None)
        votes = [pull > 0 for name, pull in pulls if name in deciding]
        if any(votes) or not votes:
            kept.append(replace(pair, model_pulls=pulls))
    return kept


def _sign(pair: Candidate) -> int:
    return -1 if pair.lure == "no" else 1
