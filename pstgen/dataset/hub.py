"""Uploading a set to Hugging Face's hub, or to a server that has its API.

The token is the one that the hub's own library finds: $HF_TOKEN, or what `hf auth login` has saved. Source: `HfApi` of
huggingface_hub 1 and later. `upload_large_folder` is not used: it writes a folder of its own into the set.
"""

import re
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import NamedTuple

from pstgen.core.records import BadInput, Unavailable

ENDPOINT = "https://huggingface.co"
NAME = re.compile(r"[A-Za-z0-9](?:[\w.-]*[A-Za-z0-9])?/[A-Za-z0-9](?:[\w.-]*[A-Za-z0-9])?")
REFUSED = {
    401: "does not accept the token; hf auth login saves another, or set HF_TOKEN",
    403: "does not let this token write there; name a USER or organization that it may write for, with a token of the kind write",
    404: "has no such place; is the USER or organization right, and may the token write there?",
    409: "has a set of that name already; --update adds this one to it as a new version, or name another",
    413: "does not take files as large as these",
    429: "takes no more requests for now; wait, and type the same again",
}
NETWORK = {"TransportError", "RequestError"}  # of httpx and its successor, by name, as neither is an OSError
USERS = {401, 403, 404, 409}  # of these the user can mend what was typed or saved


def address(repo: str, endpoint: str | None) -> str:
    """Where the set will be found. Raises BadInput where the name is not USER/NAME.

    >>> address("anna/pst", None)
    'https://huggingface.co/datasets/anna/pst'
    """
    if not NAME.fullmatch(repo) or ".." in repo or "--" in repo or len(repo) > 96:
        raise BadInput(f"--push {repo!r}: type USER/NAME: letters, digits, - _ and . in each, as the hub has it")
    return f"{(endpoint or ENDPOINT).rstrip('/')}/datasets/{repo}"


def token() -> str:
    """The user's token. Raises BadInput where there is none, Unavailable where the hub's library is not installed."""
    try:
        from huggingface_hub import get_token
    except ImportError:
        raise Unavailable("the hub's library is missing: pip install huggingface_hub") from None
    if not (found := get_token()):
        raise BadInput("there is no token of the hub's: hf auth login saves one, or set HF_TOKEN")
    return found


class Place(NamedTuple):
    """Where a set goes. repo: USER/NAME. endpoint: of another server. update: add to a repository that is there."""

    repo: str
    endpoint: str | None = None
    private: bool = False
    update: bool = False

    @property
    def url(self) -> str:
        """Where the set will be found. Raises BadInput where the name is not USER/NAME."""
        return address(self.repo, self.endpoint)


def push(folder: Path, place: Place, files: Sequence[str], tag: str) -> str:
    """Create the repository, upload these files of the folder, and tag what was uploaded; returns its address.

    files: by their names from the folder; what a repository has beyond them stays. tag: "v1.0.0". Raises BadInput where the
    server refuses the name or the token, Unavailable where it cannot be reached or fails.
    """
    url, secret = place.url, token()
    from huggingface_hub import HfApi

    api = HfApi(endpoint=place.endpoint or ENDPOINT, token=secret)
    with plainly(url):
        api.create_repo(place.repo, repo_type="dataset", private=place.private or None, exist_ok=place.update)
        api.upload_folder(
            repo_id=place.repo,
            repo_type="dataset",
            folder_path=folder,
            allow_patterns=list(files),
            commit_message=f"Perception Stress Test {tag}",
        )
        api.create_tag(place.repo, tag=tag, repo_type="dataset", exist_ok=place.update)
    return url


def be_quiet() -> None:
    """Let the hub's library show no progress."""
    from huggingface_hub import utils

    utils.disable_progress_bars()  # type: ignore[attr-defined]


@contextmanager
def plainly(url: str) -> Iterator[None]:
    """Raise BadInput or Unavailable, in one line that names the address, for what the hub's library raises."""
    from huggingface_hub import errors

    try:
        yield
    except errors.HfHubHTTPError as error:
        status = error.response.status_code
        said = REFUSED.get(status) or f"failed: {_first_line(error.server_message or str(error))}"
        kind = BadInput if status in USERS else Unavailable
        raise kind(f"{url}: the server {said} (HTTP {status})") from error
    except errors.HFValidationError as error:
        raise BadInput(f"{url}: {_first_line(str(error))}") from error
    except errors.OfflineModeIsEnabled as error:
        raise Unavailable(f"{url}: HF_HUB_OFFLINE is set, so nothing is uploaded; unset it") from error
    except ValueError as error:  # of the card's header, which the server looks at before anything is uploaded
        raise BadInput(f"{url}: {_first_line(str(error))}") from error
    except Exception as error:
        if isinstance(error, OSError) or {kind.__name__ for kind in type(error).__mro__} & NETWORK:
            raise Unavailable(f"{url}: cannot be reached: {_first_line(str(error))}; try again later") from error
        raise


def _first_line(text: str) -> str:
    return (text.strip().splitlines() or ["no reason was given"])[0]
