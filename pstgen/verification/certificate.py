"""certificate.json: what was tried on which bytes, what it reached, what that proves and what not."""

from collections.abc import Iterable, Sequence
from pathlib import Path

import msgspec

from pstgen.core import plugins
from pstgen.core.records import BadInput, Finding
from pstgen.dataset import store
from pstgen.dataset.store import File

NAME, PAGE = "certificate.json", "certificate.html"
WRITTEN = (PAGE, "vulnerability.parquet")  # by verify, beside the certificate, which holds their hashes

PROVEN = {
    ("pairs",): "No function of the text alone can win a pair: twins share every byte of question and options.",
    ("integrity",): "Every file is, byte by byte, the one that was built and that the manifest names.",
    ("labels", "targets"): "Every answer and every target follows from the annotations in the set, worked out anew.",
    ("separation",): "No scene of the set fed the prior that the lures come from.",
    ("rebuild",): "Built again from the manifest, the set is the same to the byte.",
}
REBUILD = "Does a build from the manifest give the same bytes again?"
NOT_PROVEN = (
    "That every label is right: annotators err, and what they have overlooked is not in the annotations.",
    "That every question is hard to see, or that whoever wins a pair has looked at the right place.",
    "That no model remembers these very pictures from its training.",
    "That no other attacker or probe would do better. Whatever goes by the words alone wins no pair all the same.",
)


class Certificate(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """certificate.json. manifest: that file's seal; files: what `verify` wrote beside this; seal: sha256 of the rest.

    thresholds: the numbers of the configuration, by name. tried: what each check asks and each attacker does, in words;
    findings: what came of it, in words and figures. proven, not_proven: what follows from that, and what does not.
    """

    pstgen: str
    manifest: str
    sound: bool
    says: str
    thresholds: dict[str, float]
    tried: dict[str, str]
    proven: list[str]
    not_proven: list[str]
    findings: list[Finding]
    files: dict[str, File] = {}
    seal: str = ""


def schema() -> bytes:
    """The JSON schema of certificate.json (2020-12), as docs/certificate.schema.json has it."""
    told = msgspec.json.schema(Certificate)
    return msgspec.json.format(msgspec.json.encode(told, order="sorted"), indent=2) + b"\n"


def read(folder: Path) -> Certificate:
    """The certificate of a dataset. Raises BadInput where there is none, or where any byte of it is another."""
    try:
        return msgspec.convert(store.sealed(folder / NAME), Certificate)
    except OSError as error:
        raise BadInput(f"{folder / NAME}: {error.strerror}; pstgen verify {folder} writes it") from None
    except msgspec.ValidationError as error:
        raise BadInput(f"{folder / NAME}: not a certificate of this version: {error}; verify again") from None


def tried(findings: Sequence[Finding]) -> dict[str, str]:
    """What each check asks and each attacker does, in the words of their own files."""
    checks = {finding.check: _sentence("checks", finding.check) for finding in findings}
    return checks | {f"attackers/{name}": _sentence("attackers", name) for name in attackers(findings)}


def attackers(findings: Sequence[Finding]) -> list[str]:
    """Those that were tried, by the figures that they left."""
    figures = next((finding.figures for finding in findings if finding.check == "attackers"), {})
    return [name.removesuffix("/items") for name in figures if name.endswith("/items")]


def proven(findings: Sequence[Finding]) -> list[str]:
    """Each statement whose checks all ran, and are sound."""
    sound = {finding.check for finding in findings if finding.state == "sound"}
    return [statement for checks, statement in PROVEN.items() if sound.issuperset(checks)]


def not_proven(findings: Sequence[Finding]) -> list[str]:
    """What no check of a finished set can prove, and what was not tested on this one."""
    return [*NOT_PROVEN, *map(_open_question, untested(findings))]


def _open_question(finding: Finding) -> str:
    return f"What the {finding.check.replace('_', ' ')} would find, not tested: {finding.untested}."


def untested(findings: Iterable[Finding]) -> list[Finding]:
    """Those of the checks that could not run on this set."""
    return [finding for finding in findings if finding.state == "not tested"]


def ran(findings: Sequence[Finding]) -> str:
    """How many of the checks ran, and which did not: the verdict "sound" is only about those that ran."""
    missing = [finding.check for finding in untested(findings)]
    if not missing:
        return f"all {len(findings)} checks ran"
    return f"{len(findings) - len(missing)} of {len(findings)} checks ran (not tested: {', '.join(missing)})"


def _sentence(folder: str, name: str) -> str:
    """The first line of a plug-in's docstring; of what is none, its name."""
    if name == "rebuild":
        return REBUILD
    told = plugins.load(folder, name).__doc__ if name in plugins.names(folder) else None
    return (told or name).strip().splitlines()[0]
