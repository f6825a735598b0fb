"""results.json: what every system reached, what it cost, and how they compare."""

from collections.abc import Mapping, Sequence
from importlib import metadata
from pathlib import Path
from typing import Any

import msgspec

from pstgen.core import __version__, scratch
from pstgen.training.recipe import Recipe

FORMAT = 1
FILE = "results.json"


class ArmResult(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One system under one seed.

    flops: of its training, both stages. figures: "pst/pair", "vqa/overall", "cost/p50", …: percent, or as the metric
    says. absent: figures that could not be measured, and why. scores: by metric and question, 0 to 1, of the metrics by
    which systems are compared.
    """

    system: str
    seed: int
    parameters: int
    steps: dict[str, int]
    flops: float
    seconds: float
    figures: dict[str, float]
    absent: dict[str, str]
    scores: dict[str, dict[str, float]]


class Comparison(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """McNemar's exact test of one system against another; a question's score is summed over seeds, and is one observation."""

    system: str
    against: str
    metric: str
    better: int
    worse: int
    p: float


class Results(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """All of a run.

    materials: how many questions each benchmark has. synthetic: are those of VQA and GQA of the built-in world's scenes, in these
    benchmarks' formats, and not the official ones? intervals: system → figure → (mean, low, high) over seeds, or over
    pairs where there is one seed.
    """

    format: int
    pstgen: str
    command: str
    device: str
    recipe: dict[str, Any]
    libraries: dict[str, str]
    materials: dict[str, int]
    synthetic: bool
    arms: list[ArmResult]
    intervals: dict[str, dict[str, tuple[float, float, float]]]
    compared: list[Comparison]


def read(folder: Path) -> Results:
    """Read what a run left."""
    return msgspec.json.decode((folder / FILE).read_bytes(), type=Results)


def write(results: Results, folder: Path) -> None:
    """Write it, whole or not at all."""
    scratch.put(folder / FILE, msgspec.json.format(msgspec.json.encode(results), indent=1) + b"\n")


def of_system(results: Results, system: str) -> list[ArmResult]:
    """Its arms, by seed."""
    return [arm for arm in results.arms if arm.system == system]


def recipe_settings(recipe: Recipe) -> dict[str, Any]:
    """The recipe as plain values; no path of this machine."""
    settings: dict[str, Any] = msgspec.to_builtins(recipe, enc_hook=str)
    return settings | {name: "given" for name in ("train", "mmlu") if settings[name] is not None}


def versions(names: Sequence[str]) -> dict[str, str]:
    """Of pstgen and of these libraries; "absent" where one is not installed."""
    return {"pstgen": __version__} | {name: _version(name) for name in names}


def _version(name: str) -> str:
    try:
        return metadata.version(name)
    except metadata.PackageNotFoundError:
        return "absent"


def mean(arms: Sequence[ArmResult], figure: str) -> float | None:
    """Over seeds; None where any of them has none."""
    values = [arm.figures.get(figure) for arm in arms]
    known = [value for value in values if value is not None]
    return sum(known) / len(known) if values and len(known) == len(values) else None


def schema() -> Mapping[str, Any]:
    """JSON schema of results.json."""
    return msgspec.json.schema(Results)
