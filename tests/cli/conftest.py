"""A stress test that is built in seconds."""

import pytest


@pytest.fixture(scope="session")
def small_set(tmp_path_factory):
    """Judged by no model; nobody writes into it."""
    from pstgen.build import build
    from pstgen.core.config import build_config

    out = tmp_path_factory.mktemp("small") / "pst"
    few = {"scenes": 60, "size": 64, "candidates": 10, "wordings": 1, "lm": "none", "vlm": "none"}
    build(build_config(source="world", prior_base="world", **few, out=out))
    return out
