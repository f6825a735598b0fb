"""An OpenAI-compatible server on this machine that answers as told, and fails in every way when told so."""

import json
import os
import socket
import struct
import threading
import time
from collections import deque
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer


@dataclass
class Server:
    """faults: what happens to the next questions, one each; then they are answered by `answer(text)` after `delay(text)` seconds."""

    url: str = ""
    asked: list = field(default_factory=list)  # bodies of the questions
    headers: list = field(default_factory=list)  # of all requests
    paths: list = field(default_factory=list)  # of all requests
    times: list = field(default_factory=list)  # when all requests came
    faults: deque = field(default_factory=deque)
    listed: dict | None = field(
        default_factory=lambda: {"A": -0.5, " B": -1.5, "The": -3.0}
    )  # None: logprobs are ignored
    refused: tuple = ()  # fields that are a status 400
    most_logprobs: int = 20
    model: dict | int = field(
        default_factory=lambda: {"id": "tiny", "root": "/models/tiny", "created": 1}
    )  # an int: an error
    sees: bool = True  # False: images are ignored
    usage: dict | None = field(default_factory=lambda: {"prompt_tokens": 100, "completion_tokens": 10})
    answer: object = staticmethod(lambda text: f"answer to {text}")
    delay: object = staticmethod(lambda text: 0)  # noqa: ARG005
    at_once: int = 0  # questions that are being answered
    most_at_once: int = 0


def text_of(body):
    """The words of a question."""
    content = body["messages"][0]["content"]
    return content if isinstance(content, str) else content[-1]["text"]


def image_of(body):
    """The data URI of a question, or None."""
    content = body["messages"][0]["content"]
    return None if isinstance(content, str) else content[0]["image_url"]["url"]


def completion(server, body):
    """What a sound server answers."""
    choice = {"index": 0, "message": {"role": "assistant", "content": server.answer(text_of(body))}}
    if body.get("logprobs") and server.listed is not None:
        top = [{"token": token, "logprob": value, "bytes": None} for token, value in server.listed.items()]
        choice["logprobs"] = {"content": [{"token": "A", "logprob": -0.5, "top_logprobs": top[: body["top_logprobs"]]}]}
    usage = server.usage and {**server.usage}
    if usage and server.sees and image_of(body):
        usage["prompt_tokens"] += 50
    return {"id": "x", "object": "chat.completion", "model": "tiny", "choices": [choice], "usage": usage}


def status(code, message="no", **headers):
    """An error in OpenAI's form."""
    return lambda handler: handler.send(code, {"error": {"message": message, "type": "t"}}, headers)


def raw(body, code=200, **headers):
    """These bytes as an answer."""
    return lambda handler: handler.send(code, body, headers)


def cut(handler):
    """The connection ends before a word."""
    handler.connection.shutdown(socket.SHUT_RDWR)


def reset(handler):
    """The connection is reset, without a goodbye."""
    handler.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    os.close(handler.connection.detach())


def cut_midway(handler):
    """The connection ends within the answer."""
    handler.wfile.write(b"HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\n{")
    cut(handler)


def drip(handler):
    """A byte now and then."""
    handler.wfile.write(b"HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\n")
    for _ in range(40):
        time.sleep(0.05)
        handler.wfile.write(b" ")


def hang(seconds):
    """Nothing for so long."""
    return lambda handler: time.sleep(seconds) or handler.close()


def echo(code):
    """What was sent as the key, in an error's message and in a header."""

    def answer(handler):
        said = handler.headers["Authorization"]
        handler.send(code, {"error": {"message": f"bad key {said}\nand more"}}, {"X-Echo": said})

    return answer


class Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def log_message(self, *_):
        pass

    def note(self):
        served = self.server.served
        served.headers.append(self.headers)
        served.paths.append(self.path)
        served.times.append(time.monotonic())
        return served

    def do_GET(self):
        served = self.note()
        if not isinstance(served.model, dict):
            return self.send(served.model, {"detail": "not you"})
        return self.send(200, {"object": "list", "data": [{"id": "other"}, served.model]})

    def do_POST(self):
        served = self.note()
        body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        served.asked.append(body)
        if served.faults:
            return served.faults.popleft()(self)
        refused = [name for name in served.refused if name in body]
        if refused or body.get("top_logprobs", 0) > served.most_logprobs:
            return self.send(400, {"error": {"message": f"cannot take {refused or 'so many'}"}})
        with served.lock:
            served.at_once += 1
            served.most_at_once = max(served.most_at_once, served.at_once)
        time.sleep(served.delay(text_of(body)))
        with served.lock:
            served.at_once -= 1
        return self.send(200, completion(served, body))

    def send(self, code, body, headers=()):
        body = body if isinstance(body, bytes) else json.dumps(body).encode()
        self.send_response(code)
        for name, value in {"Content-Length": str(len(body)), **dict(headers)}.items():
            self.send_header(name.replace("_", "-"), value)
        self.end_headers()
        self.wfile.write(body)

    def close(self):
        self.close_connection = True


class Quiet(ThreadingHTTPServer):
    daemon_threads = True
    block_on_close = False

    def handle_error(self, *_):
        pass


@contextmanager
def serve(**settings):
    """A running server."""
    with Quiet(("127.0.0.1", 0), Handler) as http:
        http.served = Server(url=f"http://127.0.0.1:{http.server_port}/v1", **settings)
        http.served.lock = threading.Lock()
        thread = threading.Thread(target=http.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)
        thread.start()
        try:
            yield http.served
        finally:
            http.shutdown()
            thread.join()
