"""The built-in world: scenes drawn from a seed, with exact masks, keypoints, colours and depth. Nothing to download."""

import tempfile
from collections.abc import Callable, Iterator
from functools import cache
from hashlib import sha256
from importlib.resources import files
from pathlib import Path

import msgspec
import platformdirs

from pstgen import resources
from pstgen.config import BuildConfig
from pstgen.records import Refusals, Scene, Unavailable
from pstgen.world.plan import plan
from pstgen.world.scenes import LICENCE, save, scene


def scenes(config: BuildConfig, wanted: Callable[[str], bool], refused: Refusals) -> Iterator[Scene]:  # noqa: ARG001
    """Every wanted scene. It is drawn once and kept in the user's cache, so that reading again is quick."""
    folder = _folder(config)
    for index in range(config.scenes):
        if wanted(f"world/{index}"):
            yield _drawn(folder, index, config)


def origin(config: BuildConfig) -> dict[str, str]:
    """The world says what it is: no photographs."""
    told = {"seed": config.seed, "scenes": config.scenes, "size": config.size, "typicality": config.typicality}
    name = "pstgen built-in world (synthetic drawings, no photographs)"
    return {
        "name": name,
        "licence": LICENCE,
        **{key: str(value) for key, value in told.items()},
        "drawn by": _version(),
    }


@cache
def _version() -> str:
    """sha256 of all that decides how a scene looks; another version has a cache of its own."""
    drawing = {file.name: file for file in (files("pstgen") / "world").iterdir() if file.name.endswith(".py")}
    code = [drawing[name].read_bytes() for name in sorted(drawing)]
    return sha256(b"".join([*code, (resources.folder("data_sources") / "world.yaml").read_bytes()])).hexdigest()[:16]


def _folder(config: BuildConfig) -> Path:
    name = f"{_version()}-{config.seed}-{config.size}-{config.typicality}"
    folder = Path(platformdirs.user_cache_dir("pstgen")) / "world" / name
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise Unavailable(
            f"{folder}: cannot be written: {error.strerror}; name another place with $XDG_CACHE_HOME"
        ) from None
    return folder


def _drawn(folder: Path, index: int, config: BuildConfig) -> Scene:
    """The scene's record; its three files appear together, the record last."""
    image, depth, record = (folder / f"{index}{end}" for end in (".png", ".depth.png", ".json"))
    if record.is_file():
        return msgspec.json.decode(record.read_bytes(), type=Scene)
    told, drawing = scene(plan(config.seed, index, config.typicality), config.size, image, depth)
    try:
        with tempfile.TemporaryDirectory(dir=folder) as name:
            made = [Path(name) / path.name for path in (image, depth, record)]
            save(drawing, made[0], made[1])
            made[2].write_bytes(msgspec.json.encode(told))
            for path in made:
                path.replace(folder / path.name)
    except OSError as error:
        raise Unavailable(f"{folder}: cannot be written: {error.strerror}") from None
    return told
