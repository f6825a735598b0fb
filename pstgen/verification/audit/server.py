"""The audit page on loopback, for one browser of this machine: without the secret in the address there is no answer.

Another site that a browser has open cannot reach it either: requests that name a foreign host or come from a foreign
origin are refused, and nothing is looked up on the disk by a name that a request brings.
"""

import secrets
import sys
from collections.abc import Callable
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from importlib.resources import files
from typing import Any, Literal

import msgspec

from pstgen.core.records import BadInput, Unavailable
from pstgen.verification.annotations import Rating
from pstgen.verification.audit.session import Session

MAX_BYTES = 1024  # of a request's body
TIMEOUT = 30  # seconds that a silent connection is kept
STATIC = {"": "page.html", "page.js": "page.js", "page.css": "page.css"}
TYPES = {"html": "text/html; charset=utf-8", "js": "text/javascript; charset=utf-8", "css": "text/css; charset=utf-8"}
JSON = "application/json"
HEADERS = {
    "Content-Security-Policy": "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; "
    "connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'",
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Cache-Control": "no-store",
}


class VerdictRequest(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The body of a request: a verdict on an item, or "undo" of the last one."""

    verdict: Rating | Literal["undo"]
    item: str = ""


class Refused(Exception):
    """A request that gets no answer but this status and line."""

    def __init__(self, status: HTTPStatus, why: str) -> None:
        super().__init__(why)
        self.status = status


class Server(ThreadingHTTPServer):
    """Listens on 127.0.0.1 at `port` (0: any free one). Raises Unavailable where the port is taken."""

    daemon_threads = True

    def __init__(self, session: Session, port: int) -> None:
        self.session, self.token = session, secrets.token_urlsafe(16)
        try:
            super().__init__(("127.0.0.1", port), Handler)
        except OSError as error:
            raise Unavailable(f"port {port}: {error.strerror}; name another --port, or 0 for a free one") from error
        self.hosts = {f"{name}:{self.server_port}" for name in ("127.0.0.1", "localhost")}

    def handle_error(self, request: Any, client_address: Any) -> None:
        """Stay silent where a browser went away in the middle of an answer."""
        if not isinstance(sys.exception(), ConnectionError):
            super().handle_error(request, client_address)

    @property
    def address(self) -> str:
        """What to open, the secret in it."""
        return f"http://127.0.0.1:{self.server_port}/{self.token}/"


class Handler(BaseHTTPRequestHandler):
    """Answers one connection."""

    server: Server
    server_version, sys_version = "pstgen", ""
    protocol_version = "HTTP/1.1"
    timeout = TIMEOUT

    def do_GET(self) -> None:
        """Give the page, its pictures, or where the audit stands."""
        self._answer(self._get)

    def do_POST(self) -> None:
        """Take a verdict, or take one back."""
        self._answer(self._post)

    def _answer(self, answer: Callable[[str], tuple[str, bytes]]) -> None:
        status = HTTPStatus.OK
        try:
            kind, body = answer(self._admitted())
        except (Refused, BadInput, Unavailable) as error:
            status = error.status if isinstance(error, Refused) else HTTPStatus.CONFLICT
            kind, body = "text/plain; charset=utf-8", f"{error}\n".encode()
            self.close_connection = True  # a body may be left unread
        self.send_response(status)
        self.send_header("Content-Type", kind)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def _admitted(self) -> str:
        """The path below the secret, of a request that is ours."""
        if self.headers.get_all("Host", []) not in [[host] for host in self.server.hosts]:
            raise Refused(HTTPStatus.MISDIRECTED_REQUEST, "the request names another host")
        origins = {f"http://{host}" for host in self.server.hosts}
        if any(origin not in origins for origin in self.headers.get_all("Origin", [])):
            raise Refused(HTTPStatus.FORBIDDEN, "the request comes from another origin")
        if any(site not in {"same-origin", "none"} for site in self.headers.get_all("Sec-Fetch-Site", [])):
            raise Refused(HTTPStatus.FORBIDDEN, "the request comes from another site")
        _, token, path = [*self.path.split("/", 2), "", ""][:3]
        if not secrets.compare_digest(token.encode(), self.server.token.encode()):
            raise Refused(HTTPStatus.NOT_FOUND, "open the address that pstgen audit printed")
        return path

    def _get(self, path: str) -> tuple[str, bytes]:
        if path in STATIC:
            name = STATIC[path]
            return TYPES[name.rpartition(".")[2]], files("pstgen.verification.audit").joinpath(name).read_bytes()
        if path == "start":
            return JSON, msgspec.json.encode(self.server.session.start())
        kind, _, item = path.partition("/")
        picture = self.server.session.pictures.get(item)
        if picture and kind == "image":
            return picture.image_type, picture.image
        if picture and picture.overlay and kind == "overlay":
            return "image/png", picture.overlay
        raise Refused(HTTPStatus.NOT_FOUND, "nothing here")

    def _post(self, path: str) -> tuple[str, bytes]:
        if path != "verdict":
            raise Refused(HTTPStatus.NOT_FOUND, "nothing here")
        request, session = self._verdict_request(), self.server.session
        state = session.undo() if request.verdict == "undo" else session.judge(request.item, request.verdict)
        return JSON, msgspec.json.encode(state)

    def _verdict_request(self) -> VerdictRequest:
        if self.headers.get("Content-Type") != JSON:
            raise Refused(HTTPStatus.UNSUPPORTED_MEDIA_TYPE, f"only {JSON} is taken")
        length = self.headers.get("Content-Length", "")
        if not (length.isascii() and length.isdigit()):
            raise Refused(HTTPStatus.LENGTH_REQUIRED, "Content-Length is needed")
        if len(length) > len(str(MAX_BYTES)) or int(length) > MAX_BYTES:
            raise Refused(HTTPStatus.REQUEST_ENTITY_TOO_LARGE, f"more than {MAX_BYTES} bytes")
        try:
            return msgspec.json.decode(self.rfile.read(int(length)), type=VerdictRequest)
        except (msgspec.DecodeError, UnicodeDecodeError) as error:
            raise Refused(HTTPStatus.BAD_REQUEST, f"not a verdict: {error}") from None

    def end_headers(self) -> None:
        """Every answer, errors of the standard library's too, says what a browser may do with it."""
        for name, value in HEADERS.items():
            self.send_header(name, value)
        if self.close_connection:
            self.send_header("Connection", "close")
        super().end_headers()

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002
        """Say nothing: the address holds the secret."""
