"""Every number of every configuration is bounded, whoever gives it."""

import inspect
import math

import msgspec
import pytest
from msgspec.inspect import FloatType, IntType, Metadata, Type, type_info

from pstgen.core import bounds, config
from pstgen.core.records import BadInput
from pstgen.training import recipe

SETTINGS = [
    kind
    for module in (config, recipe)
    for _, kind in inspect.getmembers(module, inspect.isclass)
    if issubclass(kind, msgspec.Struct) and kind.__module__ == module.__name__
]
NUMBERS = [(kind, name) for kind in SETTINGS for name in bounds.numbers(kind)]


def parts(kind):
    """A type and all that it is made of, but for other Structs."""
    yield kind
    children = (
        kind.type if isinstance(kind, Metadata) else [getattr(kind, name, None) for name in kind.__struct_fields__]
    )
    for child in children if isinstance(children, list) else [children]:
        for part in child if isinstance(child, tuple) else [child]:
            if isinstance(part, Type) and not isinstance(part, msgspec.inspect.StructType):
                yield from parts(part)


@pytest.mark.parametrize("kind", SETTINGS, ids=lambda kind: kind.__name__)
def test_every_number_of_every_struct_is_bounded_below_and_above(kind):
    assert issubclass(kind, bounds.Bounded)
    for field in type_info(kind).fields:
        for part in parts(field.type):
            if isinstance(part, (IntType, FloatType)):
                assert (part.ge is None) != (part.gt is None), field.name
                assert (part.le is None) != (part.lt is None), field.name
                assert field.name in bounds.numbers(kind)


def outside(number):
    low, high = (number.gt if number.ge is None else number.ge), (number.lt if number.le is None else number.le)
    nearby = (low - 1, high + 1, 10**22, -(10**22))
    return nearby if isinstance(number, IntType) else (*map(float, nearby), math.nan, math.inf, -math.inf)


@pytest.mark.parametrize(("kind", "name"), NUMBERS, ids=lambda part: getattr(part, "__name__", part))
def test_a_number_out_of_bounds_is_refused_from_a_file_and_from_a_program(kind, name):
    default = getattr(kind(), name)
    for value in outside(bounds.numbers(kind)[name]):
        given = (value,) if isinstance(default, tuple) else value
        with pytest.raises(msgspec.ValidationError, match=name):
            msgspec.convert({name: given}, kind)
        with pytest.raises(ValueError, match=name):
            kind(**{name: given})


@pytest.mark.parametrize(
    "text",
    ["size: -1", "batch_size: 0", "min_pull: .nan", "timeout: .inf", "seed: -1", "scenes: 10000000000000000000000"],
)
def test_a_file_of_settings_is_refused_by_file_and_setting(text, tmp_path):
    (tmp_path / "mine.yaml").write_text(text)
    with pytest.raises(BadInput, match=rf"mine\.yaml: .*{text.partition(':')[0]}"):
        config.read(tmp_path / "mine.yaml", {}, config.BuildConfig)


@pytest.mark.parametrize("text", ["folds: 0", "confidence: 2", "most_wrong: .nan", "most_over: .nan", "alike: 300"])
def test_thresholds_of_verify_are_finite_and_in_range(text, tmp_path):
    (tmp_path / "mine.yaml").write_text(text)
    with pytest.raises(BadInput, match=rf"mine\.yaml: .*{text.partition(':')[0]}"):
        config.read(tmp_path / "mine.yaml", {}, config.VerifyConfig)


@pytest.mark.parametrize("name", ["auto", "cpu", "cuda", "cuda:1", "mps", "xpu:0"])
def test_kinds_of_devices_are_known(name):
    assert config.build_config(device=name).judges.device == name


@pytest.mark.parametrize("name", ["nonsense", "", "cuda:", "cpu\n", "cuda:-1", "CPU"])
def test_another_device_is_refused(name):
    with pytest.raises(BadInput, match="no such device; there are: auto, cpu"):
        config.build_config(device=name)
    with pytest.raises(ValueError, match="no such device"):
        config.VerifyConfig(device=name)
