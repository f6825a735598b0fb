"""What an answer takes where a system is used: questions to models, FLOPs; and is what it says in words of its own an answer at all?"""

from dataclasses import replace
from functools import partial
from statistics import fmean

from pstgen.core.records import BadInput
from pstgen.evaluation.metrics import Evaluation, Headline, Scores, plain
from pstgen.models.answerer import Query
from pstgen.models.flops import count_flops
from pstgen.scenes import pixels

EXPENSIVE = True
ITEMS = 24  # of the stress test, about
HEADLINES = (
    Headline("calls", "questions to models, an answer", "", higher_is_better=False, in_table=False, place=70),
    Headline("gflops", "GFLOPs, an answer", "", higher_is_better=False, digits=2, in_table=False, place=71),
    Headline("valid", "answers in its own words that are one of the options", in_table=False, place=72),
)


def measure(evaluation: Evaluation, /) -> Scores:
    """Figures, means over some of the stress test's items, one question at a time.

    calls: questions that models are asked for one answer; looks: images that tools look at. gflops: counted while it answers.
    valid: percent of the answers in the system's own words, no option being shown, that are one of the options.
    """
    rows = evaluation.rows(ITEMS)
    if not rows:
        raise BadInput("no items to be answered")
    system, answerer = evaluation.system, evaluation.answerer
    queries = [Query(row.item.item_id, row.item.question, row.item.options, pixels.decode(row.image)) for row in rows]
    system.answer(answerer, queries[:1])  # a model is checked when it is asked for the first time
    answerer.calls.clear()
    flops = [count_flops(partial(system.answer, answerer, [query])) for query in queries]
    figures = {
        "calls": answerer.calls["model"] / len(queries),
        "looks": answerer.calls["tools"] / len(queries),
        "gflops": fmean(flops) / 1e9,
    }
    free = system.answer(answerer, [replace(query, options=()) for query in queries])
    valid = [plain(text) in map(plain, query.options) for text, query in zip(free, queries, strict=True)]
    return Scores(figures=figures | {"valid": 100 * fmean(valid)})
