"""What `verify --rebuild` compares: the settings of a manifest, and two manifests file by file."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

from pstgen.core import config, resources
from pstgen.core.config import BuildConfig, RebuildConfig
from pstgen.core.records import BadInput
from pstgen.dataset.sealing import File
from pstgen.dataset.store import Manifest

OURS = {"lm": "words", "vlm": "eye"}  # models that come with pstgen
REASONS = ("pstgen", "libraries", "settings", "origin", "judges")  # that bytes differ for
COUNTS = ("items", "funnel", "unknown", "unmade", "refused", "dropped")
THREADS = "log-probabilities round otherwise on another processor or with another number of threads"


def settings(manifest: Manifest, here: RebuildConfig, out: Path) -> BuildConfig:
    """What the set was built with: the manifest's settings, and of this machine what they leave out.

    Raises BadInput where something was named then and is not now.
    """
    flat: dict[str, Any] = config.flat(manifest.settings)
    for name in RebuildConfig.__struct_fields__:
        before, given = flat.pop(name, None), getattr(here, name)
        if name in OURS and before == OURS[name] and flat["source"] == "world" and not given:
            given = str(resources.model_folder(OURS[name]))
        if name == "prior_vqa":
            before = "vqa" in flat["judges"]
        if before and not given:
            which = "" if before is True else f" ({before})"
            option = name.replace("_", "-")
            raise BadInput(f"manifest.json: the set was built with --{option}{which}; name it again for --rebuild")
        flat[name] = given
    try:
        return config.read(None, flat | {"out": out}, BuildConfig)
    except BadInput as error:
        raise BadInput(f"manifest.json: its settings are not this version's: {error}") from None


def own_settings(manifest: Manifest) -> BuildConfig:
    """What the manifest itself says, without what it leaves out or only names.

    Raises BadInput where that is not this version's, or out of its bounds.
    """
    flat = {name: value for name, value in config.flat(manifest.settings).items() if name not in config.ELSEWHERE}
    try:
        return config.build_config(**flat)
    except (BadInput, TypeError) as error:
        raise BadInput(f"manifest.json: its settings are not this version's: {error}") from None


def differences(old: Manifest, new: Manifest) -> Iterator[str]:
    """Each file that is not the same, then what else is not, which is the likely reason."""
    names = [name for name in sorted({*old.files, *new.files}) if old.files.get(name) != new.files.get(name)]
    for name in names:
        yield f"{name}: {_file_change(old.files.get(name), new.files.get(name))}"
    if names == ["scores.parquet"]:
        yield f"scores.parquet: is all that differs: {THREADS}, a likely reason"
    for name in (*REASONS, *COUNTS):
        before, after = getattr(old, name), getattr(new, name)
        if before != after:
            yield f"manifest.json: {name}: {_change(before, after)}" + (", a likely reason" if name in REASONS else "")


def _file_change(old: File | None, new: File | None) -> str:
    if new is None:
        return "is not built again"
    if old is None:
        return "is built now, and was not"
    return f"has sha256 {new.sha256[:12]}… and {new.bytes:,} bytes now, {old.sha256[:12]}… and {old.bytes:,} then"


def _change(before: Any, after: Any) -> str:
    """What differs, key by key.

    >>> _change({"numpy": "2.3", "pillow": "12"}, {"numpy": "2.4", "pillow": "12"})
    'numpy is 2.4 now, was 2.3'
    """
    if isinstance(before, dict) and isinstance(after, dict):
        return ", ".join(
            f"{key} is {after.get(key)} now, was {before.get(key)}"
            for key in sorted({*before, *after})
            if before.get(key) != after.get(key)
        )
    if isinstance(before, list):
        return f"{len(after)} now, {len(before)} then"
    return f"is {after} now, was {before}"
