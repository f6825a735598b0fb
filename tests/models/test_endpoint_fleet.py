"""Several servers share the requests, one that dies is replaced by the others, and the verdicts do not tell who answered."""

import importlib.util
import sys
import time
from contextlib import ExitStack
from pathlib import Path

import pytest

from pstgen.core.config import build_config
from pstgen.core.records import BadInput, Unavailable
from pstgen.models import asking, endpoint_fleet
from pstgen.models.endpoint import Endpoint
from pstgen.models.endpoint_fleet import Fleet
from pstgen.models.endpoint_limits import LimitReached, Limits
from pstgen.models.judges import endpoint as opener


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
    monkeypatch.delenv("OPENAI_API_KEY", raising=False)


@pytest.fixture
def servers():
    with ExitStack() as stack:
        yield [stack.enter_context(faulty.serve()) for _ in range(3)]


def opened(servers, **limits):
    """A fleet that was probed; the counts begin after."""
    fleet = Fleet([server.url for server in servers], "tiny", Limits(**{"timeout": 5, **limits}))
    fleet.probe()
    for server in servers:
        server.asked.clear()
    return fleet


def ask(fleet, count):
    return fleet.generate([str(n) for n in range(count)], [None] * count, 8)


def counts(servers):
    return [len(server.asked) for server in servers]


def die(server):
    """Every request from now on ends with its connection."""
    server.faults.extend([faulty.cut] * 1000)


def test_it_is_what_a_judge_can_ask_and_is_named_like_one_server(servers):
    model: asking.Answering = opened(servers)
    one = Endpoint(servers[0].url, "tiny")
    assert (model.revision, model.url, model.ways) == (one.revision, one.url, one.ways)
    assert asking.ask(model, "letters", ["Is it?"], [("yes", "no")], [None]) == asking.ask(
        one, "letters", ["Is it?"], [("yes", "no")], [None]
    )


def test_requests_are_shared_evenly_and_answers_keep_the_order_of_the_questions(servers):
    for server in servers:
        server.delay = lambda text: 0.02 * (int(text) % 3) if text.isdecimal() else 0
    assert ask(opened(servers, concurrency=4), 60) == [f"answer to {n}" for n in range(60)]
    assert sum(counts(servers)) == 60
    assert min(counts(servers)) >= 15


def test_a_slow_server_gets_less(servers):
    servers[0].delay = lambda text: 0.5 if text.isdecimal() else 0
    fleet = opened(servers, concurrency=2)
    for _ in range(8):
        ask(fleet, 6)
    assert counts(servers)[0] <= min(counts(servers)[1:])


@pytest.mark.parametrize("fault", [faulty.cut, faulty.status(500), faulty.status(401), faulty.status(404)])
def test_what_a_dead_server_was_asked_the_others_answer_and_it_is_left_alone(servers, caplog, fault):
    fleet = opened(servers, concurrency=4)
    servers[1].faults.extend([fault] * 1000)
    assert ask(fleet, 30) == [f"answer to {n}" for n in range(30)]
    tried = counts(servers)[1]
    assert ask(fleet, 30) == [f"answer to {n}" for n in range(30)]
    assert counts(servers)[1] == tried
    (line,) = [record.message for record in caplog.records]
    assert line.startswith(servers[1].url)
    assert line.endswith("its requests go to the other servers")


def test_a_server_that_comes_back_is_asked_again_after_a_while(servers, monkeypatch):
    monkeypatch.setattr(endpoint_fleet, "REST", 0.2)
    fleet = opened(servers)
    die(servers[1])
    ask(fleet, 9)
    servers[1].faults.clear()
    servers[1].asked.clear()
    time.sleep(0.3)
    ask(fleet, 9)
    ask(fleet, 9)
    assert counts(servers)[1] >= 3


def test_a_server_that_comes_back_with_another_model_gets_no_question(servers, monkeypatch):
    monkeypatch.setattr(endpoint_fleet, "REST", 0.0)
    fleet = opened(servers)
    die(servers[1])
    ask(fleet, 9)
    servers[1].faults.clear()
    servers[1].asked.clear()
    servers[1].model = {"id": "tiny", "root": "/models/another"}
    ask(fleet, 9)
    assert not [body for body in servers[1].asked if faulty.text_of(body).isdecimal()]


def test_where_all_are_dead_each_ones_trouble_is_said(servers):
    fleet = opened(servers)
    for server in servers:
        die(server)
    with pytest.raises(Unavailable, match="none of 3 servers answers: ") as failed:
        ask(fleet, 1)
    assert all(server.url in str(failed.value) for server in servers)


def test_a_question_that_is_refused_is_refused_once(servers):
    fleet = opened(servers)
    for server in servers:
        server.faults.append(faulty.status(400, "too long"))
    with pytest.raises(Unavailable, match="400 too long"):
        ask(fleet, 1)
    assert sum(counts(servers)) == 1


def test_a_limit_is_kept_by_all_together(servers):
    fleet = opened(servers, max_requests=20)
    sent = fleet.spent.requests
    with pytest.raises(LimitReached, match="--max-requests 20 is reached"):  # and no other server is tried
        for _ in range(20):
            ask(fleet, 1)
    assert sum(counts(servers)) == 20 - sent


def test_a_server_that_is_dead_from_the_start_is_said_to_be_so_and_the_others_do_its_work(servers, caplog):
    die(servers[0])
    fleet = Fleet([server.url for server in servers], "tiny", Limits(timeout=5))
    assert ask(fleet, 6) == [f"answer to {n}" for n in range(6)]
    assert servers[0].url in caplog.text
    assert fleet.url == servers[0].url  # what verdicts are kept under does not change with who lives


def test_servers_of_different_models_are_no_fleet(servers):
    servers[2].model = {"id": "tiny", "root": "/models/another"}
    with pytest.raises(BadInput, match=f"{servers[0].url} and {servers[2].url} serve different models"):
        opened(servers)


def test_what_one_of_them_cannot_do_none_is_asked(servers):
    servers[1].listed = None
    assert opened(servers).ways == ("generate",)
    servers[2].sees = False
    assert "no longer than without" in opened(servers).probe().blind


def test_the_judge_takes_addresses_parted_by_commas(servers):
    urls = ", ".join(server.url for server in servers)
    looks = opener.open(build_config(vlm=urls, vlm_name="tiny"))
    (alone, *_) = opener.open(build_config(vlm=servers[0].url, vlm_name="tiny"))
    assert isinstance(looks[0].model, Fleet)
    assert (looks[0].server, looks[0].revision) == (alone.server, alone.revision)
    with pytest.raises(BadInput, match=r"nonsense: not a server's address"):
        opener.open(build_config(vlm=f"{servers[0].url},nonsense", vlm_name="tiny"))
