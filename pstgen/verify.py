"""THE SECOND ROAD, from a finished dataset to its certificate: checks, pages, and on request the same set built again."""

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from tempfile import TemporaryDirectory

import msgspec

from pstgen import __version__, build
from pstgen.core import plugins
from pstgen.core.config import RebuildConfig, VerifyConfig
from pstgen.core.progress import Progress, silent
from pstgen.core.records import Finding
from pstgen.dataset import store
from pstgen.dataset.store import Dataset
from pstgen.verification import certificate, certificate_page
from pstgen.verification import rebuild as reproduce
from pstgen.verification.certificate import Certificate
from pstgen.verification.checks import some

FIRST = "integrity"
SECONDS = {"attackers": 40.0, "labels": 20.0, "targets": 10.0, "image_probe": 5.0, "edited_probe": 5.0, "rebuild": 80.0}
SAYS = (
    "Labels were recomputed from the annotations in the set; {audit}. "
    "Pairs were checked by construction: twins share every byte of text, so no function of the text alone can win a pair."
)


def says(findings: Sequence[Finding]) -> str:
    """What the certificate claims, in words; of the labels only what an audit supports."""
    of = next((finding.figures for finding in findings if "audited" in finding.figures), None)
    if of is None:
        return SAYS.format(audit="they are not audited: no person has looked at them")
    people = "one person" if of["people"] == 1 else f"{of['people']:.0f} people"
    wrong = f"{of['wrong/share']:.1%} of those are wrong, of all, by the upper bound, at most {of['wrong/high']:.1%}"
    return SAYS.format(audit=f"{of['audited']:,.0f} were audited by {people}: {wrong}")


def verdict(findings: Sequence[Finding]) -> str:
    """Sound or not, and how many of the checks ran, in one line."""
    wrong = ", ".join(finding.check for finding in findings if not finding.sound)
    if wrong == FIRST and len(findings) == 1:
        return f"NOT SOUND ({FIRST}); as its bytes are not those that were built, no other check ran"
    return f"NOT SOUND ({wrong}); {certificate.ran(findings)}" if wrong else f"sound; {certificate.ran(findings)}"


def verify(
    config: VerifyConfig,
    progress: Progress = silent,
    more: Mapping[str, Callable[[Dataset], Finding]] = {},
) -> tuple[Finding, ...]:
    """Examine a dataset and write its certificate.

    Bytes come first: where they are not what the manifest says, nothing else is asked of them, and an older
    certificate stays as it is. more: further checks, by name, that come last. Raises BadInput where there is no dataset,
    Unavailable where the certificate cannot be written.
    """
    dataset = store.open(config.folder)
    names = (FIRST, *(name for name in plugins.names("checks") if name != FIRST), *more)
    progress.plan([(f"checking {name}", SECONDS.get(name, 1.0)) for name in names])
    findings: list[Finding] = []
    for name in names:
        progress.reach(f"checking {name}", 0, 1)
        findings.append(more[name](dataset) if name in more else plugins.load("checks", name).examine(dataset, config))
        progress.reach(f"checking {name}", 1, 1)
        if not findings[0].sound:
            return tuple(findings)
    _write(dataset, config, findings)
    return tuple(findings)


def rebuild(dataset: Dataset, here: RebuildConfig, progress: Progress = silent) -> Finding:
    """Build what the manifest tells into a folder that does not outlast this, and compare it file by file.

    Verdicts of models that this machine has in its cache are not asked for again. Raises BadInput where the manifest
    names what `here` does not.
    """
    with TemporaryDirectory(prefix="pstgen-") as work:
        out = Path(work) / "pst"
        build.build(reproduce.settings(dataset.manifest, here, out), progress)
        problems = list(reproduce.differences(dataset.manifest, store.open(out).manifest))
    summary = f"{len(dataset.manifest.files) + 1} files built again, " + (
        "not all the same" if problems else "the same to the byte"
    )
    return Finding(check="rebuild", summary=summary, problems=some(problems))


def _write(dataset: Dataset, config: VerifyConfig, findings: Sequence[Finding]) -> None:
    """Write certificate.html, then certificate.json, which holds the hash of all that was written beside it."""
    numbers = {
        name: value for name in config.__struct_fields__ if isinstance(value := getattr(config, name), (int, float))
    }
    told = Certificate(
        pstgen=__version__,
        manifest=dataset.manifest.seal,
        sound=all(finding.sound for finding in findings),
        says=says(findings),
        thresholds=numbers,
        tried=certificate.tried(findings),
        proven=certificate.proven(findings),
        not_proven=certificate.not_proven(findings),
        findings=list(findings),
    )
    page = certificate_page.page(told, dataset.manifest.origin)
    store.put(dataset.folder / certificate.PAGE, page.encode())
    written = {name: path for name in certificate.WRITTEN if (path := dataset.folder / name).is_file()}
    files = {name: store.hashed(path) for name, path in written.items()}
    store.put(dataset.folder / certificate.NAME, store.canonical(msgspec.structs.replace(told, files=files)))
