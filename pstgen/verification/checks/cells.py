"""Does every other cell of a row follow from its facts: places, evidence, ids, source, licence, names of files?"""

from collections import defaultdict
from collections.abc import Iterator, Sequence
from itertools import permutations, product
from pathlib import Path
from typing import Any

import msgspec

from pstgen.core.config import VerifyConfig
from pstgen.core.records import Item, Scene, origin
from pstgen.dataset import rows, schema
from pstgen.dataset.rows import Cells, Row
from pstgen.dataset.store import Dataset
from pstgen.pairs.context import LEAST, name_of
from pstgen.questions import families
from pstgen.questions.wording import letters
from pstgen.scenes import vocabulary
from pstgen.verification.checks import first_problems
from pstgen.verification.findings import Finding

PROVES = "Every cell that follows from others follows from them, worked out anew."
ANEW = True
SECONDS = 3.0
EDITS = frozenset({"mirror", "move", "paste", "recolour", "remove"})  # ours: their twins are edited


def examine(dataset: Dataset, config: VerifyConfig, /) -> Finding:  # noqa: ARG001
    """Make each row's cells anew from its item and its scene; then the ids of each pair."""
    pulls = float(dataset.manifest.settings.get("pairs", {}).get("min_pull", 0.0))
    problems = first_problems((*_rows(dataset, pulls), *_ids(dataset)))
    return Finding(check="cells", summary=f"{dataset.manifest.items:,} rows and their ids made anew", problems=problems)


def _rows(dataset: Dataset, min_pull: float) -> Iterator[str]:
    for cells in dataset.cells():
        scene = msgspec.json.decode(cells["scene"], type=Scene)
        expected = msgspec.json.decode(msgspec.json.encode(_made_anew(cells, scene)))
        for name, value in expected.items():
            if cells[name] != value:
                yield f"item {cells['item_id']}: {name} is {_short(cells[name])}; it follows that it is {_short(value)}"
        yield from (f"item {cells['item_id']}: {problem}" for problem in (*_pull(cells, min_pull), *_twin(cells)))


def _made_anew(cells: Cells, scene: Scene) -> Cells:
    """What follows from the item and the scene. Of pictures the names alone."""
    row = Row(
        item=rows.item(cells),
        scene=scene,
        image=b"",
        suffix=Path(cells["image"]["path"]).suffix,
        depth_kind=("estimated" if scene.depth_model else "exact") if cells[f"{schema.TARGET}depth"] else "",
        chain=cells["chain"],
    )
    anew = rows.cells(row)
    follow = {name: anew[name] for name in schema.COLUMNS if schema.COLUMNS[name] != schema.IMAGE}
    follow |= {
        f"{schema.TARGET}{kind}": {"path": rows.target_name(scene, kind)}
        for kind in schema.targets_of(cells)
        if cells[f"{schema.TARGET}{kind}"]
    }
    return follow | {"image": {"path": anew["image"]["path"]}}


def _short(value: Any) -> str:
    text = repr(value)
    return text if len(text) <= 80 else f"{text[:77]}…"


def _pull(cells: Cells, min_pull: float) -> Iterator[str]:
    """A lure is suggested surely, by words that were counted often enough."""
    counted = cells["pull_counts"]
    if not counted:
        yield "pull_counts is empty"
    elif cells["difficulty"] != counted["value"]:
        yield f"difficulty is {cells['difficulty']}, pull_counts {counted['value']}"
    elif not (counted["low"] <= counted["value"] <= counted["high"] and counted["low"] > min_pull):
        yield f"pull_counts {counted['value']:.3f} [{counted['low']:.3f}, {counted['high']:.3f}] suggests no lure surely"
    elif counted["n"] < LEAST:
        yield f"pull_counts rests on {counted['n']} answers; {LEAST} are needed"


def _twin(cells: Cells) -> Iterator[str]:
    """An edited picture is named after its edit."""
    scene, twin = cells["source_image_id"], cells["twin"]
    edit = scene[len(origin(scene)) + 1 :].partition("-")[0]
    if edit not in {"", twin} or (twin in EDITS and not edit):
        yield f"twin is {twin!r}, its picture {scene!r}"


def _ids(dataset: Dataset) -> Iterator[str]:
    """A pair is named after its question, its options in natural order and its scenes; twins have letters by a hash."""
    pairs: defaultdict[str, list[Item]] = defaultdict(list)
    for item in dataset.items():
        pairs[item.pair_id].append(item)
    for pair_id, twins in pairs.items():
        if pair_id not in _names(twins):
            yield f"pair {pair_id}: is not named after its question, options and scenes"
        for item, letter in zip(twins, letters(pair_id, [(i.scene_id, i.mark) for i in twins]), strict=True):
            if item.item_id != f"{pair_id}-{letter}":
                yield f"item {item.item_id}: it follows that it is called {pair_id}-{letter}"


def _names(twins: Sequence[Item]) -> set[str]:
    """Names that the pair may have, one for each order of its stress twins."""
    first = twins[0]
    question = (first.family, first.form, first.about)
    control = [item.scene_id for item in twins if item.role == "control"]
    stress = [item.scene_id for item in twins if item.role == "stress"]
    orders = product(_natural_orders(first), permutations(stress))
    return {name_of(question, options, [*shown, *control]) for options, shown in orders}


def _natural_orders(item: Item) -> Iterator[tuple[str, ...]]:
    """As the family lists its answers; where it is asked which thing, in the alphabetical order of their kinds."""
    answers = families.load(item.family).answers(item.form, item.about)
    yield tuple(answer for answer in answers if answer in item.options)
    yield tuple(sorted(item.options, key=vocabulary.category))
