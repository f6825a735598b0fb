"""The built-in world: scenes drawn from a seed, with exact masks, keypoints, colours and depth. Nothing to download."""

from collections.abc import Iterator
from pathlib import Path

import msgspec
import platformdirs

from pstgen.core import resources, scratch
from pstgen.core.config import BuildConfig, SourceConfig, with_settings
from pstgen.core.records import Scene, Unavailable
from pstgen.core.report import Refusals
from pstgen.scenes.sources import Entry, Wanted, everything
from pstgen.scenes.world.plan import plan
from pstgen.scenes.world.scenes import LICENCE, VERSION, save, scene

BASE_SEED = 85  # of the scenes that data_sources/priors/world.json counts
MODELS = {"lm": "words", "vlm": "eye"}  # that come with pstgen and were trained on this world


def defaults(config: BuildConfig) -> BuildConfig:
    """The models that come with pstgen, where the user named none, and what is usual in such a world, drawn by another seed."""
    named = {"lm": config.judges.lm, "vlm": config.judges.vlm}
    ours = {judge: str(resources.model_folder(MODELS[judge])) for judge, model in named.items() if model is None}
    usual = config.source.typicality == SourceConfig().typicality and config.seed != BASE_SEED
    base = config.questions.prior_base or ("world" if usual else "none")
    return with_settings(config, **ours, prior_base=base)


def index(config: BuildConfig) -> list[Entry]:
    """Every scene; each is drawn when it is read."""
    return [Entry(f"world/{n}", f"{n}.png") for n in range(config.source.scenes)]


def scenes(
    config: BuildConfig,
    wanted: Wanted,
    refused: Refusals,  # noqa: ARG001 (none is refused)
    pictured: Wanted = everything,  # noqa: ARG001 (all are drawn)
) -> Iterator[Scene]:
    """Every wanted scene. It is drawn once and kept in the user's cache, so that reading it again is quick."""
    folder = _folder(config)
    with scratch.folder(".drafts-", folder) as drafts:
        for number in range(config.source.scenes):
            if wanted(f"world/{number}"):
                yield _cached(folder, drafts, number, config)


def origin(config: BuildConfig) -> dict[str, str]:
    """What the world is drawn from; there are no photographs."""
    source = config.source
    return {
        "name": "pstgen built-in world (synthetic drawings, no photographs)",
        "licence": LICENCE,
        "seed": str(config.seed),
        "scenes": str(source.scenes),
        "size": str(source.size),
        "typicality": str(source.typicality),
        "drawn by": f"world {VERSION}",
    }


def _folder(config: BuildConfig) -> Path:
    name = f"{VERSION}-{config.seed}-{config.source.size}-{config.source.typicality}"
    folder = Path(platformdirs.user_cache_dir("pstgen")) / "world" / name
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise Unavailable(
            f"{folder}: cannot be written: {error.strerror}; name another place with $XDG_CACHE_HOME"
        ) from None
    return folder


def _cached(folder: Path, drafts: Path, number: int, config: BuildConfig) -> Scene:
    """The scene, from the cache or drawn into it; its three files appear together, the record last."""
    image, depth, record = (folder / f"{number}{end}" for end in (".png", ".depth.png", ".json"))
    if record.is_file():
        return msgspec.json.decode(record.read_bytes(), type=Scene)
    drawn, drawing = scene(plan(config.seed, number, config.source.typicality), config.source.size, image, depth)
    code = msgspec.json.encode(drawn)
    try:
        draft_image, draft_depth, draft_record = files = [drafts / path.name for path in (image, depth, record)]
        save(drawing, draft_image, draft_depth)
        draft_record.write_bytes(code)
        for path in files:
            path.replace(folder / path.name)
    except OSError as error:
        raise Unavailable(f"{folder}: cannot be written: {error.strerror}") from None
    return msgspec.json.decode(code, type=Scene)  # as every later reading gives it
