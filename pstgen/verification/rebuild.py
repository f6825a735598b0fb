"""What `verify --rebuild` compares: the settings of a manifest, and two manifests file by file."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

from pstgen.core import config, resources
from pstgen.core.config import BuildConfig, RebuildConfig
from pstgen.core.records import BadInput
from pstgen.dataset.store import Manifest

OURS = {"lm": "words", "vlm": "eye"}  # models that come with pstgen
LIKELY = ("pstgen", "libraries", "settings", "origin", "judges")  # reasons, where bytes differ
THREADS = "log-probabilities round otherwise on another processor or with another number of threads"
COUNTED = ("items", "funnel", "unknown", "unmade", "refused", "dropped")


def settings(manifest: Manifest, here: RebuildConfig, out: Path) -> BuildConfig:
    """What the set was built with: the manifest's settings, and of this machine what they leave out.

    Raises BadInput where something was named then and is not now.
    """
    told: dict[str, Any] = dict(manifest.settings)
    for name in RebuildConfig.__struct_fields__:
        was, given = told.pop(name, None), getattr(here, name)
        if name in OURS and was == OURS[name] and told["source"] == "world" and not given:
            given = str(resources.model(OURS[name]))
        if name == "prior_vqa":
            was = "vqa" in told["judges"]
        if was and not given:
            which = "" if was is True else f" ({was})"
            option = name.replace("_", "-")
            raise BadInput(f"manifest.json: the set was built with --{option}{which}; name it again for --rebuild")
        told[name] = given
    try:
        return config.read(None, told | {"out": out}, BuildConfig)
    except BadInput as error:
        raise BadInput(f"manifest.json: its settings are not this version's: {error}") from None


def differences(old: Manifest, new: Manifest) -> Iterator[str]:
    """Each file that is not the same, then what else is not, which is the likely reason."""
    files = [name for name in sorted({*old.files, *new.files}) if old.files.get(name) != new.files.get(name)]
    for name in files:
        if name not in new.files:
            yield f"{name}: is not built again"
        elif name not in old.files:
            yield f"{name}: is built now, and was not"
        else:
            was, now = old.files[name], new.files[name]
            yield f"{name}: has sha256 {now.sha256[:12]}… and {now.bytes:,} bytes now, {was.sha256[:12]}… and {was.bytes:,} then"
    if files == ["scores.parquet"]:
        yield f"scores.parquet: is all that differs: {THREADS}, a likely reason"
    for name in (*LIKELY, *COUNTED):
        was, now = getattr(old, name), getattr(new, name)
        if was != now:
            yield f"manifest.json: {name}: {_change(was, now)}" + (", a likely reason" if name in LIKELY else "")


def _change(was: Any, now: Any) -> str:
    """What is other, key by key.

    >>> _change({"numpy": "2.3", "pillow": "12"}, {"numpy": "2.4", "pillow": "12"})
    'numpy is 2.4 now, was 2.3'
    """
    if isinstance(was, dict) and isinstance(now, dict):
        return ", ".join(
            f"{key} is {now.get(key)} now, was {was.get(key)}"
            for key in sorted({*was, *now})
            if was.get(key) != now.get(key)
        )
    return f"is {now} now, was {was}" if not isinstance(was, list) else f"{len(now)} now, {len(was)} then"
