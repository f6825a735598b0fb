"""A server is asked in order, within its limits, and whatever goes wrong is one line without a secret."""

import asyncio
import base64
import importlib.util
import io
import logging
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from pstgen.core.records import BadInput, Unavailable
from pstgen.models import asking
from pstgen.models.endpoint import Endpoint
from pstgen.models.endpoint_limits import Limits

KEY = "sk-very-secret-123"
LETTERS = [("A", "B", "C")]


def load(name):
    spec = importlib.util.spec_from_file_location(name, Path(__file__).with_name(f"{name}.py"))
    module = sys.modules[name] = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


faulty = load("faulty_server")


@pytest.fixture(autouse=True)
def short_pauses(monkeypatch):
    import openai._base_client

    monkeypatch.setattr(openai._base_client, "INITIAL_RETRY_DELAY", 0.01, raising=False)
    monkeypatch.setenv("OPENAI_API_KEY", KEY)


@pytest.fixture
def server():
    with faulty.serve() as served:
        yield served


def opened(server, *faults, **limits):
    """An endpoint that was probed; the faults come after."""
    endpoint = Endpoint(server.url, "tiny", Limits(**{"retries": 2, "timeout": 5, **limits}))
    endpoint.probe()
    server.faults.extend(faults)
    server.asked.clear()
    return endpoint


def ask(endpoint, *questions):
    return endpoint.generate(questions or ["?"], [None] * (len(questions) or 1), 8)


def refused(endpoint, *questions):
    """The one line."""
    with pytest.raises(Unavailable) as caught:
        ask(endpoint, *questions)
    line = str(caught.value)
    assert "\n" not in line
    assert caught.value.__context__ is None
    return line


def pixels_of(uri):
    head, _, coded = uri.partition(",")
    assert head == "data:image/png;base64"
    return np.asarray(Image.open(io.BytesIO(base64.b64decode(coded))))


def test_it_is_what_a_judge_can_ask(server):
    model: asking.Answering = opened(server)
    assert asking.default_way(model) == "letters"
    assert model.ways == ("letters", "generate")
    (scores,) = asking.ask(model, "letters", ["Is it?"], [("yes", "no")], [None])
    assert scores == pytest.approx((np.log(0.5),) * 2, abs=0.2)  # this server loves A whatever A is
    server.answer = lambda _: "Yes."
    assert asking.ask(model, "generate", ["Is it?"], [("yes", "no")], [None])[0][0] > -0.01


def test_answers_keep_the_order_of_the_questions_though_the_last_comes_first(server):
    server.delay = lambda text: 0.2 - int(text) / 100 if text.isdecimal() else 0
    endpoint = opened(server, concurrency=5)
    questions = [str(n) for n in range(20)]
    assert ask(endpoint, *questions) == [f"answer to {n}" for n in questions]
    assert server.most_at_once == 5
    assert [faulty.text_of(body) for body in server.asked[:5]] != questions[15:]


def test_a_question_is_greedy_and_says_how_long_its_answer_may_be(server):
    opened(server).generate(["?"], [None], 24)
    assert server.asked == [
        {"model": "tiny", "messages": [{"role": "user", "content": "?"}], "max_tokens": 24, "temperature": 0}
    ]


def test_a_letter_is_read_with_a_space_before_it_and_a_missing_one_is_less_likely_than_all_that_are_listed(server):
    server.listed = {" B": -0.5, "A": -1.5, "The": -3.0, "ĠA": -2.0, "AB": -0.1}
    (scores,) = opened(server).score(["?"], LETTERS, [None])
    assert scores == pytest.approx((np.logaddexp(-1.5, -2.0), -0.5, -4.0))
    (body,) = server.asked
    assert (body["max_tokens"], body["logprobs"], body["top_logprobs"]) == (1, True, 20)


def test_an_image_comes_first_and_has_the_same_pixels(server):
    image = np.random.default_rng(0).integers(0, 256, (30, 41, 3), np.uint8)
    opened(server).generate(["What?", "And?", "Blind?"], [image, image.copy(), None], 8)
    shown = {faulty.text_of(body): body for body in server.asked}
    assert [part["type"] for part in shown["What?"]["messages"][0]["content"]] == ["image_url", "text"]
    assert (pixels_of(faulty.image_of(shown["What?"])) == image).all()
    assert (pixels_of(faulty.image_of(shown["And?"])) == image).all()
    assert faulty.image_of(shown["Blind?"]) is None


@pytest.mark.parametrize(
    "fault",
    [
        faulty.status(429, **{"Retry-After": "0"}),
        faulty.status(429, **{"Retry-After": "0.05"}),
        faulty.status(500),
        faulty.status(503),
        faulty.cut,
        faulty.cut_midway,
        faulty.reset,
        faulty.raw(b"<html>busy</html>"),
        faulty.raw(b""),
        faulty.raw(b"\xff\xfe{"),
        faulty.raw(b'{"choices": []}'),
        faulty.raw(b'{"choices": [{"message": {"content": 7}}]}'),
        faulty.raw(b'{"error": {"message": "overloaded"}}'),
    ],
)
def test_what_may_pass_is_tried_again(server, fault):
    assert ask(opened(server, fault, fault)) == ["answer to ?"]
    assert len(server.asked) == 3


@pytest.mark.parametrize(
    ("fault", "said"),
    [
        (faulty.status(500, "out of memory\nat 0x7f"), "500 out of memory (after 3 tries)"),
        (faulty.status(429, "slow down", **{"Retry-After": "0.01"}), "429 slow down (after 3 tries)"),
        (faulty.raw(b'{"error": "dead"}', 503), "503 dead (after 3 tries)"),
        (faulty.raw(b"<h1>Bad\x1b[31m gateway</h1>\n<p>", 502), "502 <h1>Bad[31m gateway</h1> (after 3 tries)"),
        (faulty.status(400, "prompt too long" + "!" * 300), "400 prompt too long" + "!" * 181),
        (faulty.raw(b'{"detail": "no such model"}', 404), "404 no such model"),
        (faulty.raw(b"", 301, Location="http://127.0.0.1:1/elsewhere"), "301"),
        (faulty.cut, "Server disconnected without sending a response. (after 3 tries)"),
        (faulty.reset, "ReadError (after 3 tries)"),
    ],
)
def test_what_does_not_pass_is_one_line_with_the_address_and_the_servers_words(server, fault, said):
    assert refused(opened(server, *[fault] * 3)) == f"{server.url}: {said}"


@pytest.mark.parametrize("body", [b"<html>busy</html>", b'{"choices": []}', b'{"error": {"message": "busy"}}'])
def test_an_answer_that_stays_wrong_is_quoted(server, body):
    line = refused(opened(server, *[faulty.raw(body)] * 3))
    assert "200, but not what was asked for" in line
    assert "(after 3 tries)" in line


@pytest.mark.parametrize("fault", [faulty.hang(1), faulty.drip])
def test_a_server_that_is_too_slow_is_given_up(server, fault):
    start = time.monotonic()
    line = refused(opened(server, *[fault] * 2, timeout=0.3, retries=1))
    assert line == f"{server.url}: no answer within 0.3 s (after 2 tries)"
    assert time.monotonic() - start < 3


def test_a_server_that_is_not_there_is_one_line():
    with pytest.raises(Unavailable, match=r"^http://127.0.0.1:9/v1: All connection attempts failed \(after 2 tries\)$"):
        Endpoint("http://127.0.0.1:9/v1", "tiny").probe()


@pytest.mark.parametrize("host", ["[v1.x]", "xn--", "no-such-host.invalid"])
def test_a_host_that_cannot_be_one_is_one_line(host):
    with pytest.raises((BadInput, Unavailable)) as caught:
        Endpoint(f"http://me:hidden@{host}/v1", "tiny", Limits(retries=0)).probe()
    assert str(caught.value).startswith(f"http://{host}/v1: ")


def test_where_one_question_fails_the_others_have_ended_when_it_is_told(server):
    server.delay = lambda text: 5 if text == "slow" else 0
    endpoint = opened(server, concurrency=2)
    server.refused = ("top_k",)
    server.answer = lambda text: 7 if text == "bad" else text
    start = time.monotonic()
    assert "not what was asked for" in refused(endpoint, "slow", "bad", *["later"] * 20)
    assert time.monotonic() - start < 3
    assert len(server.asked) <= 4
    assert ask(endpoint, "next") == ["next"]  # and it can be asked again


def test_a_refusal_is_an_answer_for_the_parser(server):
    server.answer = lambda _: "I'm sorry, I can't help with that."
    assert ask(opened(server)) == ["I'm sorry, I can't help with that."]
    apart = b'{"choices": [{"message": {"content": null, "refusal": "No."}}]}'
    nothing = b'{"choices": [{"message": {"content": null, "reasoning_content": "Hm"}}]}'
    assert ask(opened(server, faulty.raw(apart))) == ["No."]
    assert ask(opened(server, faulty.raw(nothing))) == [""]


@pytest.mark.parametrize("settings", [{"listed": None}, {"refused": ("logprobs",)}, {"listed": {}}])
def test_a_server_without_log_probabilities_can_only_generate(settings):
    with faulty.serve(**settings) as server:
        endpoint = opened(server)
        assert (endpoint.offers_logprobs, endpoint.ways) == (False, ("generate",))
        assert ask(endpoint) == ["answer to ?"]
        with pytest.raises(Unavailable, match="offers no log-probabilities; use --ask generate"):
            endpoint.score(["?"], LETTERS, [None])


def test_as_many_log_probabilities_are_asked_for_as_the_server_takes():
    with faulty.serve(most_logprobs=5) as server:
        opened(server).score(["?"], LETTERS, [None])
        assert [body["top_logprobs"] for body in server.asked] == [5]


def test_log_probabilities_that_go_missing_are_no_answer(server):
    endpoint = opened(server)
    server.listed = None
    with pytest.raises(Unavailable, match="left out log-probabilities"):
        endpoint.score(["?"], LETTERS, [None])


@pytest.mark.parametrize(("settings", "reason"), [({"sees": False}, "no longer than without"), ({}, "400 text only")])
def test_a_server_that_does_not_look_is_not_asked_about_images(settings, reason):
    with faulty.serve(**settings) as server:
        if not settings:
            server.answer = lambda text: text
            server.faults.extend([lambda handler: handler.send(200, faulty.completion(server, server.asked[-1]))])
            server.faults.extend([faulty.status(400, "text only")])
        endpoint = Endpoint(server.url, "tiny")
        with pytest.raises(Unavailable, match=f"takes no images: .*{reason}"):
            endpoint.generate(["?"], [np.zeros((4, 4, 3), np.uint8)], 8)
        assert ask(endpoint)


def test_only_letters_are_scored(server):
    with pytest.raises(BadInput, match="--ask letters, or --ask generate"):
        opened(server).score(["?"], [("yes", "no")], [None])


def test_its_revision_is_what_the_server_says_of_the_model_and_stays():
    model = {"id": "tiny", "root": "/models/tiny", "created": 1, "parent": None, "permission": [{"id": "x"}]}
    with faulty.serve(model=model) as server:
        assert opened(server).revision == 'tiny {"id": "tiny", "root": "/models/tiny"}'
        server.model = {**server.model, "created": 2, "permission": []}
        assert opened(server).revision == 'tiny {"id": "tiny", "root": "/models/tiny"}'
        server.model = 404
        assert opened(server).revision == "tiny {}"


def test_a_key_that_is_not_taken_is_told_at_the_first_request():
    with faulty.serve(model=401) as server:
        with pytest.raises(Unavailable, match="401 not you"):
            Endpoint(server.url, "tiny").probe()
        assert server.paths == ["/v1/models"]


def test_a_list_of_models_that_breaks_is_no_reason_to_stop():
    with faulty.serve(model=500) as server:
        assert opened(server).revision == "tiny {}"


def test_no_more_requests_are_sent_than_allowed(server):
    endpoint = opened(server, faulty.status(500), max_requests=8)  # models, twice the probe, and five tries
    assert ask(endpoint, "1", "2", "3", "4")
    line = refused(endpoint, "5", "6")
    assert line.startswith(f"{server.url}: --max-requests 8 is reached: 8 requests, ")
    assert len(server.paths) == 8


def test_no_more_is_spent_than_allowed(server):
    endpoint = opened(server, max_cost=0.001, price_in=1, price_out=10)  # 0.0002 a question, 0.00025 with an image
    assert endpoint.spent.cost == pytest.approx(0.00045)
    assert ask(endpoint, "1", "2")
    line = refused(endpoint, *"345678")
    assert line.startswith(f"{server.url}: --max-cost 0.001 would be passed: ")
    assert line.endswith("a cost of 0.00085")
    assert endpoint.spent.cost <= 0.001
    server.usage = None
    with pytest.raises(Unavailable, match="does not say how many tokens"):
        opened(server, max_cost=1, price_in=1)


def test_no_more_requests_a_second_are_sent_than_allowed(server):
    endpoint = opened(server, faulty.status(500), per_second=40)
    ask(endpoint, *"123456789")
    times = server.times
    assert len(times) == 13
    assert all(sum(start <= t < start + 0.1 for t in times) <= 6 for start in times)  # 4, and what came late


def test_the_key_is_sent_and_never_shown(server, caplog, capfd):
    caplog.set_level(logging.DEBUG)
    endpoint = opened(server, *[faulty.echo(500)] * 3, faulty.echo(401))
    lines = [refused(endpoint), refused(endpoint)]
    assert lines[1] == f"{server.url}: 401 bad key Bearer [secret]"
    assert all(sent["Authorization"] == f"Bearer {KEY}" for sent in server.headers)
    seen = [*lines, caplog.text, *capfd.readouterr(), repr(endpoint), repr(endpoint.spent), endpoint.revision]
    assert not [text for text in [*seen, repr(endpoint._access)] if KEY in text]


def test_a_login_in_the_address_is_sent_and_never_shown(server, caplog, capfd):
    caplog.set_level(logging.DEBUG)
    login = "me:p%40ss-word"
    endpoint = Endpoint(server.url.replace("//", f"//{login}@"), "tiny", Limits(retries=0))
    revision = endpoint.revision
    server.faults.append(faulty.echo(403))
    line = refused(endpoint)
    assert line == f"{server.url}: 403 bad key Basic [secret]"
    coded = base64.b64encode(b"me:p@ss-word").decode()
    assert {sent["Authorization"] for sent in server.headers} == {f"Basic {coded}"}
    seen = "".join([line, revision, caplog.text, *capfd.readouterr(), repr(endpoint), repr(endpoint._access)])
    assert not [secret for secret in ("me:", "ss-word", coded) if secret in seen]


def test_a_server_that_needs_no_key_is_sent_a_word_instead(server, monkeypatch):
    monkeypatch.delenv("OPENAI_API_KEY")
    endpoint = opened(server, faulty.status(400, "none of it"))
    assert {sent["Authorization"] for sent in server.headers} == {"Bearer none"}
    assert refused(endpoint).endswith("400 none of it")


def test_it_can_be_asked_where_a_loop_already_runs(server):
    endpoint = opened(server)

    async def cell():
        return ask(endpoint)

    assert asyncio.run(cell()) == ["answer to ?"]


def test_without_openai_it_says_what_to_install(server, monkeypatch):
    monkeypatch.setitem(sys.modules, "openai", None)
    with pytest.raises(Unavailable, match=r"pip install 'pstgen\[endpoint\]'"):
        Endpoint(server.url, "tiny")


def test_an_interrupt_ends_it_at_once(server):
    server.delay = lambda text: 30 if text == "slow" else 0
    script = (
        "import sys; from pstgen.models.endpoint import Endpoint\n"
        f"Endpoint({server.url!r}, 'tiny').generate(['slow'] * 40, [None] * 40, 8)"
    )
    command = [sys.executable, "-X", "dev", "-W", "error::ResourceWarning", "-c", script]
    process = subprocess.Popen(command, stderr=subprocess.PIPE, text=True, env={**os.environ, "OMP_NUM_THREADS": "1"})
    try:
        deadline = time.monotonic() + 60
        while len(server.asked) < 10 and time.monotonic() < deadline:
            time.sleep(0.02)
        start = time.monotonic()
        process.send_signal(signal.SIGINT)
        _, errors = process.communicate(timeout=60)
    finally:
        process.kill()
    assert time.monotonic() - start < 25  # a request takes 30
    assert errors.strip().endswith("KeyboardInterrupt")
    assert "Warning" not in errors
    assert len(server.asked) == 10  # the probe's two and eight at once
