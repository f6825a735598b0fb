"""Results of many models on one set, ranked by the pairs that they win."""

from collections.abc import Sequence

from pstgen.core import pages
from pstgen.core.pages import Bar
from pstgen.core.records import BadInput
from pstgen.evaluation.stress_result import Figure, StressResult


def rank(results: Sequence[StressResult]) -> list[StressResult]:
    """The best first. Raises BadInput where results are on different sets, or two have one name."""
    first = results[0]
    names = [found.model for found in results]
    if twice := sorted({name for name in names if names.count(name) > 1}):
        raise BadInput(f"two results are called {twice[0]!r}: name one of them with --name")
    if other := next((found for found in results if found.set_seal != first.set_seal), None):
        raise BadInput(f"{first.model} and {other.model} were given different sets; one page ranks results on one set")
    return sorted(results, key=lambda found: (-_pairs(found).share, found.model))


def page(ranked: Sequence[StressResult]) -> str:
    """A page that loads nothing: a chart of pairs won, and a table of all else."""
    coin = ranked[0].whole.coin
    return pages.render(
        "evaluation/leaderboard.html.jinja",
        coin=coin,
        bars=[_bar(found, coin) for found in ranked],
        rows=[(found.model, _cells(found)) for found in ranked],
        seal=ranked[0].set_seal,
        partly=[found for found in ranked if found.answered < found.items],
    )


def _pairs(found: StressResult) -> Figure:
    return found.whole.figures["pairs"]


def _bar(found: StressResult, coin: float) -> Bar:
    pairs = _pairs(found)
    return Bar(found.model, pairs.share, pairs.low, pairs.high, pairs.low > coin, f"{pairs.n:,}")


def _cells(found: StressResult) -> list[tuple[str, str]]:
    """Of each column the share and its bounds, in percent."""
    whole = found.whole.figures
    words = [
        group.figures["pairs"] if (group := found.part("words", name)) else None for name in ("neutral", "misleading")
    ]
    rest = [whole.get(name) for name in ("lure_rate", "flip_rate", "invalid_rate", "blind/control", "blind/stress")]
    return [_cell(figure) for figure in (*words, *rest)]


def _cell(figure: Figure | None) -> tuple[str, str]:
    return (f"{100 * figure.share:.1f}", f"{100 * figure.low:.1f} to {100 * figure.high:.1f}") if figure else ("-", "")
