"""THE SECOND ROAD, from a finished dataset to its certificate: checks, pages, and on request the same set built again."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, ClassVar

import msgspec

from pstgen.build import build
from pstgen.core import plugins, scratch
from pstgen.core.callable_module import make_callable
from pstgen.core.config import RebuildConfig, VerifyConfig, read
from pstgen.core.progress import Progress, silent
from pstgen.dataset import sealing, store
from pstgen.dataset.store import Dataset
from pstgen.verification import certificate, certificate_page, checks, rebuild
from pstgen.verification.checks import Check, first_problems
from pstgen.verification.findings import Finding


def verify(config: VerifyConfig, progress: Progress = silent, extra: Mapping[str, Check] = {}) -> tuple[Finding, ...]:
    """Examine a dataset and write its certificate.

    Files and manifest come first: where they are not what they must be, no other check runs, and an older certificate stays
    as it is; then what can be worked out anew, then what is looked for. extra: further checks, by name, that come last. Raises BadInput where there is no dataset, Unavailable where
    the certificate cannot be written.
    """
    dataset = store.open(config.folder)
    ours = {name: checks.load(name) for name in plugins.names("checks")}
    others = sorted(
        ours.keys() - set(certificate.FIRST), key=lambda name: (not checks.works_out_anew(ours[name]), name)
    )
    run = {**{name: ours[name] for name in (*certificate.FIRST, *others)}, **extra}
    progress.plan([(f"checking {name}", checks.seconds(check)) for name, check in run.items()])
    findings: list[Finding] = []
    for name, check in run.items():
        progress.reach(f"checking {name}", 0, 1)
        if name in certificate.FIRST or checks.applies(check, dataset):
            findings.append(check.examine(dataset, config))
        progress.reach(f"checking {name}", 1, 1)
        if name in certificate.FIRST and not findings[-1].sound:
            return tuple(findings)
    _write(dataset, config, findings, extra)
    return tuple(findings)


def from_folder(folder: str | Path, progress: Progress = silent, **settings: Any) -> tuple[Finding, ...]:
    """Verify a stress test as `pstgen verify` does: `pstgen.verify("pst/")`.

    settings: the command's options. Raises what `verify` raises.
    """
    return verify(read(None, settings | {"folder": folder}, VerifyConfig), progress)


@dataclass(frozen=True, slots=True)
class Rebuild:
    """Does a build from the manifest give the same bytes again?

    A check that builds what the manifest says into a folder that does not outlast it, and compares file by file. Verdicts
    of models that are in this machine's cache are not computed again. here: what lies elsewhere on every machine.
    """

    here: RebuildConfig
    progress: Progress = silent

    ANEW: ClassVar[bool] = True
    PROVES: ClassVar[str] = "Built again from the manifest, the set is the same to the byte."
    SECONDS: ClassVar[float] = 80.0

    def examine(self, dataset: Dataset, config: VerifyConfig, /) -> Finding:  # noqa: ARG002
        """Name every file that differs. Raises BadInput where the manifest names what `here` does not."""
        with scratch.folder("pstgen-") as work:
            out = work / "pst"
            build(rebuild.settings(dataset.manifest, self.here, out), self.progress)
            problems = list(rebuild.differences(dataset.manifest, store.open(out).manifest))
        same = "not all the same" if problems else "the same to the byte"
        summary = f"{len(dataset.manifest.files) + 1} files built again, {same}"
        return Finding(check="rebuild", summary=summary, problems=first_problems(problems))


def _write(dataset: Dataset, config: VerifyConfig, findings: Sequence[Finding], extra: Mapping[str, Check]) -> None:
    """Write certificate.html, then certificate.json, which holds the hash of all that was written beside it."""
    issued = certificate.certify(dataset, config, findings, extra)
    page = certificate_page.page(issued, dataset.manifest.origin)
    scratch.put(dataset.folder / certificate.PAGE, page.encode())
    written = {name: path for name in certificate.WRITTEN if (path := dataset.folder / name).is_file()}
    files = {name: sealing.hashed(path) for name, path in written.items()}
    scratch.put(dataset.folder / certificate.NAME, sealing.canonical(msgspec.structs.replace(issued, files=files)))


make_callable(__name__, from_folder)
