"""The audit page: people judge labels, one after the other, in a browser on this machine."""

import getpass
import webbrowser
from collections.abc import Callable
from contextlib import suppress

from pstgen.core.config import AuditConfig
from pstgen.core.progress import Progress, silent
from pstgen.core.records import BadInput
from pstgen.dataset import store
from pstgen.verification.audit import sample
from pstgen.verification.audit.server import Server
from pstgen.verification.audit.session import Session


def begin(config: AuditConfig, progress: Progress = silent) -> Session:
    """Draw the sample and take up the auditor's earlier verdicts.

    Raises BadInput where there is no dataset or nothing to audit, Unavailable where verdicts cannot be written.
    """
    dataset = store.open(config.folder)
    names = sample.draw(dataset.items(), config.n, config.seed)
    if not names:
        raise BadInput(f"{config.folder}: holds no pair to audit")
    pairs = sample.pictures(names, progress(dataset.rows(), "opening", dataset.manifest.items))
    who = config.who or getpass.getuser()
    return Session(pairs, config.folder, who, config.seed, dataset.manifest.seal)


def serve(session: Session, config: AuditConfig, announce: Callable[[str], None]) -> None:
    """Serve the page until Ctrl-C; `announce` gets its address. Raises Unavailable where the port is taken."""
    with Server(session, config.port) as server:
        announce(server.address)
        if config.browser:
            webbrowser.open(server.address)
        with suppress(KeyboardInterrupt):
            server.serve_forever()
