"""Is a set ready to be published? A list of points, each in order or not, and what to do about it.

Nothing is written, and nothing is fetched: what a hub or a reader would ask for is looked up in the files.
"""

from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any, Literal, NamedTuple

import msgspec
import pyarrow as pa
import pyarrow.parquet as pq

from pstgen.core import reading
from pstgen.core.config import VerifyConfig
from pstgen.core.records import BadInput
from pstgen.dataset import contents, release
from pstgen.dataset.exporters import card, datasheet, eval_yaml
from pstgen.dataset.store import Dataset
from pstgen.verification import annotations, certificate, checks, croissant

State = Literal["in order", "not in order", "not checked"]
IN_ORDER, NOT_IN_ORDER, NOT_CHECKED = State.__args__  # type: ignore[attr-defined]
SHARED = 100 * 10**6  # bytes of a row group, at most: viewers on the hub load whole ones
REBUILD = "build the set again with this version of pstgen"


class Point(NamedTuple):
    """One thing that was looked at. says: what was found. remedy: what to do; "" where it is in order."""

    name: str
    state: State
    says: str
    remedy: str = ""


class Wrong(NamedTuple):
    """Something that is not in order."""

    says: str
    remedy: str


Found = str | Wrong  # what is in order, in words; or what is not


def examine(dataset: Dataset) -> list[Point]:
    """Every point, in the order in which they matter."""
    looked: dict[str, Callable[[Dataset], Iterator[Found]]] = {
        "files": _files,
        "certificate": _certificate,
        "card": _card,
        "licences": _licences,
        "eval.yaml": _benchmark,
        "datasheet": _datasheet,
        "errata": _errata,
        "version": _version,
        "parquet": _parquet,
    }
    points = [_point(name, look, dataset) for name, look in looked.items()]
    points.insert(3, _croissant(dataset))
    return points


def ready(points: Sequence[Point]) -> bool:
    """Is nothing out of order? What could not be checked does not count."""
    return all(point.state != NOT_IN_ORDER for point in points)


def _point(name: str, look: Callable[[Dataset], Iterator[Found]], dataset: Dataset) -> Point:
    """The first thing that is not in order, or all that is."""
    try:
        found = list(look(dataset))
    except BadInput as error:
        return Point(name, NOT_IN_ORDER, str(error), REBUILD)
    except (OSError, ValueError, LookupError, TypeError, msgspec.MsgspecError, pa.ArrowException) as error:
        said = error.strerror if isinstance(error, OSError) and error.strerror else (str(error).splitlines() or [""])[0]
        named = f"{Path(str(error.filename)).name}: " if isinstance(error, OSError) and error.filename else ""
        return Point(name, NOT_IN_ORDER, f"{named}cannot be read: {said or type(error).__name__}", REBUILD)
    wrong = [each for each in found if isinstance(each, Wrong)]
    if not wrong:
        return Point(name, IN_ORDER, "; ".join(each for each in found if isinstance(each, str)))
    more = f" (and {len(wrong) - 1} more)" if len(wrong) > 1 else ""
    return Point(name, NOT_IN_ORDER, wrong[0].says + more, wrong[0].remedy)


def _files(dataset: Dataset) -> Iterator[Found]:
    """Are the bytes those of the manifest? The check of `pstgen verify`."""
    finding = checks.load("integrity").examine(dataset, VerifyConfig(folder=dataset.folder))
    if finding.problems:
        more = f" (and {len(finding.problems) - 1} more)" if len(finding.problems) > 1 else ""
        yield Wrong(finding.problems[0] + more, "put the file back as it was, or build the set again")
    else:
        yield finding.summary


def _certificate(dataset: Dataset) -> Iterator[Found]:
    verify = f"pstgen verify {dataset.folder}"
    if not (dataset.folder / certificate.NAME).is_file():
        yield Wrong(f"{certificate.NAME} is missing", verify)
        return
    try:
        found = certificate.read(dataset.folder)
    except BadInput as error:
        yield Wrong(str(error), verify)
        return
    if found.manifest != dataset.manifest.seal:
        yield Wrong("certificate.json is about another manifest", f"delete it, then {verify}")
    elif not found.sound:
        yield Wrong("certificate.json says that the set is not sound", f"{verify} says what is wrong")
    else:
        untested = f"; not tested: {', '.join(found.not_tested)}" if found.not_tested else ""
        yield f"sound, and of this manifest{untested}"


def _card(dataset: Dataset) -> Iterator[Found]:
    """Has the card's header all that the hub and `datasets` read, and does it say of columns and sizes what the files say?"""
    head = _header(reading.text(dataset.folder / card.FILE))
    expected = card.header(dataset, contents.of(dataset))
    for key in ("license", "dataset_info", "configs", "tags", "task_categories"):
        if not head.get(key):
            yield Wrong(f"README.md: its header has no `{key}`", REBUILD)
        elif head[key] != expected[key]:
            yield Wrong(f"README.md: `{key}` in its header is not what the files of the set give", REBUILD)
    yield f"license {_shown(head.get('license'))}, {len(expected['dataset_info']['features'])} columns, {dataset.manifest.items:,} items"


def _shown(value: object) -> str:
    return ", ".join(map(str, value)) if isinstance(value, list) else str(value)


def _header(text: str) -> dict[str, Any]:
    """The YAML between the two lines of a card that consist of three hyphens. Raises BadInput where there is none."""
    _, opened, rest = text.partition("---\n")
    head, closed, _ = rest.partition("\n---\n")
    if not (opened and closed):
        raise BadInput(f"{card.FILE}: has no header of YAML between lines of three hyphens")
    try:
        return reading.yaml_of(head.encode(), dict[str, Any])
    except msgspec.DecodeError as error:
        raise BadInput(f"{card.FILE}: its header is no YAML: {error}") from None


def _licences(dataset: Dataset) -> Iterator[Found]:
    """Is the licence of each picture named, and does none forbid what was done to it?"""
    held = contents.of(dataset)
    if held.unlicensed:
        name = held.unlicensed[0]
        yield Wrong(
            f"{len(held.unlicensed):,} items name no licence, the first is {name}",
            "name it in the annotations (COCO: `licenses`, and `license` of each image), and build again",
        )
    for licence, _, changed in held.by_licence:
        if changed and licence.changes is False:
            yield Wrong(
                f"{changed:,} items show a changed picture under {licence.name}, which forbids to share changed versions",
                "build without them: --twin matched, --frame neutral, and no pointing among the families; or leave these pictures out",
            )
    if not (dataset.folder / "LICENSE.md").is_file():
        yield Wrong("LICENSE.md is missing", REBUILD)
    named = ", ".join(f"{licence.name} ({n:,})" for licence, n, _ in held.by_licence)
    terms = [licence.name for licence, _, _ in held.by_licence if licence.commercial is False]
    yield f"each item names one: {named}" + ("; no commercial use of some" if terms else "")


def _benchmark(dataset: Dataset) -> Iterator[Found]:
    if reading.content(dataset.folder / eval_yaml.FILE) != eval_yaml.page(dataset, dataset.folder):
        yield Wrong("eval.yaml does not describe this set", REBUILD)
    yield f"task {eval_yaml.TASK}, split test; the hub lists a benchmark once its team has allowed it"


def _datasheet(dataset: Dataset) -> Iterator[Found]:
    text = reading.text(dataset.folder / datasheet.FILE)
    for section in datasheet.SECTIONS:
        if f"\n## {section}\n" not in text:
            yield Wrong(f"{datasheet.FILE}: has no section {section!r}", REBUILD)
    yield f"{len(datasheet.SECTIONS)} sections"


def wrong_items(dataset: Dataset) -> list[str]:
    """The items whose label people called wrong in an audit of this very set, and did not take back."""
    lines = annotations.read(dataset.folder / annotations.FILE)
    found = annotations.standing([line for line in lines if line.manifest == dataset.manifest.seal])
    return sorted({line.item for line in found if line.verdict == "wrong"})


def _errata(dataset: Dataset) -> Iterator[Found]:
    publish = f"pstgen publish {dataset.folder} writes it"
    if not (dataset.folder / release.ERRATA).is_file():
        yield Wrong(f"{release.ERRATA} is missing", publish)
        return
    named = release.errata(dataset.folder)
    if missing := sorted(set(wrong_items(dataset)) - named):
        yield Wrong(f"{release.ERRATA}: does not name {missing[0]}, which an audit found wrong", publish)
    people = {line.who for line in annotations.read(dataset.folder / annotations.FILE)}
    audited = f"; {annotations.FILE} names who judged: {', '.join(sorted(people))}" if people else ""
    yield f"{len(named)} items{audited}"


def _version(dataset: Dataset) -> Iterator[Found]:
    """Is the newest version of this very set, and does the published metadata say the same?"""
    publish = f"pstgen publish {dataset.folder} writes it"
    newest, current = release.versions(dataset.folder)[:1], release.current(dataset)
    if not newest:
        yield Wrong(f"{release.CHANGELOG} is missing, or names no version", publish)
    elif current is None:
        yield Wrong(
            f"{release.CHANGELOG}: its newest version, {newest[0].number}, is not of this set",
            f"pstgen publish {dataset.folder} --release VERSION, or --since the older set",
        )
    else:
        yield from _published(dataset, current, publish)
        yield f"{current.number}, {current.day}"


def _published(dataset: Dataset, version: release.Version, publish: str) -> Iterator[Found]:
    file = dataset.folder / release.CROISSANT
    if not file.is_file():
        yield Wrong(f"{release.CROISSANT} is missing", publish)
        return
    try:
        found = reading.json(reading.content(file), dict[str, object])
    except msgspec.DecodeError as error:
        yield Wrong(f"{release.CROISSANT}: is not JSON: {error}", publish)
        return
    if found != release.published(dataset.folder, version, str(found.get("url", ""))):
        yield Wrong(f"{release.CROISSANT}: is not {release.SEALED} with version {version.number} and its date", publish)


def _parquet(dataset: Dataset) -> Iterator[Found]:
    """Can a viewer fetch some rows alone: is there an index of pages, and is no row group too large to be loaded?"""
    largest = 0
    for shard in dataset.shards:
        described = pq.read_metadata(shard)
        groups = [described.row_group(n) for n in range(described.num_row_groups)]
        largest = max([largest, *(group.total_byte_size for group in groups)])
        if not all(group.column(n).has_offset_index for group in groups for n in range(group.num_columns)):
            yield Wrong(f"data/{shard.name}: has no index of its pages, so viewers load whole row groups", REBUILD)
    if largest > SHARED:
        yield Wrong(f"a row group holds {largest / 10**6:,.0f} MB, above {SHARED / 10**6:,.0f} MB", REBUILD)
    yield f"{len(dataset.shards)} files, pages indexed, row groups of at most {largest / 10**6:,.1f} MB"


def _croissant(dataset: Dataset) -> Point:
    """Is the metadata valid, and are records read by it? Only where mlcroissant is installed."""
    published = dataset.folder / release.CROISSANT
    file = published if published.is_file() else dataset.folder / release.SEALED
    if not croissant.installed():
        return Point("croissant", NOT_CHECKED, "mlcroissant is not installed", "pip install mlcroissant")
    try:
        return Point("croissant", IN_ORDER, croissant.read(file))
    except BadInput as error:
        return Point("croissant", NOT_IN_ORDER, str(error), REBUILD)
