"""Other people's programs, each where it is installed: here, or in an environment of its own that a variable names."""

import importlib.util
import os
import subprocess
import sys

import pytest


def _interpreter(package):
    """The Python that has it: $PSTGEN_LMMS_EVAL for lmms_eval, and so on; else this one. None where neither has it."""
    own = os.environ.get(f"PSTGEN_{package.upper()}")
    return own or (sys.executable if importlib.util.find_spec(package) else None)


@pytest.fixture(scope="session")
def elsewhere():
    """Runs arguments of Python with a package, in a folder and without a network, and gives what is printed; skips without it."""

    def run(package, *arguments, folder, cache, **env):
        interpreter = _interpreter(package)
        if interpreter is None:
            pytest.skip(f"{package} is not installed, and $PSTGEN_{package.upper()} names no Python that has it")
        offline = {"HF_HOME": str(cache), "HF_HUB_OFFLINE": "1", "PYTHONWARNINGS": "ignore", **env}
        done = subprocess.run(
            [interpreter, *map(str, arguments)],
            cwd=folder, env=os.environ | offline, capture_output=True, text=True, check=False, timeout=1200,
        )  # fmt: skip
        assert done.returncode == 0, done.stderr[-3000:]
        return done.stdout

    return run
