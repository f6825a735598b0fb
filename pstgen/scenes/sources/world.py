"""The built-in world: scenes drawn from a seed, with exact masks, keypoints, colours and depth. Nothing to download."""

import logging
from collections.abc import Iterator
from dataclasses import replace
from hashlib import sha256
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
LOG = logging.getLogger("pstgen")
MODELS = {"lm": "words", "vlm": "eye"}  # that come with pstgen and were trained on this world


class Kept(msgspec.Struct):
    """A scene as the cache has it: the record, and sha256 of the files of image and depth."""

    scene: Scene
    image: str
    depth: str


def defaults(config: BuildConfig) -> BuildConfig:
    """The models that come with pstgen, where the user named none, and what is usual in such a world, drawn by another seed."""
    named = {"lm": config.judges.lm, "vlm": config.judges.vlm}
    ours = {judge: str(resources.model_folder(MODELS[judge])) for judge, model in named.items() if model is None}
    counted = (config.source.typicality, config.source.place) == (SourceConfig().typicality, "")
    usual = counted and config.seed != BASE_SEED
    base = config.questions.prior_base or ("world" if usual else "none")
    return with_settings(config, **ours, prior_base=base)


def index(config: BuildConfig) -> list[Entry]:
    """Every scene; each is drawn when it is read."""
    return [Entry(name, f"{n}.png", licence=LICENCE) for n, name in enumerate(names(config))]


def names(config: BuildConfig) -> Iterator[str]:
    """The id of every scene."""
    return (f"world/{n}" for n in range(config.source.scenes))


def scenes(
    config: BuildConfig,
    wanted: Wanted,
    refused: Refusals,  # noqa: ARG001 (none is refused)
    pictured: Wanted = everything,  # noqa: ARG001 (all are drawn)
) -> Iterator[Scene]:
    """Every wanted scene. It is drawn once and kept in the user's cache, so that reading it again is quick.

    What is damaged there is drawn anew, and that is said. Raises Unavailable where the cache cannot be written.
    """
    folder, damaged = _folder(config), 0
    try:
        with scratch.folder(".drafts-", folder) as drafts:
            for number, name in enumerate(names(config)):
                if wanted(name):
                    kept = _kept(folder, number)
                    damaged += kept is None and _record(folder, number).is_file()
                    yield kept or _drawn(folder, drafts, number, config)
    except OSError as error:
        raise Unavailable(f"{folder}: cannot be written: {error.strerror}") from None
    finally:
        if damaged:
            LOG.warning("%s: damaged scenes drawn anew: %d", folder, damaged)


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
        **({"place": source.place} if source.place else {}),
        "drawn by": f"world {VERSION}",
    }


def _folder(config: BuildConfig) -> Path:
    source = config.source
    name = "-".join(
        map(str, filter(None, (VERSION, str(config.seed), source.size, str(source.typicality), source.place)))
    )
    folder = Path(platformdirs.user_cache_dir("pstgen")) / "world" / name
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise Unavailable(
            f"{folder}: cannot be written: {error.strerror}; name another place with $XDG_CACHE_HOME"
        ) from None
    return folder


def _pictures(folder: Path, number: int) -> tuple[Path, Path]:
    """The files of a scene's image and depth."""
    return folder / f"{number}.png", folder / f"{number}.depth.png"


def _record(folder: Path, number: int) -> Path:
    return folder / f"{number}.scene.json"


def _kept(folder: Path, number: int) -> Scene | None:
    """The scene as the cache has it, if it has it whole."""
    image, depth = _pictures(folder, number)
    try:
        kept = msgspec.json.decode(_record(folder, number).read_bytes(), type=Kept)
        whole = (kept.image, kept.depth) == (_hash(image.read_bytes()), _hash(depth.read_bytes()))
    except (OSError, msgspec.DecodeError, UnicodeDecodeError):
        return None
    return replace(kept.scene, path=str(image), depth_path=str(depth)) if whole else None


def _drawn(folder: Path, drafts: Path, number: int, config: BuildConfig) -> Scene:
    """Draw the scene into the cache; its three files appear together, the record last. Raises OSError."""
    image, depth = _pictures(folder, number)
    planned = plan(config.seed, number, config.source.typicality, config.source.place)
    drawn, drawing = scene(planned, config.source.size, image, depth)
    files = [drafts / path.name for path in (image, depth, _record(folder, number))]
    save(drawing, *files[:2])
    hashes = [_hash(file.read_bytes()) for file in files[:2]]
    files[2].write_bytes(msgspec.json.encode(Kept(drawn, *hashes)))
    for path in files:
        path.replace(folder / path.name)
    return msgspec.json.decode(msgspec.json.encode(drawn), type=Scene)  # as every later reading gives it


def _hash(code: bytes) -> str:
    return sha256(code).hexdigest()
