"""croissant.json: metadata in MLCommons' Croissant format, version 1.1, with its fields about responsible use (RAI).

Sources: croissant-spec-1.1.md and croissant-rai-spec.md of https://github.com/mlcommons/croissant, and what mlcroissant 1.1 reads. Of
the required properties `url` and `datePublished` are not here: a build knows no address, and its bytes depend on no clock.
`pstgen publish` writes them, with the version, into a copy beside it.
"""

import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import msgspec
import pyarrow as pa
import pyarrow.parquet as pq

from pstgen.core.config import flat
from pstgen.dataset import contents, responsible, sealing
from pstgen.dataset.contents import Contents
from pstgen.dataset.schema import IMAGE, REGION, TARGET
from pstgen.dataset.store import Dataset, Manifest

CONTEXT = {
    "@language": "en",
    "@vocab": "https://schema.org/",
    "cr": "http://mlcommons.org/croissant/",
    "rai": "http://mlcommons.org/croissant/RAI/",
    "prov": "http://www.w3.org/ns/prov#",
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
CONFORMS = ["http://mlcommons.org/croissant/1.1", "http://mlcommons.org/croissant/RAI/1.0"]
SHARDS, ITEMS = "shards", "items"  # the set of files, and the records in it
ARRAY = {"isArray": True, "arrayShape": "-1"}
DESCRIBED = {
    f"{TARGET}mask": "What shows the answer, pixel by pixel: 255 where it is, 0 elsewhere.",
    f"{TARGET}region": "What shows the answer, as a picture of its boxes: 255 inside, 0 elsewhere.",
    f"{TARGET}keypoints": "Where the joints are that show the answer, as a heat map from 0 to 255.",
    f"{TARGET}depth": "Depth in millimetres, 16 bits; 0 where it is not known.",
    "scene": "The annotation of the whole picture, as JSON.",
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
    """What is written into that folder. The shards are a set of files, and the rows in them one record set."""
    held, manifest = contents.of(dataset), dataset.manifest
    metadata = {
        "@context": CONTEXT,
        "@type": "sc:Dataset",
        "name": "perception-stress-test",
        "conformsTo": CONFORMS,
        "description": "Pairs of images with one question and two answers: whoever answers from the words wins no pair.",
        "license": [licence.url or licence.name for licence, _, _ in held.by_licence] or ["not named"],
        "creator": {"@type": "sc:Organization", "name": f"pstgen {manifest.pstgen}"},
        "citeAs": _citation(manifest),
        "inLanguage": "en",
        "isLiveDataset": False,
        "keywords": [
            "vision-language models",
            "benchmark",
            "language priors",
            "counterfactual pairs",
            *sorted(held.pairs),
        ],
        **_responsible(held),
        **_provenance(held, manifest),
        "distribution": [_file_set(), *map(_file, dataset.shards)],
        "recordSet": [_records(pq.read_schema(dataset.shards[0]))],
    }
    return msgspec.json.format(msgspec.json.encode(metadata, order="sorted"), indent=2) + b"\n"


def _citation(manifest: Manifest) -> str:
    """BibTeX. What tells this set from others is its source and its seed; a date and an address come with publication."""
    named = f"{manifest.origin.get('name', 'unknown source')}, seed {flat(manifest.settings).get('seed', 0)}"
    title = f"Perception Stress Test: {named}"
    return f"@misc{{perception-stress-test, title = {{{title}}}, author = {{{{pstgen {manifest.pstgen}}}}}}}"


def _responsible(held: Contents) -> dict[str, Any]:
    return {f"rai:{name}": text for name, text in responsible.statements(held).items()}


def _provenance(held: Contents, manifest: Manifest) -> dict[str, Any]:
    """Of what the set was made, and by what, in the terms of PROV-O (https://www.w3.org/TR/prov-o/)."""
    agent = {"@type": "prov:SoftwareAgent", "prov:label": f"pstgen {manifest.pstgen}"}
    origin = "; ".join(f"{name}: {value}" for name, value in manifest.origin.items())
    judges = ", ".join(f"{name} ({revision})" for name, revision in sorted(manifest.judges.items()))
    steps = {
        "drawing" if held.synthetic else "reading annotations": "From what prov:wasDerivedFrom names.",
        "building pairs": "Facts that annotations settle are joined to pairs with one question and different answers, worded "
        "by templates.",
        "selecting": f"A pair is kept in a wording that misleads every judge that decides. Judges: {judges or 'none'}.",
    }
    return {
        "prov:wasDerivedFrom": {
            "@type": "prov:Entity",
            "prov:label": manifest.origin.get("name", "not recorded"),
            "sc:description": origin or "not recorded",
        },
        "prov:wasGeneratedBy": [
            {"@type": "prov:Activity", "prov:label": name, "sc:description": text, "prov:wasAssociatedWith": agent}
            for name, text in steps.items()
        ],
    }


def _file_set() -> dict[str, Any]:
    parquet = {"encodingFormat": "application/x-parquet", "includes": "data/test-*.parquet"}
    return {"@type": "cr:FileSet", "@id": SHARDS, "name": SHARDS, "description": "The items, in order.", **parquet}


def _file(shard: Path) -> dict[str, Any]:
    """A shard, for its hash; its address is relative to croissant.json."""
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


def _records(columns: pa.Schema) -> dict[str, Any]:
    """The rows, column by column."""
    fields = [_field(column) for column in columns]
    return {"@type": "cr:RecordSet", "@id": ITEMS, "name": ITEMS, "key": {"@id": f"{ITEMS}/item_id"}, "field": fields}


def _field(column: pa.Field) -> dict[str, Any]:
    """A column: an image, a list, a number or text, or a struct of these."""
    name, kind = column.name, column.type
    field = _named(name, name) | ({"description": DESCRIBED[name]} if name in DESCRIBED else {})
    if kind == IMAGE:
        seen = ["sc:ImageObject", "cr:SegmentationMask"] if name == f"{TARGET}mask" else "sc:ImageObject"
        return field | {"dataType": seen, "source": _source(name, "bytes")}
    if pa.types.is_struct(kind):
        return field | {"subField": list(_parts(name, kind))}
    if pa.types.is_list(kind):
        return field | ARRAY | {"dataType": KINDS[kind.value_type], "source": _source(name)}
    return field | {"dataType": ["sc:Text", "cr:Label"] if name == "answer" else KINDS[kind], "source": _source(name)}


def _parts(column: str, kind: pa.DataType) -> Iterator[dict[str, Any]]:
    """Parts of a struct: numbers and texts, lists of these, and lists of structs, whose parts are lists of the same length."""
    for part in kind:
        field = _named(f"{column}/{part.name}", part.name)
        if not pa.types.is_list(part.type):
            yield field | {"dataType": KINDS[part.type], "source": _source(column, part.name)}
        elif not pa.types.is_struct(part.type.value_type):
            yield field | ARRAY | {"dataType": KINDS[part.type.value_type], "source": _source(column, part.name)}
        else:
            yield field | ARRAY | _nested(column, part)


def _nested(column: str, part: pa.Field) -> dict[str, Any]:
    """A list of structs. Boxes are known as such; their numbers stand in fields, not in an array, as the files have them."""
    box = {"dataType": "cr:BoundingBox", "description": "Left, top, width and height, in pixels."}
    inner = [
        _named(f"{column}/{part.name}/{each.name}", each.name)
        | {"dataType": KINDS[each.type], "source": _source(column, part.name, each.name)}
        for each in part.type.value_type
    ]
    return (box if part.type.value_type == REGION else {}) | {"subField": inner}


def _named(path: str, name: str) -> dict[str, Any]:
    return {"@type": "cr:Field", "@id": f"{ITEMS}/{path}", "name": name}


def _source(column: str, *path: str) -> dict[str, Any]:
    """Where values stand: a column, and the way inside it, step by step."""
    steps = [{"jsonPath": step} for step in path]
    source: dict[str, Any] = {"fileSet": {"@id": SHARDS}, "extract": {"column": column}}
    return source | ({"transform": steps[0] if len(steps) == 1 else steps} if steps else {})
