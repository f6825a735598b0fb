"""Build, verify and learn from Perception Stress Tests.

    import pstgen

    pstgen.build(source="world", scenes=300, out="pst/")   # a stress test, as `pstgen build` makes it
    pstgen.verify("pst/")                                  # examine it, write its certificate
    pstgen.evaluate("pst/", model="eye")                   # what a model reaches, with and without the images
    dataset = pstgen.load("pst/")                          # items, pairs, rows with their targets
    pstgen.score(dataset, answers)                         # answers by item id -> item, pair, lure rate, ...

Nothing heavy is imported before it is needed.
"""

from __future__ import annotations

from collections.abc import Mapping
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pstgen.core import __version__

if TYPE_CHECKING:
    from pstgen.build import from_settings as build
    from pstgen.dataset.store import Dataset
    from pstgen.evaluation.metrics import Scores
    from pstgen.evaluation.stress_result import StressResult
    from pstgen.verify import from_folder as verify

__all__ = ["__version__", "build", "evaluate", "load", "score", "verify"]


def __getattr__(name: str) -> Any:
    """Import the roads `build` and `verify` when they are used; both modules can be called."""
    if name in {"build", "verify"}:
        return import_module(f"pstgen.{name}")
    raise AttributeError(f"module 'pstgen' has no attribute {name!r}")


def load(folder: str | Path) -> Dataset:
    """Open a dataset on disk; its items, pairs, rows and scores are read as they are used.

    Raises pstgen.core.records.BadInput where the folder is none, or of another format.
    """
    from pstgen.dataset import store

    return store.open(Path(folder))


def evaluate(folder: str | Path, **settings: Any) -> StressResult:
    """Put a stress test to a model, or measure predictions, as `pstgen eval` does; settings: the command's options.

    Raises pstgen.core.records.BadInput where there is no set, or a setting is wrong; Unavailable where a model does not open.
    """
    from pstgen.evaluation import stress_test

    return stress_test.from_folder(folder, **settings)


def score(dataset: Dataset, answers: Mapping[str, str], neutral: Mapping[str, str] | None = None) -> Scores:
    """Accuracy in percent of answers by item id: `item`, `stress`, `control`, `pair` (the headline), `lure_rate`, ...

    neutral: answers to the same items' neutral questions, for `flip_rate`. What cannot be measured is in `absent`, with
    the reason. Raises pstgen.core.records.BadInput where an item has no answer.
    """
    from pstgen.evaluation.metrics import pst

    return pst.score(list(dataset.items()), answers, neutral)
