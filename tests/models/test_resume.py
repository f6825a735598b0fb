"""What a run takes of kept verdicts is bound to its settings and judges, and to what the user says."""

import pytest

from pstgen.core.config import EvalConfig, build_config
from pstgen.core.records import BadInput
from pstgen.models import journal_file, resume
from pstgen.models.journal import Journal


@pytest.fixture(autouse=True)
def cache(tmp_path, monkeypatch):
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    monkeypatch.setattr(resume, "RUN", resume.Run())
    return tmp_path


def kept(judge="judge", revision="1", keys=("a", "b")):
    with Journal(judge, revision) as opened:
        return opened.known(keys)


def keep(verdicts, judge="judge", revision="1"):
    with Journal(judge, revision) as opened:
        opened.keep(verdicts)


def begin(how="auto", judges=(("judge", "1"),), **settings):
    resume.begin(build_config(resume=how, **settings), judges)


def test_never_takes_only_what_this_run_was_answered_and_replaces_the_rest():
    keep({"a": (-1.0,), "b": (-1.0,)})
    begin("never")
    assert kept() == {}
    keep({"a": (-2.0,)})
    assert kept() == {"a": (-2.0,)}
    begin("auto")
    assert kept() == {"a": (-2.0,), "b": (-1.0,)}


def test_always_goes_on_with_a_run_of_the_same_settings_wherever_its_set_goes():
    begin(scenes=300)
    keep({"a": (-1.0,)})
    begin("always", scenes=300, out="elsewhere", workers=3, engine="ray", concurrency=2)
    assert kept() == {"a": (-1.0,)}


def test_always_refuses_other_settings_and_names_them():
    begin(scenes=300, seed=1)
    keep({"a": (-1.0,)})
    with pytest.raises(BadInput, match=r"--resume always: .*the latest one differs in scenes, seed; --resume auto"):
        begin("always", scenes=400)


def test_always_refuses_other_judges_and_a_run_that_left_nothing():
    with pytest.raises(BadInput, match="there was none yet"):
        begin("always")
    begin("auto")
    with pytest.raises(BadInput, match="there was none yet"):  # a dry run keeps nothing
        begin("always")
    keep({"a": (-1.0,)})
    with pytest.raises(BadInput, match="the judges are not those of that run"):
        begin("always", [("judge", "2")])
    with pytest.raises(BadInput, match="no model judges in this run"):
        begin("always", [])


def test_a_run_of_eval_is_bound_to_its_set_and_model():
    resume.begin(EvalConfig(folder="pst", model="eye"), [("judge", "1")])
    keep({"a": (-1.0,)})
    resume.begin(EvalConfig(folder="pst", model="eye", resume="always", name="mine"), [("judge", "1")])
    with pytest.raises(BadInput, match="differs in folder"):
        resume.begin(EvalConfig(folder="other", model="eye", resume="always"), [("judge", "1")])


def test_no_password_of_a_server_is_kept():
    begin(vlm="http://me:secret@host/v1,http://you:secret@host/v1")
    keep({"a": (-1.0,)})
    assert b"secret" not in b"".join(file.read_bytes() for file in journal_file.beside(journal_file.path()))
