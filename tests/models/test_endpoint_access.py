"""An address is checked before anything is sent, and no message has a secret in it."""

import pytest

from pstgen.core.records import BadInput
from pstgen.models.endpoint_access import access


@pytest.mark.parametrize(
    "url",
    [
        "",
        "127.0.0.1:8000/v1",
        "file:///etc/passwd",
        "ftp://me:hidden@host/v1",
        "me:hidden@host:8000/v1",
        "http://",
        "http://me:hidden@/v1",
        "http://me:hidden@host:port/v1",
        "http://me:hidden@host:99999/v1",
        "http://me:hid#den@host/v1",
        "http://me:hidden@host/v1?api-key=1",
        "http://[::1/v1",
        "http://ho st/v1",
        "http://host/v1\r\nX: y",
        "http://hóst/v1",
    ],
)
def test_what_is_no_address_of_a_server_is_told_without_its_password(url):
    with pytest.raises(BadInput, match="not a server's address; one looks like") as caught:
        access(url, "NO_SUCH_VARIABLE")
    assert "hid" not in str(caught.value)
    assert caught.value.__cause__ is None


def test_an_address_is_taken_without_what_lets_one_in(monkeypatch):
    monkeypatch.setenv("MY_KEY", " sk-1 ")
    mine = access("https://me:a%3Ab@[::1]:8000/api/v1/", "MY_KEY")
    assert (mine.url, mine.key, mine.login) == ("https://[::1]:8000/api/v1", "sk-1", "me:a:b")
    assert mine.headers == {"Authorization": "Basic bWU6YTpi"}
    assert repr(mine) == "Access(url='https://[::1]:8000/api/v1')"
    assert mine.redacted("sk-1, me:a:b, a:b and bWU6YTpi") == "[secret], [secret], [secret] and [secret]"


def test_without_a_key_nothing_is_redacted(monkeypatch):
    monkeypatch.setenv("MY_KEY", "")
    mine = access("http://host/v1", "MY_KEY")
    assert mine.headers == {}
    assert mine.redacted("none at all") == "none at all"


@pytest.mark.parametrize("key", ["sk 1", "sk\n1", "sk-é", "sk-\x7f"])
def test_what_is_no_key_is_told_without_it(monkeypatch, key):
    monkeypatch.setenv("MY_KEY", key)
    with pytest.raises(BadInput, match=r"^MY_KEY: has characters that no key has$"):
        access("http://host/v1", "MY_KEY")
