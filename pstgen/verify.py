"""Runs checks/ over a finished dataset and writes the certificate."""

from collections.abc import Callable, Sequence
from pathlib import Path

import msgspec

from pstgen import __version__, plugins, store
from pstgen.config import VerifyConfig
from pstgen.records import Finding, Unavailable

CERTIFICATE = "certificate.json"
FIRST = "integrity"
SAYS = (
    "Labels were recomputed from the annotations in the set; {audit}. "
    "Pairs were checked by construction: twins share every byte of text, so no function of the text alone can win a pair."
)


class Certificate(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """certificate.json: what was measured of which bytes. manifest: that file's seal."""

    pstgen: str
    manifest: str
    sound: bool
    says: str
    findings: list[Finding]
    seal: str = ""


def says(findings: Sequence[Finding]) -> str:
    """What the certificate claims, in words; of the labels only what an audit supports."""
    of = next((finding.figures for finding in findings if "audited" in finding.figures), None)
    if of is None:
        return SAYS.format(audit="they are not audited: no person has looked at them")
    people = "one person" if of["people"] == 1 else f"{of['people']:.0f} people"
    wrong = f"{of['wrong/share']:.1%} of those are wrong, of all, by the upper bound, at most {of['wrong/high']:.1%}"
    return SAYS.format(audit=f"{of['audited']:,.0f} were audited by {people}: {wrong}")


def verify(config: VerifyConfig, said: Callable[[str], None] = lambda _: None) -> tuple[Finding, ...]:
    """Examine a dataset and write its certificate; `said` hears the name of each check as it starts.

    Bytes come first: where they are not what the manifest says, nothing else is asked of them, and an older
    certificate stays as it is. Raises BadInput where there is no dataset, Unavailable where the certificate cannot be written.
    """
    dataset = store.open(config.folder)
    said(FIRST)
    findings = [plugins.load("checks", FIRST).examine(dataset, config)]
    if findings[0].sound:
        for name in plugins.names("checks"):
            if name != FIRST:
                said(name)
                findings.append(plugins.load("checks", name).examine(dataset, config))
        _write(config.folder, dataset.manifest.seal, findings)
    return tuple(findings)


def _write(folder: Path, manifest: str, findings: list[Finding]) -> None:
    certificate = Certificate(
        pstgen=__version__, manifest=manifest, sound=all(f.sound for f in findings), says=says(findings), findings=findings
    )
    draft = folder.parent / f".{folder.name}.{CERTIFICATE}"
    try:
        draft.write_bytes(store.canonical(certificate))
        draft.replace(folder / CERTIFICATE)
    except OSError as error:
        raise Unavailable(f"{folder / CERTIFICATE}: cannot be written: {error.strerror}") from error
