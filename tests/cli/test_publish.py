"""`pstgen publish`: what it prints, what it writes, what it sends, and how it ends."""

import importlib.util
import json
import shutil
from pathlib import Path

import pytest
from click.testing import CliRunner

from pstgen.cli import exits
from pstgen.cli.publish import publish
from pstgen.core.config import VerifyConfig
from pstgen.dataset import release, store
from pstgen.verification import certificate, checks

SPEC = importlib.util.spec_from_file_location("hub_server", Path(__file__).parents[1] / "dataset" / "hub_server.py")
hub_server = importlib.util.module_from_spec(SPEC)
SPEC.loader.exec_module(hub_server)


@pytest.fixture
def folder(sound_set, tmp_path):
    shutil.copytree(sound_set, tmp_path / "pst")
    return tmp_path / "pst"


def run(*args):
    def plainly():
        with exits.plainly():
            publish.main([str(arg) for arg in args], standalone_mode=False)

    import click

    @click.command()
    def command():
        plainly()

    return CliRunner().invoke(command)


def contents(folder):
    return {path.name: path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def test_check_alone_writes_nothing_says_what_to_do_and_ends_with_1(folder):
    before = contents(folder)
    ended = run(folder, "--check")
    assert ended.exit_code == exits.NOT_SOUND
    assert contents(folder) == before
    assert f"-> pstgen publish {folder} writes it" in ended.output
    assert "ok  certificate" in ended.output


def test_publish_writes_what_belongs_to_a_release_and_the_set_is_ready(folder):
    pytest.importorskip("mlcroissant")
    before = contents(folder)
    ended = run(folder)
    assert ended.exit_code == 0, ended.output
    assert "all is in order" in ended.output
    after = contents(folder)
    assert after.keys() - before.keys() == set(release.WRITTEN)
    assert {name: after[name] for name in before} == before
    assert checks.load("integrity").examine(store.open(folder), VerifyConfig(folder=folder)).problems == ()


def test_publishing_twice_is_publishing_once(folder):
    run(folder)
    before = contents(folder)
    assert run(folder).exit_code == 0
    assert contents(folder) == before


def test_json_names_each_point(folder):
    ended = run(folder, "--check", "--json", "-q")
    found = json.loads(ended.output)
    assert found["ready"] is False
    assert {point["name"]: point["state"] for point in found["points"]}["version"] == "not in order"


def test_a_set_that_follows_another_has_its_versions(folder, tmp_path):
    run(folder)
    shutil.copytree(folder, tmp_path / "next")
    for name in release.WRITTEN:
        (tmp_path / "next" / name).unlink()
    assert run(tmp_path / "next", "--since", folder, "--note", "The same again.").exit_code == 0
    assert [version.number for version in release.versions(tmp_path / "next")] == ["1.0.1", "1.0.0"]


@pytest.mark.parametrize(
    ("args", "said"),
    [
        (["--check", "--push", "anna/pst"], "--check writes nothing"),
        (["--check", "--release", "1.0.0"], "--check writes nothing"),
        (["--private"], "--push USER/NAME"),
        (["--release", "1"], "MAJOR.MINOR.PATCH"),
        (["--push", "anna"], "USER/NAME"),
        (["--since", "nowhere"], "no stress test here"),
    ],
)
def test_what_makes_no_sense_is_refused_before_anything_is_written(folder, args, said):
    before = contents(folder)
    ended = run(folder, *args)
    assert (ended.exit_code, said in ended.output) == (exits.USAGE, True), ended.output
    assert contents(folder) == before


def test_a_folder_that_is_no_set_is_refused(tmp_path):
    ended = run(tmp_path, "--check")
    assert ended.exit_code == exits.USAGE
    assert "no stress test here" in ended.output


@pytest.fixture
def token(monkeypatch):
    pytest.importorskip("huggingface_hub")
    monkeypatch.setenv("HF_TOKEN", "hf_of_a_test")


@pytest.mark.usefixtures("token")
def test_push_sends_every_file_of_the_set_and_what_was_published_points_there(folder):
    pytest.importorskip("mlcroissant")
    (folder.parent / "other.txt").write_text("not of the set")
    with hub_server.running() as server:
        ended = run(folder, "--push", "anna/pst", "--endpoint", server.address)
    assert ended.exit_code == 0, ended.output
    there = {str(path.relative_to(folder)): path.read_bytes() for path in folder.rglob("*") if path.is_file()}
    assert server.files == there
    assert json.loads(there[release.CROISSANT])["url"] == f"{server.address}/datasets/anna/pst"
    assert server.tags == ["v1.0.0"]


@pytest.mark.usefixtures("token")
def test_a_set_without_a_certificate_is_not_sent_unless_forced(folder):
    (folder / certificate.NAME).unlink()
    with hub_server.running() as server:
        ended = run(folder, "--push", "anna/pst", "--endpoint", server.address)
        assert (ended.exit_code, server.requests) == (exits.USAGE, [])
        assert "certificate.json is missing" in ended.output
        assert "--force" in ended.output
        forced = run(folder, "--push", "anna/pst", "--endpoint", server.address, "--force")
    assert forced.exit_code == 0
    assert certificate.NAME not in server.files


@pytest.mark.usefixtures("token")
def test_a_refusal_of_the_server_is_one_line_with_its_exit_code(folder):
    with hub_server.running(409) as server:
        ended = run(folder, "--push", "anna/pst", "--endpoint", server.address)
    assert ended.exit_code == exits.USAGE
    assert ended.output.splitlines()[-1].startswith(f"pstgen: {server.address}/datasets/anna/pst: the server has a set")


def test_without_push_nothing_goes_online(folder, monkeypatch):
    import socket

    def refuse(*_):
        raise AssertionError("a connection was opened")

    monkeypatch.setattr(socket.socket, "connect", refuse)
    assert run(folder).exit_code == 0
