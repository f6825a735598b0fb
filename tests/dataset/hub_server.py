"""A server that plays so much of the hub's API as an upload uses, and remembers what it was sent."""

import base64
import json
import threading
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer


class Hub(ThreadingHTTPServer):
    """requests: method and path. created: what was asked of a new repository. files: by name. tags. token: of every request.

    status: what it answers to the creation of a repository.
    """

    def __init__(self, status=200):
        super().__init__(("127.0.0.1", 0), Handler)
        self.status, self.created, self.files, self.tags, self.tokens, self.requests = status, [], {}, [], set(), []

    @property
    def address(self):
        return f"http://127.0.0.1:{self.server_port}"

    def answer(self, path, body):
        """The status and the JSON of an answer."""
        if path.endswith("/repos/create"):
            self.created.append(json.loads(body))
            return self.status, {"url": f"{self.address}/datasets/anna/pst", "error": "as the test has it"}
        if "/preupload/" in path:
            names = [file["path"] for file in json.loads(body)["files"]]
            return 200, {"files": [{"path": name, "uploadMode": "regular", "shouldIgnore": False} for name in names]}
        if "/commit/" in path:
            lines = [json.loads(line) for line in body.decode().splitlines()]
            files = [line["value"] for line in lines if line["key"] == "file"]
            self.files |= {file["path"]: base64.b64decode(file["content"]) for file in files}
            commit = "0" * 40
            return 200, {"commitOid": commit, "commitUrl": f"{self.address}/datasets/anna/pst/commit/{commit}"}
        if "/tag/" in path:
            self.tags.append(json.loads(body)["tag"])
        return 200, {}


class Handler(BaseHTTPRequestHandler):
    def do_POST(self):
        body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        self.server.requests.append((self.command, self.path))
        self.server.tokens.add(self.headers.get("Authorization"))
        status, answer = self.server.answer(self.path, body)
        content = json.dumps(answer).encode()
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        self.wfile.write(content)

    def log_message(self, *_):
        pass


@contextmanager
def running(status=200):
    """The server, as long as the block lasts."""
    with Hub(status) as server:
        thread = threading.Thread(target=server.serve_forever, args=(0.01,))
        thread.start()
        try:
            yield server
        finally:
            server.shutdown()
            thread.join()
