"""croissant.json: metadata in MLCommons' Croissant format, version 1.0."""

import os
from pathlib import Path
from typing import Any

import msgspec

from pstgen.dataset import sealing
from pstgen.dataset.store import Dataset

CONTEXT = {
    "@language": "en",
    "@vocab": "https://schema.org/",
    "citeAs": "cr:citeAs",
    "column": "cr:column",
    "conformsTo": "dct:conformsTo",
    "cr": "http://mlcommons.org/croissant/",
    "data": {"@id": "cr:data", "@type": "@json"},
    "dataType": {"@id": "cr:dataType", "@type": "@vocab"},
    "dct": "http://purl.org/dc/terms/",
    "extract": "cr:extract",
    "field": "cr:field",
    "fileObject": "cr:fileObject",
    "fileProperty": "cr:fileProperty",
    "fileSet": "cr:fileSet",
    "format": "cr:format",
    "includes": "cr:includes",
    "md5": "cr:md5",
    "recordSet": "cr:recordSet",
    "repeated": "cr:repeated",
    "sc": "https://schema.org/",
    "source": "cr:source",
    "transform": "cr:transform",
}
FIELDS = {
    "item_id": "sc:Text",
    "pair_id": "sc:Text",
    "role": "sc:Text",
    "question": "sc:Text",
    "answer": "sc:Text",
    "answer_index": "sc:Integer",
    "lure": "sc:Text",
    "family": "sc:Text",
    "frame": "sc:Text",
    "difficulty": "sc:Float",
}


FILE = "croissant.json"


def write(dataset: Dataset, folder: Path, /) -> None:
    """Write croissant.json."""
    (folder / FILE).write_bytes(page(dataset, folder))


def page(dataset: Dataset, folder: Path, /) -> bytes:
    """What is written into that folder. Each shard is a record set, its rows' plain values."""
    metadata = {
        "@context": CONTEXT,
        "@type": "sc:Dataset",
        "name": "perception-stress-test",
        "conformsTo": "http://mlcommons.org/croissant/1.0",
        "description": "Pairs of images with one question and two answers: whoever answers from the words wins no pair.",
        "license": dataset.manifest.origin.get("licence", "see README.md"),
        "version": dataset.manifest.pstgen,
        "distribution": [_file_object(shard, folder) for shard in dataset.shards],
        "recordSet": [_record_set(shard) for shard in dataset.shards],
    }
    return msgspec.json.format(msgspec.json.encode(metadata, order="sorted"), indent=2) + b"\n"


def _file_object(shard: Path, folder: Path) -> dict[str, Any]:
    """A shard; its address is relative to `folder`, where croissant.json is."""
    content = sealing.hashed(shard)
    return {
        "@type": "cr:FileObject",
        "@id": shard.name,
        "name": shard.name,
        "contentUrl": Path(os.path.relpath(shard, folder)).as_posix(),
        "contentSize": f"{content.bytes} B",
        "encodingFormat": "application/x-parquet",
        "sha256": content.sha256,
    }


def _record_set(shard: Path) -> dict[str, Any]:
    """A shard's rows: the columns that are plain values."""
    fields = [_field(name, kind, shard) for name, kind in FIELDS.items()]
    return {"@type": "cr:RecordSet", "@id": shard.stem, "name": shard.stem, "field": fields}


def _field(name: str, kind: str, shard: Path) -> dict[str, Any]:
    source = {"fileObject": {"@id": shard.name}, "extract": {"column": name}}
    return {"@type": "cr:Field", "@id": f"{shard.stem}/{name}", "name": name, "dataType": kind, "source": source}
