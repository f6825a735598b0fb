"""The columns of a dataset on disk, a promise (docs/dataset.md): items in data/test-*.parquet, judgements in scores.parquet."""

from collections.abc import Iterable, Mapping
from functools import cache
from typing import Any

import msgspec
import pyarrow as pa

from pstgen.core import plugins

TARGETS = (
    "mask",
    "keypoints",
    "depth",
    "region",
)  # the first columns of targets, in files that exist; others follow by name
TARGET = "target_"  # before the name of a target, its column

IMAGE = pa.struct([("bytes", pa.binary()), ("path", pa.string())])
REGION = pa.struct([(name, pa.float64()) for name in ("x", "y", "width", "height")])
KEYPOINT = pa.struct([("name", pa.string()), ("x", pa.float64()), ("y", pa.float64()), ("visibility", pa.int64())])
EVIDENCE = pa.struct(
    [("regions", pa.list_(REGION)), ("keypoints", pa.list_(KEYPOINT)), ("instances", pa.list_(pa.int64()))]
)
MARK = pa.struct([("x", pa.float64()), ("y", pa.float64())])
ASSOCIATION = pa.struct([("value", pa.float64()), ("low", pa.float64()), ("high", pa.float64()), ("n", pa.int64())])
COLUMNS: dict[str, pa.DataType] = {
    "item_id": pa.string(),
    "pair_id": pa.string(),
    "role": pa.string(),
    "image": IMAGE,
    "question": pa.string(),
    "neutral_question": pa.string(),
    "options": pa.list_(pa.string()),
    "answer": pa.string(),
    "answer_index": pa.int64(),
    "lure": pa.string(),
    "family": pa.string(),
    "form": pa.string(),
    "about": pa.list_(pa.string()),
    "frame": pa.string(),
    "twin": pa.string(),
    "evidence": EVIDENCE,
    "mark": MARK,
    "label": pa.string(),
    "depth_kind": pa.string(),
    "chain": pa.string(),
    "difficulty": pa.float64(),
    "pull_counts": ASSOCIATION,
    "pull_lm": pa.float64(),
    "pull_vlm": pa.float64(),
    "licence": pa.string(),
    "source": pa.string(),
    "source_image_id": pa.string(),
    "scene": pa.string(),
}
LIGHT = tuple(name for name, kind in COLUMNS.items() if kind != IMAGE and name != "scene")  # all that Item needs
SCORES = pa.schema(
    [
        ("pair_id", pa.string()),
        ("item_id", pa.string()),
        ("frame", pa.string()),
        ("question", pa.string()),
        ("options", pa.list_(pa.string())),
        ("lure", pa.string()),
        ("judge", pa.string()),
        ("logprobs", pa.list_(pa.float64())),
        ("calibrated", pa.list_(pa.float64())),
        ("choice", pa.string()),
        ("kept", pa.bool_()),
    ]
)


def targets() -> tuple[str, ...]:
    """Every target that is rendered, in the order of their columns."""
    names = plugins.names("targets")
    return *TARGETS, *(name for name in names if name not in TARGETS)


def targets_of(columns: Iterable[str]) -> tuple[str, ...]:
    """The targets among the columns of a file.

    >>> targets_of(["item_id", "target_mask"])
    ('mask',)
    """
    return tuple(name.removeprefix(TARGET) for name in columns if name.startswith(TARGET))


@cache
def schema(targets: tuple[str, ...]) -> pa.Schema:
    """The columns with those targets, as `described` gives them."""
    names = list(COLUMNS)
    before = names.index("depth_kind")
    columns = {name: COLUMNS[name] for name in names[:before]}
    columns |= {f"{TARGET}{name}": IMAGE for name in targets}
    columns |= {name: COLUMNS[name] for name in names[before:]}
    return described(columns)


def described(columns: Mapping[str, pa.DataType]) -> pa.Schema:
    """The columns, and the note by which Hugging Face's `datasets` knows images from bytes.

    A list is spelt in the form that its versions before 4 read too.
    """
    features = {name: _feature(kind) for name, kind in columns.items()}
    note = msgspec.json.encode({"info": {"features": features}})
    return pa.schema(list(columns.items()), metadata={"huggingface": note})


def _feature(kind: pa.DataType) -> Any:
    if kind == IMAGE:
        return {"_type": "Image"}
    if pa.types.is_struct(kind):
        return {field.name: _feature(field.type) for field in kind}
    if pa.types.is_list(kind):
        return [_feature(kind.value_type)]
    return {"dtype": str(kind).replace("double", "float64"), "_type": "Value"}


def card_features(columns: pa.Schema) -> list[dict[str, Any]]:
    """The columns as the header of a card on Hugging Face's hub names them (`dataset_info`, `features`), in their order.

    Source: `Features._from_yaml_list` of `datasets` 5.2; lists are spelt as they are since `datasets` 4.
    """
    return [{"name": column.name, **_card_feature(column.type)} for column in columns]


def _card_feature(kind: pa.DataType) -> dict[str, Any]:
    """One of the forms dtype, struct and list; a list of plain values or of structs names these without the word."""
    if kind == IMAGE:
        return {"dtype": "image"}
    if pa.types.is_struct(kind):
        return {"struct": [{"name": part.name, **_card_feature(part.type)} for part in kind]}
    if pa.types.is_list(kind):
        inner = _card_feature(kind.value_type)
        return {"list": inner.get("dtype") or inner.get("struct") or inner}
    return {"dtype": str(kind).replace("double", "float64")}
