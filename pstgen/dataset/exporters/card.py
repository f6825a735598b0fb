"""README.md: the dataset card, with Hugging Face's header.

Source of the header: datasetcard.md of https://github.com/huggingface/hub-docs; `dataset_info` as `datasets` 5.2 reads it.
"""

from collections import Counter
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq
import yaml

from pstgen.core import pages
from pstgen.dataset import contents, judged, licences, schema
from pstgen.dataset.chance import coin_of
from pstgen.dataset.contents import Contents
from pstgen.dataset.store import Dataset
from pstgen.questions.wording import NEUTRAL

FILE = "README.md"
TAGS = ("vision-language", "benchmark", "language-priors", "counterfactual", "perception", "pstgen")
SIZES = (("n<1K", 1000), ("1K<n<10K", 10_000), ("10K<n<100K", 100_000))


def write(dataset: Dataset, folder: Path, /) -> None:
    """Write README.md."""
    (folder / FILE).write_bytes(page(dataset, folder))


def page(dataset: Dataset, folder: Path, /) -> bytes:  # noqa: ARG001 (it names no file)
    """What is written into that folder."""
    held = contents.of(dataset)
    head = yaml.safe_dump(header(dataset, held), sort_keys=False, allow_unicode=True, width=200)
    return f"---\n{head}---\n{_body(dataset, held)}".encode()


def header(dataset: Dataset, held: Contents) -> dict[str, Any]:
    """The card's YAML: what the hub shows and filters by, and what `datasets` loads by."""
    return {
        "pretty_name": "Perception Stress Test",
        **licences.header(held.licences),
        "language": ["en"],
        "annotations_creators": ["machine-generated"],
        "task_categories": ["visual-question-answering"],
        "tags": [*TAGS, *(["synthetic"] if held.synthetic else [])],
        "size_categories": [_size_category(held.items)],
        "dataset_info": _info(dataset, held.items),
        "configs": [
            {"config_name": "default", "data_files": [{"split": "test", "path": "data/test-*.parquet"}]},
        ],
    }


def _info(dataset: Dataset, items: int) -> dict[str, Any]:
    """Columns and sizes in bytes: of the files, and of what they hold before compression."""
    groups = [
        shard.row_group(n) for shard in map(pq.read_metadata, dataset.shards) for n in range(shard.num_row_groups)
    ]
    size = sum(group.total_byte_size for group in groups)
    return {
        "features": schema.card_features(pq.read_schema(dataset.shards[0])),
        "splits": [{"name": "test", "num_bytes": size, "num_examples": items}],
        "download_size": sum(shard.stat().st_size for shard in dataset.shards),
        "dataset_size": size,
    }


def _body(dataset: Dataset, held: Contents) -> str:
    controls = [item for item in dataset.items() if item.role == "control"]  # one a pair
    counts = Counter((item.family, item.frame) for item in controls)
    families = sorted(held.pairs)
    frames = sorted({frame for _, frame in counts}, key=lambda frame: (frame != NEUTRAL, frame))
    return pages.render(
        "dataset/exporters/card.md.jinja",
        pairs=len(controls),
        neutral=held.neutral,
        coin=coin_of(dataset.pairs()),
        judges=judged.of_dataset(dataset),
        groups=held.groups,
        families=families,
        frames=frames,
        pairs_by_frame={family: [counts[family, frame] for frame in frames] for family in families},
        unknown=sum(sum(reasons.values()) for reasons in dataset.manifest.unknown.values()),
        licences=held.by_licence,
        synthetic=held.synthetic,
        manifest=dataset.manifest,
    )


def _size_category(items: int) -> str:
    """Hugging Face's name for a dataset of so many rows.

    >>> _size_category(300), _size_category(5000), _size_category(100_000)
    ('n<1K', '1K<n<10K', '100K<n<1M')
    """
    return next((name for name, end in SIZES if items < end), "100K<n<1M")
