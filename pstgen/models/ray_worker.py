"""What a worker of the engine ray does: it opens a judge by the run's settings and answers batches that are sent to it.

Nothing here needs Ray. A worker may stand on another machine: pictures come as bytes, weights are opened where it stands.
"""

from __future__ import annotations

import platform
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from hashlib import sha256
from pathlib import Path
from typing import Any, cast

from pstgen.core import scratch
from pstgen.core.config import BuildConfig, with_settings
from pstgen.core.records import Unavailable
from pstgen.models import answering, judges
from pstgen.models.answering import Answered, Batch
from pstgen.models.looking import Look

Files = Mapping[str, bytes]  # content by path


@dataclass(frozen=True)
class Recipe:
    """How a worker gets a judge. kind: the module that opens it; "" for one that is sent as it is.

    judge: of a kind, as it looks, without its model; else all of it. files: pictures that it shows whatever the item.
    """

    name: str
    revision: str
    kind: str
    judge: Any
    files: Files


def recipe(judge: Any) -> Recipe:
    """Of a judge that is open in this process. Raises Unavailable where a picture that it shows cannot be read."""
    if not isinstance(judge, Look):
        return Recipe(judge.name, judge.revision, "", judge, {})
    bare = replace(judge, model=cast("Any", None))  # the worker puts its own there
    return Recipe(judge.name, judge.revision, judge.name.partition("/")[0], bare, contents(judge.others))


def contents(paths: Iterable[str]) -> Files:
    """The files' content. Raises Unavailable where a file cannot be read."""
    try:
        return {path: Path(path).read_bytes() for path in dict.fromkeys(paths)}
    except OSError as error:
        raise Unavailable(f"{error.filename}: cannot be read: {error.strerror}") from None


class Worker:
    """Lives in a process of its own for as long as the run. threads: of torch, as many as the driver's, so that sums are the same."""

    def __init__(self, config: BuildConfig, threads: int) -> None:
        self.config = with_settings(
            config, device=config.judges.device.partition(":")[0]
        )  # it sees its own devices alone
        self.threads = threads
        self.models: dict[str, Any] = {}  # by kind of judge

    def ready(self) -> str:
        """The machine's name, once the process stands."""
        return platform.node()

    def answer(self, recipe: Recipe, batch: Batch, files: Files) -> Answered:
        """Answer a batch, with the files that its items show. Items fail one by one; raises what opening the judge raises."""
        with scratch.folder("pstgen-") as folder:
            places = _written({**recipe.files, **files}, folder)
            judge = self._judge(recipe)
            if isinstance(judge, Look):
                judge = replace(judge, others=tuple(places[path] for path in judge.others))
            items = {
                key: replace(item, image=places.get(item.image, item.image)) for key, item in batch.unknown.items()
            }
            return answering.answer(judge, Batch(batch.number, items))

    def _judge(self, recipe: Recipe) -> Any:
        if recipe.kind:
            return replace(recipe.judge, model=self._model(recipe))
        return recipe.judge

    def _model(self, recipe: Recipe) -> Any:
        """The model, opened once. Raises Unavailable where it is not the driver's."""
        if recipe.kind not in self.models:
            import torch

            torch.set_num_threads(self.threads)
            opened: Any = judges.load(recipe.kind).open(self.config)
            self.models[recipe.kind] = opened[0].model
        model = self.models[recipe.kind]
        found = replace(recipe.judge, model=model).revision
        if found != recipe.revision:
            raise Unavailable(
                f"{recipe.name}: {platform.node()} opened another model than the driver: {found}, not {recipe.revision}; the same "
                "weights on every machine, --dtype and --device make them one"
            )
        return model


def _written(files: Files, folder: Path) -> dict[str, str]:
    """Where each file lies now; files with the same content are written once."""
    places: dict[str, str] = {}
    for path, content in files.items():
        place = folder / f"{sha256(content).hexdigest()}{Path(path).suffix}"
        if not place.exists():
            place.write_bytes(content)
        places[path] = str(place)
    return places
