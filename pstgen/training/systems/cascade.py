"""A cascade of single-task models: a router reads the question and hands it to the one that has learnt such questions alone."""

from collections import defaultdict
from collections.abc import Sequence

from pstgen.models.answerer import Answerer, Query
from pstgen.training.systems import Part, Plan

PLAN = Plan(
    parts=(
        Part("detector", ("existence", "pointing", "relation", "overlap")),
        Part("counter", ("count",)),
        Part("colour-reader", ("colour", "combination")),
        Part("pose-estimator", ("pose", "visibility")),
        Part("depth-estimator", ("depth", "size")),
        Part("sign-reader", ("text",)),
    )
)


def answer(answerer: Answerer, queries: Sequence[Query], /) -> list[str]:
    """Each part answers the questions that the router hands to it."""
    numbers = defaultdict[str, list[int]](list)
    for n, name in enumerate(answerer.route([query.question for query in queries])):
        numbers[name].append(n)
    answers = [""] * len(queries)
    for name, chosen in numbers.items():
        for n, text in zip(chosen, answerer.parts[name].answer([queries[n] for n in chosen]), strict=True):
            answers[n] = text
    return answers
