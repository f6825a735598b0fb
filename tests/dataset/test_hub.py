"""Uploading a set, against a server that plays the hub."""

import importlib.util
from pathlib import Path

import pytest

from pstgen.core.records import BadInput, Unavailable
from pstgen.dataset import hub
from pstgen.dataset.hub import Place

pytest.importorskip("huggingface_hub")
SPEC = importlib.util.spec_from_file_location("hub_server", Path(__file__).with_name("hub_server.py"))
hub_server = importlib.util.module_from_spec(SPEC)
SPEC.loader.exec_module(hub_server)


@pytest.fixture
def folder(tmp_path, monkeypatch):
    monkeypatch.setenv("HF_TOKEN", "hf_of_a_test")
    (tmp_path / "data").mkdir()
    (tmp_path / "README.md").write_text("---\nlicense: cc0-1.0\n---\nA card.\n")
    (tmp_path / "data" / "test-00000-of-00001.parquet").write_bytes(b"PAR1 and more")
    (tmp_path / "notes.txt").write_text("of nobody's concern")
    return tmp_path


FILES = ("README.md", "data/test-00000-of-00001.parquet")


def test_the_named_files_arrive_byte_by_byte_and_no_other(folder):
    before = {path: path.stat().st_mtime_ns for path in folder.rglob("*")}
    with hub_server.running() as server:
        url = hub.push(folder, Place("anna/pst", server.address, private=True), FILES, "v1.0.0")
    assert url == f"{server.address}/datasets/anna/pst"
    assert server.files == {name: (folder / name).read_bytes() for name in FILES}
    assert server.created == [{"name": "pst", "organization": "anna", "type": "dataset", "visibility": "private"}]
    assert server.tags == ["v1.0.0"]
    assert server.tokens == {"Bearer hf_of_a_test"}
    assert {path: path.stat().st_mtime_ns for path in folder.rglob("*")} == before


@pytest.mark.parametrize(
    ("status", "kind", "said"),
    [
        (401, BadInput, "does not accept the token"),
        (403, BadInput, "does not let this token write"),
        (409, BadInput, "--update"),
        (500, Unavailable, "as the test has it"),
    ],
)
def test_what_the_server_refuses_is_said_in_one_line_and_nothing_is_uploaded(folder, status, kind, said):
    with hub_server.running(status) as server, pytest.raises(kind) as raised:
        hub.push(folder, Place("anna/pst", server.address), FILES, "v1.0.0")
    assert said in str(raised.value)
    assert f"HTTP {status}" in str(raised.value)
    assert "\n" not in str(raised.value)
    assert server.files == {}


def test_a_repository_that_exists_gets_a_new_version_where_that_was_meant(folder):
    with hub_server.running(409) as server:
        hub.push(folder, Place("anna/pst", server.address, update=True), FILES, "v1.1.0")
    assert set(server.files) == set(FILES)


def test_a_server_that_is_not_there_is_the_machines_fault(folder):
    with hub_server.running() as server:
        gone = server.address
    with pytest.raises(Unavailable, match="cannot be reached"):
        hub.push(folder, Place("anna/pst", gone), FILES, "v1.0.0")


def test_without_a_token_nothing_is_sent_and_it_is_said_how_to_get_one(folder, monkeypatch, tmp_path):
    from huggingface_hub import constants

    monkeypatch.delenv("HF_TOKEN")
    monkeypatch.setattr(constants, "HF_TOKEN_PATH", str(tmp_path / "none"))
    with hub_server.running() as server, pytest.raises(BadInput, match="hf auth login"):
        hub.push(folder, Place("anna/pst", server.address), FILES, "v1.0.0")
    assert server.requests == []


@pytest.mark.parametrize(
    "name", ["pst", "anna/", "/pst", "anna/pst/more", "an na/pst", "anna/..", "../pst", "anna/p--st"]
)
def test_a_name_that_the_hub_does_not_know_is_refused_before_anything_is_sent(name):
    with pytest.raises(BadInput, match="USER/NAME"):
        hub.address(name, None)
