"""What stands where in a scene: a pure function of seed, index and typicality, in metres and shares of the image, without pixels."""

from dataclasses import dataclass, replace
from functools import cache

import msgspec
import numpy as np

from pstgen.core import resources
from pstgen.core.config import PLACES

INDOORS = frozenset({"kitchen", "room"})
MAX_THINGS = 7
NEAR, FAR = 2.3, 4.6  # metres from the camera


class Kind(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A category: a row of data_sources/world.yaml."""

    id: int
    size: float
    colours: tuple[str, ...]
    number: int
    side: int
    places: tuple[str, ...]
    company: tuple[str, ...] = ()
    words: tuple[str, ...] = ()
    arms: tuple[str, str] | None = None
    where: str = "floor"
    plain: bool = True


class Things(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """data_sources/world.yaml."""

    things: dict[str, Kind]


@dataclass(frozen=True, slots=True, kw_only=True)
class Thing:
    """A thing in a scene. x: its middle, as a share of the image's width; depth: metres; lift: metres above the floor.

    flip: does it face left? style: the seed of what is random about its looks. scale: times its category's size.
    says: what is written on it. arms: how a person holds the left one and the right one; None leaves it to the style.
    """

    category: str
    colour: str
    x: float
    depth: float
    lift: float = 0.0
    flip: bool = False
    style: int = 0
    scale: float = 1.0
    says: str = ""
    arms: tuple[str, str] | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """A scene before it is drawn. light: 0.9 dusk to 1.05 noon; warmth: -1 cool to 1 warm."""

    seed: int
    index: int
    place: str
    light: float
    warmth: float
    things: tuple[Thing, ...]


@cache
def kinds() -> dict[str, Kind]:
    """Every category of the world, in COCO's order."""
    return resources.read("data_sources", "world", Things).things


def plan(seed: int, index: int, typicality: float, place: str = "") -> Plan:
    """Plan a scene; `typicality` is the share of choices that are made as people expect, the others are uniform.

    place: one of PLACES; "" draws one.
    """
    rng = np.random.default_rng(np.random.SeedSequence((seed, index)))
    drawn = str(rng.choice(PLACES))
    place = place or drawn
    groups = _groups(rng, place, typicality)
    return Plan(
        seed=seed,
        index=index,
        place=place,
        light=float(rng.uniform(0.9, 1.05)),
        warmth=float(rng.uniform(-1, 1)),
        things=_posed(rng, _placed(rng, groups, typicality), typicality),
    )


def _typical(rng: np.random.Generator, typicality: float) -> bool:
    return bool(rng.random() < typicality)


def _groups(rng: np.random.Generator, place: str, typicality: float) -> list[tuple[str, int]]:
    """Categories and how many of each: such as belong to the place and to each other, or any."""
    every = list(kinds())
    wanted = int(rng.integers(2, 6))
    chosen: dict[str, int] = {}
    company: list[str] = []  # what usually comes with the category that was chosen last
    for _ in range(40):
        if len(chosen) >= wanted or sum(chosen.values()) >= MAX_THINGS:
            break
        usual = company or [name for name in every if place in kinds()[name].places]
        name = str(rng.choice(usual if _typical(rng, typicality) else every))
        company = [friend for friend in kinds()[name].company if friend not in chosen] if name not in chosen else []
        if name in chosen:
            continue
        number = kinds()[name].number if _typical(rng, typicality) else int(rng.integers(1, 5))
        chosen[name] = min(number, MAX_THINGS - sum(chosen.values()))
    return list(chosen.items())


def _placed(rng: np.random.Generator, groups: list[tuple[str, int]], typicality: float) -> tuple[Thing, ...]:
    """Give every thing a column of its own; categories that usually stand on the left go there if they are typical."""
    total = sum(number for _, number in groups)
    lean = {name: _side(rng, name, typicality) + rng.normal(0, 0.35) for name, _ in groups}
    columns = iter((np.arange(total) + rng.uniform(0.3, 0.7, total)) / total)
    crowd = 1.0 if total <= 3 else 0.88 if total <= 5 else 0.78
    tables = [name for name, _ in groups if name == "dining table"]
    things: list[Thing] = []
    for name, number in sorted(groups, key=lambda group: lean[group[0]]):
        colour = _colour(rng, name, typicality)
        placed = [_thing(rng, name, colour, 0.06 + 0.88 * float(next(columns)), crowd) for _ in range(number)]
        things += [replace(thing, says=_text(rng, name, typicality)) for thing in placed]
    return _on_tables(things) if tables else tuple(things)


def _posed(rng: np.random.Generator, things: tuple[Thing, ...], typicality: float) -> tuple[Thing, ...]:
    """People hold their arms as suits what they are with, if they are typical."""
    suited = [arms for thing in things if (arms := kinds()[thing.category].arms)]
    return tuple(
        replace(thing, arms=suited[0]) if thing.category == "person" and suited and _typical(rng, typicality) else thing
        for thing in things
    )


def _side(rng: np.random.Generator, name: str, typicality: float) -> float:
    return float(kinds()[name].side if _typical(rng, typicality) else rng.choice((-1, 1)))


def _colour(rng: np.random.Generator, name: str, typicality: float) -> str:
    colours = kinds()[name].colours
    return colours[0] if _typical(rng, typicality) else str(rng.choice(colours))


def _text(rng: np.random.Generator, name: str, typicality: float) -> str:
    words = kinds()[name].words
    return (words[0] if _typical(rng, typicality) else str(rng.choice(words))) if words else ""


def _thing(rng: np.random.Generator, name: str, colour: str, x: float, scale: float) -> Thing:
    kind = kinds()[name]
    near = 2.9 if kind.size < 0.7 else FAR
    lift = {"sky": float(rng.uniform(1.9, 2.4)), "wall": float(rng.uniform(1.5, 1.8))}.get(kind.where, 0.0)
    depth = float(rng.uniform(NEAR, near)) if not lift else 3.6
    return Thing(
        category=name,
        colour=colour,
        x=x,
        depth=depth,
        lift=lift,
        flip=bool(rng.random() < 0.5),
        style=int(rng.integers(2**31)),
        scale=scale * float(rng.uniform(0.92, 1.08)),
    )


def _on_tables(things: list[Thing]) -> tuple[Thing, ...]:
    """Put what belongs on a table onto the table, if it stands over it; else it stays on the floor."""
    table = next(thing for thing in things if thing.category == "dining table")
    top = kinds()["dining table"].size * table.scale
    width = 0.26 * table.scale * 3.0 / table.depth

    def put(thing: Thing) -> Thing:
        over = abs(thing.x - table.x) < width
        if kinds()[thing.category].where != "table" or not over:
            return thing
        return replace(thing, lift=top * 0.97, depth=table.depth - 0.05)

    return tuple(map(put, things))
