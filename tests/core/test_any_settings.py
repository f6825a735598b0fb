"""Whatever a file of settings says, it is read, or one line names what is wrong: never a traceback."""

import os

import msgspec
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from pstgen.core import config
from pstgen.core.config import AuditConfig, BuildConfig, FetchConfig, VerifyConfig, WorldConfig
from pstgen.core.records import BadInput

FUZZ = int(os.environ.get("PSTGEN_FUZZ", "0"))  # examples that are drawn anew; by default the same ones
EXAMPLES = FUZZ or 300
KINDS = (BuildConfig, VerifyConfig, AuditConfig, WorldConfig, FetchConfig)
NAMES = sorted({name for kind in KINDS for name in kind.__struct_fields__} | set(config.SECTION))
ODD = st.recursive(
    st.one_of(st.none(), st.booleans(), st.integers(), st.floats(), st.text(max_size=9), st.dates()),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=6,
)
TEXT = st.one_of(
    st.text(max_size=40).map(str.encode),
    st.binary(max_size=40),
    st.sampled_from([b"a: &a [*a]", b"[" * 10**5, b"- " * 10**5, b"? ? ?", b"seed: !!python/object:os.system x", b"%YAML 9", b"seed: 1e400"]),
)  # fmt: skip


@settings(max_examples=EXAMPLES, derandomize=not FUZZ, suppress_health_check=list(HealthCheck), deadline=None)
@given(kind=st.sampled_from(KINDS), said=st.dictionaries(st.sampled_from(NAMES), ODD, max_size=4))
def test_any_value_of_any_setting(tmp_path, kind, said):
    file = tmp_path / "settings.yaml"
    file.write_bytes(msgspec.yaml.encode(said))
    read_or_refused(file, kind)


@settings(max_examples=EXAMPLES, derandomize=not FUZZ, suppress_health_check=list(HealthCheck), deadline=None)
@given(kind=st.sampled_from(KINDS), code=TEXT)
def test_any_text(tmp_path, kind, code):
    file = tmp_path / "settings.yaml"
    file.write_bytes(code)
    read_or_refused(file, kind)


def read_or_refused(file, kind):
    try:
        said = config.read(file, {}, kind)
    except BadInput as error:
        said = str(error)
    assert isinstance(said, kind) or "\n" not in said


def test_a_file_that_is_gone_is_named(tmp_path):
    with pytest.raises(BadInput, match=r"gone\.yaml"):
        config.read(tmp_path / "gone.yaml", {}, BuildConfig)
