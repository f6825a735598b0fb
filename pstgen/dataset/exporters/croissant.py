"""croissant.json: metadata in MLCommons' Croissant format, version 1.1, with its fields about responsible use (RAI)."""

import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import msgspec
import pyarrow as pa
import pyarrow.parquet as pq

from pstgen.dataset import sealing
from pstgen.dataset.schema import IMAGE, TARGET
from pstgen.dataset.store import Dataset

CONTEXT = {
    "@language": "en",
    "@vocab": "https://schema.org/",
    "cr": "http://mlcommons.org/croissant/",
    "rai": "http://mlcommons.org/croissant/RAI/",
    "dct": "http://purl.org/dc/terms/",
    "sc": "https://schema.org/",
    "conformsTo": "dct:conformsTo",
    "data": {"@id": "cr:data", "@type": "@json"},
    "dataType": {"@id": "cr:dataType", "@type": "@vocab"},
    "description": {"@container": "@language"},
    "examples": {"@id": "cr:examples", "@type": "@json"},
    "name": {"@container": "@language"},
    **{
        term: f"cr:{term}"
        for term in (
            *("arrayShape", "citeAs", "column", "containedIn", "equivalentProperty", "extract", "field", "fileObject"),
            *("fileProperty", "fileSet", "format", "includes", "isArray", "isLiveDataset", "jsonPath", "key", "md5"),
            *("parentField", "path", "recordSet", "references", "regex", "repeated", "replace", "samplingRate"),
            *("separator", "source", "subField", "transform"),
        )
    },
}
KINDS = {pa.string(): "sc:Text", pa.int64(): "sc:Integer", pa.float64(): "sc:Float", pa.bool_(): "sc:Boolean"}
LEFT_OUT = {"scene", "evidence"}  # nested more deeply than the format describes: docs/dataset.md does
RESPONSIBLE = {
    "rai:dataUseCases": "Testing whether a vision-language model answers from the image or from the words. Report pairs won; "
    "neutral and misleading words apart.",
    "rai:dataLimitations": "A won pair shows sight of what its family asks about, in images like these, and nothing beyond. Words "
    "are English. Labels follow from annotations: docs/labels.md tells how often they are wrong or ambiguous.",
    "rai:dataBiases": "Questions are about things that annotators marked, and lures about what is common where the counts come "
    "from. Kinds, places and people are as unevenly spread as in the source.",
    "rai:personalSensitiveInformation": "Photographs may show people, who were not asked; items ask about their pose, number and "
    "place, never who they are. The built-in world shows none.",
    "rai:dataSocialImpact": "Not for surveillance, nor for judging people who are shown.",
    "rai:dataAnnotationProtocol": "Answers and targets are computed from the source's masks, boxes, keypoints and captions; what is "
    "not certain is unknown, and is not asked.",
}


FILE = "croissant.json"


def write(dataset: Dataset, folder: Path, /) -> None:
    """Write croissant.json, and beside it the files that it describes, unless they are there."""
    (folder / FILE).write_bytes(page(dataset, folder))
    if folder != dataset.folder:
        (folder / "data").mkdir()
        for shard in dataset.shards:
            shutil.copyfile(shard, folder / "data" / shard.name)


def page(dataset: Dataset, folder: Path, /) -> bytes:  # noqa: ARG001 (as every page)
    """What is written into that folder. Each shard is a file, and its rows are a record set."""
    metadata = {
        "@context": CONTEXT,
        "@type": "sc:Dataset",
        "name": "perception-stress-test",
        "conformsTo": "http://mlcommons.org/croissant/1.1",
        "description": "Pairs of images with one question and two answers: whoever answers from the words wins no pair.",
        "license": dataset.manifest.origin.get("licence", "see README.md"),
        "version": dataset.manifest.pstgen,
        "creator": {"@type": "sc:Organization", "name": "pstgen"},
        "citeAs": f"Perception Stress Test, built with pstgen {dataset.manifest.pstgen} by {_settings(dataset)}",
        "isLiveDataset": False,
        **RESPONSIBLE,
        "distribution": [_file(shard) for shard in dataset.shards],
        "recordSet": [_records(shard) for shard in dataset.shards],
    }
    return msgspec.json.format(msgspec.json.encode(metadata, order="sorted"), indent=2) + b"\n"


def _settings(dataset: Dataset) -> str:
    """What tells this set from others: its source and its seed."""
    return f"source {dataset.manifest.origin.get('name', 'unknown')}, seed {dataset.manifest.settings.get('seed', 0)}"


def _file(shard: Path) -> dict[str, Any]:
    """A shard; its address is relative to croissant.json."""
    content = sealing.hashed(shard)
    return {
        "@type": "cr:FileObject",
        "@id": shard.name,
        "name": shard.name,
        "contentUrl": f"data/{shard.name}",
        "contentSize": f"{content.bytes} B",
        "encodingFormat": "application/x-parquet",
        "sha256": content.sha256,
    }


def _records(shard: Path) -> dict[str, Any]:
    """A shard's rows, column by column. (A file set of parquet files is in the format; its reader does not read one.)"""
    fields = [_field(column, shard) for column in pq.read_schema(shard) if column.name not in LEFT_OUT]
    name = shard.stem
    return {"@type": "cr:RecordSet", "@id": name, "name": name, "key": {"@id": f"{name}/item_id"}, "field": fields}


def _field(column: pa.Field, shard: Path) -> dict[str, Any]:
    """A column: an image, a list, a number or text, or a struct of these."""
    name, kind = column.name, column.type
    field: dict[str, Any] = {"@type": "cr:Field", "@id": f"{shard.stem}/{name}", "name": name}
    if kind == IMAGE:
        seen = ["sc:ImageObject", "cr:SegmentationMask"] if name == f"{TARGET}mask" else "sc:ImageObject"
        return field | {"dataType": seen, "source": _source(shard, name, "bytes")}
    if pa.types.is_struct(kind):
        return field | {"subField": list(_parts(column, shard))}
    if pa.types.is_list(kind):
        many = {"isArray": True, "arrayShape": "-1"}
        return field | many | {"dataType": KINDS[kind.value_type], "source": _source(shard, name)}
    return field | {"dataType": KINDS[kind], "source": _source(shard, name)}


def _parts(column: pa.Field, shard: Path) -> Iterator[dict[str, Any]]:
    for part in column.type:
        yield {
            "@type": "cr:Field",
            "@id": f"{shard.stem}/{column.name}/{part.name}",
            "name": part.name,
            "dataType": KINDS[part.type],
            "source": _source(shard, column.name, part.name),
        }


def _source(shard: Path, column: str, part: str = "") -> dict[str, Any]:
    source: dict[str, Any] = {"fileObject": {"@id": shard.name}, "extract": {"column": column}}
    return source | ({"transform": {"jsonPath": part}} if part else {})
