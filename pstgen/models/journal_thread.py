"""A journal beside a judge: a thread reads what is known of the next batch and writes what was said of the last one, while the judge is at work."""

from collections.abc import Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from typing import Self

from pstgen.models.journal import Journal, Logprobs


class JournalThread:
    """Looks up one batch ahead and writes one behind. What the journal raises, the next call raises."""

    def __init__(self, journal: Journal) -> None:
        self._journal = journal
        self._thread = ThreadPoolExecutor(1, "journal")
        self._found: Future[dict[str, Logprobs]] = Future()
        self._kept: Future[None] | None = None
        self._since: dict[str, Logprobs] = {}

    def look_up(self, keys: Sequence[str]) -> None:
        """Begin to look up these keys."""
        self._since = {}
        self._found = self._thread.submit(self._journal.known, keys)

    def known(self) -> dict[str, Logprobs]:
        """What was looked up last, and whatever has been kept since."""
        return self._found.result() | self._since

    def keep(self, verdicts: Mapping[str, Logprobs], failed: Mapping[str, tuple[str, str]]) -> None:
        """Begin to write this, when what came before it is written."""
        self.flush()
        self._since.update(verdicts)
        self._kept = self._thread.submit(self._journal.keep, verdicts, failed)

    def flush(self) -> None:
        """Wait until all is written."""
        if self._kept:
            self._kept.result()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._thread.shutdown()
        self.flush()
