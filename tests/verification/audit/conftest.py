"""A small set of the built-in world."""

import pytest

from pstgen import build
from pstgen.core.config import build_config


@pytest.fixture(scope="session")
def built(tmp_path_factory):
    """A folder that no test changes."""
    out = tmp_path_factory.mktemp("built") / "pst"
    settings = build_config(
        source="world",
        prior_base="world",
        scenes=150,
        size=64,
        candidates=40,
        wordings=2,
        edited=3,
        lm="none",
        vlm="none",
        out=out,
    )
    build.build(settings)
    return out
