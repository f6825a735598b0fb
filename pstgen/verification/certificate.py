"""certificate.json: what was tried on which bytes, what it reached, what that proves and what not."""

from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path

import msgspec

from pstgen.core import __version__
from pstgen.core.config import LEFT_OUT, VerifyConfig
from pstgen.core.records import BadInput
from pstgen.dataset import sealing
from pstgen.dataset.sealing import File
from pstgen.dataset.store import Dataset
from pstgen.verification import attackers, checks, trust
from pstgen.verification.checks import Check
from pstgen.verification.findings import Finding

NAME, PAGE = "certificate.json", "certificate.html"
WRITTEN = (PAGE, "vulnerability.parquet")  # by verify, beside the certificate, which holds their hashes
FORMAT = 3  # of certificate.json
FIRST = ("integrity", "manifest")  # checks without which no other runs

NOT_PROVEN = (
    "That every label is right: annotators err, and what they have overlooked is not in the annotations.",
    "That every question is hard to see, or that whoever wins a pair has looked at the right place.",
    "That no model remembers these very pictures from its training.",
    "That no other attacker or probe would do better. Whatever goes by the words alone wins no pair all the same.",
)
CLAIM = (
    "Labels were recomputed from the annotations in the set; {audit}. "
    "Pairs were checked by construction: twins share every byte of text, so no function of the text alone can win a pair."
)


class Certificate(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """certificate.json. manifest: that file's seal; files: what `verify` wrote beside this; seal: sha256 of the rest.

    anew: the checks that worked out anew what they are about; tested: those that looked for what should not be there;
    not_tested: those that could not run; on_trust: what none of them can work out.
    thresholds: the numbers of the configuration, by name. tried: what each check asks and each attacker does, in words;
    findings: what came of it, in words and figures. proven, not_proven: what follows from that, and what does not.
    """

    format: int
    pstgen: str
    manifest: str
    sound: bool
    says: str
    anew: list[str]
    tested: list[str]
    not_tested: list[str]
    on_trust: list[str]
    proven: list[str]
    not_proven: list[str]
    thresholds: dict[str, float]
    tried: dict[str, str]
    findings: list[Finding]
    files: dict[str, File] = {}
    seal: str = ""


def schema() -> bytes:
    """The JSON schema of certificate.json (2020-12), as the documentation has it."""
    definition = msgspec.json.schema(Certificate)
    return msgspec.json.format(msgspec.json.encode(definition, order="sorted"), indent=2) + b"\n"


def read(folder: Path) -> Certificate:
    """The certificate of a dataset. Raises BadInput where there is none, where a byte differs, or the format is another."""
    file = folder / NAME
    try:
        record = sealing.sealed(file)
        if (version := record.get("format", 1)) != FORMAT:
            raise BadInput(f"{file}: format {version}; this pstgen reads format {FORMAT}; verify again")
        return msgspec.convert(record, Certificate)
    except OSError as error:
        raise BadInput(f"{file}: {error.strerror}; pstgen verify {folder} writes it") from None
    except msgspec.ValidationError as error:
        raise BadInput(f"{file}: not a certificate of this version: {error}; verify again") from None


def certify(
    dataset: Dataset, config: VerifyConfig, findings: Sequence[Finding], extra: Mapping[str, Check] = {}
) -> Certificate:
    """The certificate of a dataset. extra: checks, by name, that are no plug-ins."""
    ran = [finding.check for finding in findings if not finding.untested]
    anew = [name for name in ran if checks.works_out_anew(_check(name, extra))]
    numbers = {
        name: value
        for name in config.__struct_fields__
        if name not in LEFT_OUT and isinstance(value := getattr(config, name), (int, float))
    }
    return Certificate(
        format=FORMAT,
        pstgen=__version__,
        manifest=dataset.manifest.seal,
        sound=all(finding.sound for finding in findings),
        says=claim(findings),
        anew=anew,
        tested=[name for name in ran if name not in anew],
        not_tested=[finding.check for finding in untested(findings)],
        on_trust=list(trust.taken_on_trust(dataset, findings)),
        thresholds=numbers,
        tried=tried(findings, extra),
        proven=proven(findings, extra),
        not_proven=not_proven(findings),
        findings=list(findings),
    )


def claim(findings: Sequence[Finding]) -> str:
    """What the certificate claims, in words; of the labels only what an audit supports."""
    audit = next((finding.audit for finding in findings if finding.audit), None)
    if audit is None:
        return CLAIM.format(audit="they are not audited: no person has looked at them")
    wrong = audit.labels.wrong
    return CLAIM.format(
        audit=f"{wrong.total:,} were audited by {audit.auditors}: {wrong.share:.1%} of those are wrong, "
        f"of all, by the upper bound, at most {wrong.high:.1%}"
    )


def tried(findings: Sequence[Finding], extra: Mapping[str, Check] = {}) -> dict[str, str]:
    """What each check asks and each attacker does, in the words of their own files."""
    questions = {finding.check: _first_line(_check(finding.check, extra)) for finding in findings}
    names = [result.attacker for finding in findings for result in finding.attacks]
    return questions | {f"attackers/{name}": _first_line(attackers.load(name)) for name in names}


def proven(findings: Sequence[Finding], extra: Mapping[str, Check] = {}) -> list[str]:
    """What follows from each check that ran and is sound, in the words of its own file."""
    sound = [finding.check for finding in findings if finding.state == "sound"]
    return [statement for name in sound if (statement := checks.proves(_check(name, extra)))]


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


def verdict(findings: Sequence[Finding]) -> str:
    """Sound or not, and how many of the checks ran, in one line."""
    wrong = ", ".join(finding.check for finding in findings if not finding.sound)
    if wrong in FIRST and len(findings) <= len(FIRST):
        return f"NOT SOUND ({wrong}); as its files are not what they must be, no other check ran"
    return f"NOT SOUND ({wrong}); {ran(findings)}" if wrong else f"sound; {ran(findings)}"


def _check(name: str, extra: Mapping[str, Check]) -> Check:
    return extra[name] if name in extra else checks.load(name)


def _first_line(plugin: object) -> str:
    """The first line of a plug-in's docstring."""
    return (plugin.__doc__ or "").strip().partition("\n")[0]
