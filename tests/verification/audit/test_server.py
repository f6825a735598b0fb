"""The server answers its own page and nobody else."""

import http.client
import json
import socket
from contextlib import contextmanager
from threading import Thread

import pytest

from pstgen.core.records import BadInput, Item, Unavailable
from pstgen.verification import annotations
from pstgen.verification.audit.sample import Picture
from pstgen.verification.audit.server import MAX_BYTES, Server
from pstgen.verification.audit.session import Session

SEAL = "5e41"


def picture(name, answer, overlay=None):
    item = Item(
        item_id=name,
        pair_id=name[:-2],
        role="control" if answer == "yes" else "stress",
        scene_id="world/1",
        image="",
        family="existence",
        form="",
        about=("dog",),
        frame="leading",
        question="<b>Is there</b> a dog?",
        neutral="Is there a dog?",
        options=("yes", "no"),
        answer=answer,
        lure="yes",
    )
    return Picture(
        item=item,
        chain="a dog",
        image=b"image of " + name.encode(),
        image_type="image/jpeg",
        width=4,
        height=3,
        overlay=overlay,
    )


SAMPLE = [(picture("e1-a", "yes", b"tint"), picture("e1-b", "no")), (picture("e2-a", "no"), picture("e2-b", "yes"))]


def session(folder, who="anna", seal=SEAL):
    return Session(SAMPLE, folder, who, 0, seal)


@contextmanager
def serving(folder, who="anna"):
    with Server(session(folder, who), 0) as server:
        thread = Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        try:
            yield server
        finally:
            server.shutdown()
            thread.join()


@pytest.fixture
def server(tmp_path):
    with serving(tmp_path) as running:
        yield running


def ask(server, path, body=None, *, method=None, token=None, host=None, **headers):
    """Status, headers and body of one request, as a browser's page of ours would send it unless a test asks for something else."""
    sent = {"Host": host or f"127.0.0.1:{server.server_port}"}
    if body is not None:
        sent |= {"Content-Type": "application/json", "Origin": f"http://127.0.0.1:{server.server_port}"}
        body = body if isinstance(body, bytes) else json.dumps(body).encode()
    sent |= {name.replace("_", "-"): value for name, value in headers.items()}
    line = http.client.HTTPConnection("127.0.0.1", server.server_port, timeout=5)
    line.putrequest(method or ("GET" if body is None else "POST"), f"/{token or server.token}/{path}", skip_host=True)
    for name, value in sent.items():
        line.putheader(name, value)
    if body is not None and "Content-Length" not in sent:
        line.putheader("Content-Length", str(len(body)))
    line.endheaders(body)
    answer = line.getresponse()
    got = answer.status, dict(answer.getheaders()), answer.read()
    line.close()
    return got


def lines(server):
    return annotations.read(server.session.path)


RIGHT = {"item": "e1-a", "verdict": "right"}


@pytest.mark.parametrize(
    ("path", "kind"),
    [("", "text/html"), ("page.js", "text/javascript"), ("page.css", "text/css"), ("start", "application/json")],
)
def test_the_page_is_there_and_may_load_only_from_here(server, path, kind):
    status, headers, body = ask(server, path)
    assert (status, headers["Content-Type"].partition(";")[0]) == (200, kind)
    assert body
    policy = headers["Content-Security-Policy"]
    assert "default-src 'none'" in policy
    assert "script-src 'self';" in policy
    assert "frame-ancestors 'none'" in policy
    assert headers["X-Content-Type-Options"] == "nosniff"
    assert headers["Referrer-Policy"] == "no-referrer"


def test_the_page_itself_needs_no_script_of_its_own_inside(server):
    page = ask(server, "")[2].decode()
    assert page.count("<script") == page.count('<script src="page.js" defer></script>') == 1
    assert "style=" not in page
    assert "http" not in page


def test_pictures_and_overlays_are_given_by_item(server):
    assert ask(server, "image/e1-b")[2] == b"image of e1-b"
    assert ask(server, "image/e1-b")[1]["Content-Type"] == "image/jpeg"
    assert ask(server, "overlay/e1-a")[2] == b"tint"
    assert ask(server, "overlay/e1-b")[0] == 404


def test_it_listens_on_loopback_alone(server):
    assert server.server_address[0] == "127.0.0.1"


@pytest.mark.parametrize(
    "host", ["evil.example", "evil.example:80", "127.0.0.1", "127.0.0.1.evil.example:{port}", "0.0.0.0:{port}"]
)
def test_a_foreign_host_is_refused(server, host):
    host = host.format(port=server.server_port)
    assert ask(server, "start", host=host)[0] == 421
    assert ask(server, "verdict", RIGHT, host=host)[0] == 421
    assert lines(server) == []


@pytest.mark.parametrize(
    "origin", ["http://evil.example", "null", "https://127.0.0.1:{port}", "http://127.0.0.1:1", "http://127.0.0.1"]
)
def test_a_foreign_origin_is_refused(server, origin):
    assert ask(server, "verdict", RIGHT, Origin=origin.format(port=server.server_port))[0] == 403
    assert lines(server) == []


@pytest.mark.parametrize("site", ["cross-site", "same-site", "nonsense"])
def test_what_another_site_asks_for_is_refused(server, site):
    assert ask(server, "", Sec_Fetch_Site=site)[0] == 403
    assert ask(server, "verdict", RIGHT, Sec_Fetch_Site=site)[0] == 403
    assert lines(server) == []


@pytest.mark.parametrize("name", ["127.0.0.1", "localhost"])
def test_its_own_page_is_heard_under_both_names(server, name):
    host = f"{name}:{server.server_port}"
    status, _, body = ask(server, "verdict", RIGHT, host=host, Origin=f"http://{host}", Sec_Fetch_Site="same-origin")
    assert status == 200
    assert json.loads(body) == {"verdicts": {"e1-a": "right"}, "item": "e1-a"}


@pytest.mark.parametrize("token", ["x", "X" * 22, "%00", "%C3%A9", "."])
def test_without_the_secret_there_is_nothing(server, token):
    for path in ("", "start", "page.js", "image/e1-a"):
        assert ask(server, path, token=token)[0] == 404
    assert ask(server, "verdict", RIGHT, token=token)[0] == 404
    assert lines(server) == []


@pytest.mark.parametrize(
    "path",
    [
        "../page.py",
        "..%2f..%2fetc%2fpasswd",
        "image/../../../../etc/passwd",
        "image//etc/passwd",
        "page.js/../server.py",
        "server.py",
        "image/e1-a/",
        "page.html%00.css",
    ],
)
def test_no_path_reaches_the_disk(server, path):
    status, _, body = ask(server, path)
    assert status == 404
    assert body == b"nothing here\n"


def test_a_body_that_is_too_large_is_not_read(server):
    assert ask(server, "verdict", b"x" * (MAX_BYTES + 1))[0] == 413
    assert ask(server, "verdict", b"", Content_Length="9" * 5000)[0] == 413


@pytest.mark.parametrize("length", ["-1", "+3", "x", "", "²"])
def test_a_body_needs_its_length(server, length):
    assert ask(server, "verdict", b"", Content_Length=length.encode("latin-1"))[0] == 411


@pytest.mark.parametrize("kind", ["text/plain", "application/x-www-form-urlencoded", "application/json; x=y", ""])
def test_what_a_form_of_another_site_could_send_is_refused(server, kind):
    assert ask(server, "verdict", RIGHT, Content_Type=kind)[0] == 415
    assert lines(server) == []


@pytest.mark.parametrize(
    "body", [b"", b"[]", b"{", {"verdict": "maybe", "item": "e1-a"}, {"item": "e1-a"}, RIGHT | {"who": "ben"}, b"\xff"]
)
def test_what_is_not_a_verdict_is_refused(server, body):
    assert ask(server, "verdict", body)[0] == 400
    assert lines(server) == []


def test_an_item_outside_the_sample_is_refused(server):
    status, _, body = ask(server, "verdict", {"item": "e9-a", "verdict": "right"})
    assert (status, body) == (409, b"e9-a: is not in the sample\n")
    assert lines(server) == []


@pytest.mark.parametrize("method", ["PUT", "DELETE", "OPTIONS", "HEAD", "TRACE"])
def test_other_methods_are_not_there_and_allow_no_origin(server, method):
    status, headers, _ = ask(server, "verdict", method=method, Origin="http://evil.example")
    assert status == 501
    assert not [name for name in headers if name.lower().startswith("access-control")]


def test_a_verdict_is_on_the_disk_before_the_answer(server):
    ask(server, "verdict", RIGHT)
    assert [
        (line.item, line.pair, line.family, line.who, line.verdict, line.seed, line.manifest) for line in lines(server)
    ] == [("e1-a", "e1", "existence", "anna", "right", 0, SEAL)]


def test_undo_takes_back_one_after_the_other_and_then_nothing(server):
    for item, word in (("e1-a", "right"), ("e1-b", "wrong"), ("e1-a", "ambiguous")):
        ask(server, "verdict", {"item": item, "verdict": word})
    states = [json.loads(ask(server, "verdict", {"verdict": "undo"})[2]) for _ in range(4)]
    assert states == [
        {"verdicts": {"e1-a": "right", "e1-b": "wrong"}, "item": "e1-a"},
        {"verdicts": {"e1-a": "right"}, "item": "e1-b"},
        {"verdicts": {}, "item": "e1-a"},
        {"verdicts": {}, "item": ""},
    ]
    assert len(lines(server)) == 6


def test_what_cannot_be_written_is_an_error_that_says_so(server):
    server.session.path.unlink()
    server.session.path.mkdir()
    status, _, body = ask(server, "verdict", RIGHT)
    assert status == 409
    assert b"cannot be" in body


def test_a_browser_that_goes_away_leaves_the_server_well_and_silent(server, capfd):
    for _ in range(3):
        with socket.create_connection(("127.0.0.1", server.server_port)) as line:
            line.sendall(f"POST /{server.token}/verdict HTTP/1.1\r\nContent-Length: 9\r\n".encode())
            line.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\1\0\0\0\0\0\0\0")
    assert ask(server, "start")[0] == 200
    assert capfd.readouterr().err == ""


def test_another_person_starts_anew_and_sees_no_verdict(tmp_path):
    with serving(tmp_path) as first:
        ask(first, "verdict", RIGHT)
    with serving(tmp_path, "ben") as other:
        start = json.loads(ask(other, "start")[2])
    assert (start["who"], start["verdicts"]) == ("ben", {})


def test_whoever_comes_again_goes_on(tmp_path):
    with serving(tmp_path) as first:
        ask(first, "verdict", RIGHT)
    with serving(tmp_path) as again:
        assert json.loads(ask(again, "start")[2])["verdicts"] == {"e1-a": "right"}
        assert again.token != first.token


def test_verdicts_on_another_build_are_not_mixed_in(tmp_path):
    session(tmp_path).judge("e1-a", "right")
    with pytest.raises(BadInput, match="another build"):
        session(tmp_path, seal="other")


@pytest.mark.parametrize("who", ["", "  ", "a\nb", "x" * 81, "\x00"])
def test_a_name_that_is_not_valid_is_refused(tmp_path, who):
    with pytest.raises(BadInput, match="--who"):
        session(tmp_path, who)


def test_a_taken_port_is_an_error_that_names_it(server, tmp_path):
    with pytest.raises(Unavailable, match=f"port {server.server_port}"):
        Server(session(tmp_path), server.server_port)
