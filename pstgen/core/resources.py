"""Finds `templates/` and `data_sources/`: inside an installed wheel, else beside the package in a checkout."""

from importlib.resources import files
from importlib.resources.abc import Traversable
from pathlib import Path
from typing import TypeVar

import msgspec

from pstgen.core.records import BadInput

T = TypeVar("T")
FOLDERS = ("templates", "data_sources")


def folder(name: str) -> Traversable:
    """Return `templates` or `data_sources`, wherever this installation keeps it."""
    shipped = files("pstgen") / "_data" / name
    checkout = Path(__file__).parents[2] / name
    for place in (shipped, checkout):
        if place.is_dir():
            return place
    raise FileNotFoundError(f"{name}/ is neither at {shipped} nor at {checkout}: reinstall pstgen")


def model(name: str) -> Path:
    """Return the folder of a model that comes with pstgen. Raises BadInput where this installation has none."""
    place = Path(__file__).parents[1] / "models" / "weights" / name
    if not (place / "model.safetensors").is_file():
        raise BadInput(f"{place}: this installation came without its models; name others with --vlm and --lm, or none")
    return place


def read(name: str, stem: str, as_: type[T], *, before: Path | None = None) -> T:
    """Read `<name>/<stem>.yaml` into a typed record; a user's own folder `before` is searched first.

    Raises BadInput that says which file and which field, where the file is not what it should be.
    """
    own = before / f"{stem}.yaml" if before else None
    file = own if own and own.is_file() else folder(name) / f"{stem}.yaml"
    try:
        return msgspec.yaml.decode(file.read_bytes(), type=as_)
    except (msgspec.ValidationError, msgspec.DecodeError) as error:
        raise BadInput(f"{file}: {error}") from error
