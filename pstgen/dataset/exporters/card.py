"""README.md: the dataset card, with Hugging Face's header."""

from collections import Counter
from pathlib import Path

from pstgen.core import pages
from pstgen.dataset import judged
from pstgen.dataset.chance import coin_of
from pstgen.dataset.store import Dataset
from pstgen.questions.wording import NEUTRAL

FILE = "README.md"


def write(dataset: Dataset, folder: Path, /) -> None:
    """Write README.md."""
    (folder / FILE).write_bytes(page(dataset, folder))


def page(dataset: Dataset, folder: Path, /) -> bytes:  # noqa: ARG001 (it names no file)
    """What is written into that folder."""
    items = list(dataset.items())
    controls = [item for item in items if item.role == "control"]  # one a pair
    counts = Counter((item.family, item.frame) for item in controls)
    families = sorted({family for family, _ in counts})
    frames = sorted({frame for _, frame in counts}, key=lambda frame: (frame != NEUTRAL, frame))
    return pages.render(
        "dataset/exporters/card.md.jinja",
        size_category=_size_category(len(items)),
        pairs=len(controls),
        neutral=sum(item.frame == NEUTRAL for item in controls),
        coin=coin_of(dataset.pairs()),
        judges=judged.of_dataset(dataset),
        groups=sum(twins > 2 for twins in Counter(item.pair_id for item in items).values()),
        families=families,
        frames=frames,
        pairs_by_frame={family: [counts[family, frame] for frame in frames] for family in families},
        unknown=sum(sum(reasons.values()) for reasons in dataset.manifest.unknown.values()),
        manifest=dataset.manifest,
    ).encode()


def _size_category(items: int) -> str:
    """Hugging Face's name for a dataset of so many rows.

    >>> _size_category(300), _size_category(5000)
    ('n<1K', '1K<n<10K')
    """
    if items < 1000:
        return "n<1K"
    return "1K<n<10K" if items < 10_000 else "10K<n<100K" if items < 100_000 else "100K<n<1M"
