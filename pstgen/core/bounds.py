"""Bounds of settings, in one place: every number of a configuration has them, whether a file, an option or a program gives it."""

import re
from functools import cache
from typing import Annotated, Any, get_type_hints

import msgspec
from msgspec import Meta
from msgspec.inspect import FloatType, IntType, UnionType, VarTupleType, type_info

MOST = 10**9
DEVICE = re.compile(r"auto|(cpu|cuda|mps|xpu)(:\d{1,3})?")

Count = Annotated[int, Meta(ge=1, le=MOST)]
CountOrZero = Annotated[int, Meta(ge=0, le=MOST)]
Scenes = Annotated[int, Meta(ge=2, le=10**7)]
Side = Annotated[int, Meta(ge=16, le=4096)]  # of a picture, pixels
Seed = Annotated[int, Meta(ge=0, le=2**32 - 1)]  # what NumPy and scikit-learn take
Share = Annotated[float, Meta(ge=0, le=1)]
Amount = Annotated[float, Meta(ge=0, le=MOST)]
Positive = Annotated[float, Meta(gt=0, le=MOST)]
Number = IntType | FloatType


class Bounded(msgspec.Struct, kw_only=True, frozen=True, forbid_unknown_fields=True):
    """Settings whose numbers are finite and within the bounds of their types, however they are made."""

    def __post_init__(self) -> None:
        """Raise ValueError where one is not, or where a device is none."""
        hints = _hints(type(self))
        for name in numbers(type(self)):
            value = getattr(self, name)
            try:
                msgspec.convert(value, hints[name])
            except msgspec.ValidationError as error:
                raise ValueError(f"{name} is {value!r}: {error}") from None
        known_device(getattr(self, "device", "auto"))


def known_device(name: str) -> str:
    """The name of a kind of device to compute on. Raises ValueError where there is no such kind.

    >>> known_device("cuda:1")
    'cuda:1'
    """
    if not DEVICE.fullmatch(name):
        raise ValueError(f"device {name}: no such device; there are: auto, cpu, cuda, cuda:1, …, mps, xpu")
    return name


@cache
def numbers(settings: type[msgspec.Struct]) -> dict[str, Number]:
    """The settings that are a number, or several, by name; each with its bounds.

    >>> class Taste(Bounded):
    ...     salt: Share = 0.5
    ...     name: str = ""
    >>> numbers(Taste)
    {'salt': FloatType(gt=None, ge=0, lt=None, le=1, multiple_of=None)}
    """
    found = ((field.name, _number(field.type)) for field in type_info(settings).fields)  # type: ignore[attr-defined]
    return {name: number for name, number in found if number is not None}


def _number(kind: msgspec.inspect.Type) -> Number | None:
    if isinstance(kind, UnionType):
        return next((number for part in kind.types if (number := _number(part))), None)
    if isinstance(kind, VarTupleType):
        return _number(kind.item_type)
    return kind if isinstance(kind, IntType | FloatType) else None


@cache
def _hints(settings: type[msgspec.Struct]) -> dict[str, Any]:
    return get_type_hints(settings, include_extras=True)
