"""Are pictures that are not edited, and their annotations, those of the source, drawn or read again?"""

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from tempfile import TemporaryDirectory

import msgspec
import numpy as np

from pstgen.core.config import BuildConfig, VerifyConfig, with_settings
from pstgen.core.records import BadInput, Scene, origin
from pstgen.core.report import Refusals
from pstgen.dataset import blurring
from pstgen.dataset.rows import Row
from pstgen.dataset.store import Dataset
from pstgen.questions import visual_prompts
from pstgen.scenes import pixels, sources
from pstgen.scenes.world.plan import plan
from pstgen.scenes.world.scenes import save, scene
from pstgen.verification import rebuild
from pstgen.verification.checks import first_problems
from pstgen.verification.findings import Finding, untested

ANEW = True
PROVES = "Pictures that are not edited, and their annotations, are the source's, as far as they were compared with it."
SECONDS = 5.0
DRAWN = 60  # scenes of the world that are drawn again, at most


def examine(dataset: Dataset, config: VerifyConfig, /) -> Finding:
    """Photographs to the byte where the source is at hand; of the world a sample of scenes, to the pixel."""
    try:
        settings = with_settings(
            rebuild.own_settings(dataset.manifest),
            root=config.root,
            annotations=config.annotations,
            images=config.images,
        )
        wanted = sorted({item.scene_id for item in dataset.items() if item.scene_id == origin(item.scene_id)})
        with TemporaryDirectory(prefix="pstgen-") as work:
            anew = {made.id: made for made in _again(settings, dataset, wanted, Path(work))}
            rows = (row for row in dataset.rows(("depth",)) if row.item.scene_id in anew)
            blurs = settings.source.blur_faces
            problems = first_problems(
                problem for row in rows for problem in _differing(row, anew[row.item.scene_id], blurs=blurs)
            )
        compared = sum(item.scene_id in anew for item in dataset.items())
    except BadInput as error:
        return untested("source", f"its pictures are not at hand: {error}")
    summary = f"{compared:,} of {dataset.manifest.items:,} pictures and their annotations compared with the source"
    return Finding(check="source", summary=summary, problems=problems)


def _again(settings: BuildConfig, dataset: Dataset, wanted: list[str], work: Path) -> Iterator[Scene]:
    """The scenes as the source has them. Raises BadInput where it is not at hand, or is another."""
    if settings.source.name == "world":
        for name in wanted[:: -(-len(wanted) // DRAWN)]:
            yield _drawn(int(name.rpartition("/")[2]), settings, work)
        return
    source, refused = sources.load(settings.source.name), Refusals()
    if source.origin(settings).items() - dataset.manifest.origin.items():
        raise BadInput("the annotations at hand are other ones than the set was built from; --root, --annotations")
    yield from source.scenes(settings, set(wanted).__contains__, refused)
    if first := next((row for row in refused.records if row.record.startswith("image ")), None):
        raise BadInput(f"{first.file}: {first.reason}")


def _drawn(number: int, settings: BuildConfig, work: Path) -> Scene:
    """A scene of the world, drawn into the folder and not read from any cache."""
    image, depth = work / f"{number}.png", work / f"{number}.depth.png"
    source = settings.source
    made, drawing = scene(plan(settings.seed, number, source.typicality, source.place), source.size, image, depth)
    save(drawing, image, depth)
    return made


def _differing(row: Row, made: Scene, *, blurs: bool) -> Iterator[str]:
    expected = replace(
        made, detected=row.scene.detected, depth_model=row.scene.depth_model
    )  # by models, not by the source
    if _bare(expected) != _bare(row.scene):
        yield f"item {row.item.item_id}: its annotations are not those that the source has of {made.id}"
    kept, drawn = next((t.pixels for t in row.targets if t.kind == "depth"), None), pixels.depth(made)
    if drawn is not None and (kept is None or not np.array_equal(kept, drawn)):
        yield f"item {row.item.item_id}: its depth is not the one that the source has of {made.id}"
    if not _same_picture(row, made, blurs=blurs):
        yield f"item {row.item.item_id}: its picture is not the one that the source has of {made.id}"


def _bare(of: Scene) -> Scene:
    """As every set has it."""
    return msgspec.json.decode(msgspec.json.encode(replace(of, path="", depth_path="")), type=Scene)


def _same_picture(row: Row, made: Scene, *, blurs: bool) -> bool:
    """To the byte, or, where it is drawn again, faces are blurred or something is drawn into it, to the pixel."""
    item, path = row.item, Path(made.path)
    blurred = blurring.image(item, made) if blurs else None
    if blurred is None and not item.mark and not item.label and row.image == path.read_bytes():
        return True
    shown, plain = pixels.decode(row.image), pixels.read(made.path) if blurred is None else blurred
    drawn = visual_prompts.marked(plain, item.mark) if item.mark else plain
    ends = [visual_prompts.labelled(drawn, item.label, top=top) for top in (True, False)] if item.label else [drawn]
    return any(np.array_equal(shown, end) for end in ends)
