"""Where a server is and what lets one in; what lets one in is only ever sent, never shown."""

import base64
import os
from dataclasses import dataclass, field
from urllib.parse import unquote, urlsplit

from pstgen.core.records import BadInput

NO_KEY = "none"  # what a server is sent as a key where there is none


@dataclass(frozen=True, kw_only=True)
class Access:
    """An address without its user:password, which is sent instead of the key where there is one."""

    url: str
    key: str = field(repr=False)
    login: str = field(repr=False)

    @property
    def headers(self) -> dict[str, str]:
        """What is sent beside, or instead of, the key."""
        return {"Authorization": f"Basic {self._coded}"} if self.login else {}

    def redacted(self, text: str) -> str:
        """A server's words without the secrets that it echoes."""
        secrets = {self.login, self.login.partition(":")[2], self._coded, self.key} - {"", NO_KEY}
        for secret in sorted(secrets, key=len, reverse=True):
            text = text.replace(secret, "[secret]")
        return text

    @property
    def _coded(self) -> str:
        return base64.b64encode(self.login.encode()).decode()


def access(url: str, key_variable: str) -> Access:
    """Read an address and the environment. Raises BadInput, without a secret, where they are no address and no key.

    >>> access("http://me:secret@127.0.0.1:8000/v1/", "NO_SUCH_VARIABLE")
    Access(url='http://127.0.0.1:8000/v1')
    """
    try:
        parts = urlsplit(url)
        plain = url.isascii() and url.isprintable() and not set(url) & set(" ?#")
        good = plain and parts.scheme in {"http", "https"} and parts.hostname and parts.port != 0
    except ValueError:
        good = False
    if not good:
        raise BadInput(f"{url.rpartition('@')[2]}: not a server's address; one looks like http://127.0.0.1:8000/v1")
    key = os.environ.get(key_variable, "").strip() or NO_KEY
    if not key.isascii() or not key.isprintable() or " " in key:
        raise BadInput(f"{key_variable}: has characters that no key has")
    login, _, place = parts.netloc.rpartition("@")
    bare = parts._replace(netloc=place, path=parts.path.rstrip("/")).geturl()
    return Access(url=bare, key=key, login=unquote(login))
