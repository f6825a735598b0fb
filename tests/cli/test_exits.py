"""How commands end: an exit code of its own for every kind of end, one line, and never a traceback."""

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

PATCHED = """
import errno, sys, urllib.error
import click
from pstgen.cli import main
from pstgen.core.records import BadInput, Unavailable

@main.command()
def fail():
    raise {error}

main(["fail"], prog_name="pstgen")
"""


def end(error, **env):
    done = subprocess.run(
        [sys.executable, "-c", PATCHED.format(error=error)],
        capture_output=True,
        text=True,
        check=False,
        env=os.environ | env,
    )
    assert done.stdout == ""
    (line,) = done.stderr.splitlines()
    return done.returncode, line


@pytest.mark.parametrize(
    ("error", "code", "line"),
    [
        ("BadInput('mine.json: is empty')", 2, "pstgen: mine.json: is empty"),
        ("BadInput('two\\n  lines\\x1b')", 2, r"pstgen: two lines\x1b"),
        ("click.UsageError('no such thing.')", 2, "pstgen: no such thing; pstgen fail --help says what there is"),
        ("Unavailable('no room')", 3, "pstgen: no room"),
        ("MemoryError('Unable to allocate 2 TiB')", 3, "pstgen: out of memory: Unable to allocate 2 TiB"),
        ("type('OutOfMemoryError', (RuntimeError,), {{}})('CUDA')", 3, "pstgen: out of memory: CUDA"),
        ("OSError(errno.ENOSPC, 'No space left on device', '/full')", 3, "pstgen: /full: No space left on device"),
        ("OSError(errno.EROFS, 'Read-only file system')", 3, "pstgen: Read-only file system"),
        (
            "RuntimeError('x') from OSError(errno.ENOSPC, 'No space left on device')",
            3,
            "pstgen: No space left on device",
        ),
        ("urllib.error.URLError('no route')", 3, "pstgen: the network failed: <urlopen error no route>"),
        ("ConnectionResetError('reset')", 3, "pstgen: the network failed: reset"),
        ("KeyboardInterrupt", 130, "pstgen: interrupted: the same command begins anew"),
        ("SystemExit('pstgen: as it is')", 1, "pstgen: as it is"),
    ],
)
def test_every_kind_of_end_has_its_code_and_one_line(error, code, line):
    assert end(error.replace("{{", "{").replace("}}", "}")) == (code, line)


@pytest.mark.parametrize(
    "error", ["KeyError('prior_split')", "FileNotFoundError(2, 'No such file', 'x')", "RecursionError()"]
)
def test_a_fault_of_ours_is_70_and_the_traceback_lies_in_a_file(error, tmp_path):
    code, line = end(error, TMPDIR=str(tmp_path))
    assert code == 70
    assert line.startswith(f"pstgen: a fault of pstgen, not of yours: {error.partition('(')[0]}")
    assert "please report it" in line
    (file,) = tmp_path.glob("pstgen-fault-*.txt")
    assert str(file) in line
    text = file.read_text()
    assert "Traceback (most recent call last)" in text
    assert text.startswith("pstgen ")
    assert file.stat().st_mode & 0o077 == 0


def test_where_there_is_no_temporary_folder_the_traceback_lies_in_the_cache(tmp_path):
    line = end("KeyError('x')", TMPDIR="/nowhere", TEMP="/nowhere", XDG_CACHE_HOME=str(tmp_path), HOME=str(tmp_path))[1]
    assert Path(re.search(r"with (\S+\.txt)", line)[1]).is_file()


def command(*words, **more):
    return subprocess.run(
        [sys.executable, "-m", "pstgen", *map(str, words)], check=False, stderr=subprocess.PIPE, text=True, **more
    )


def test_the_codes_stand_in_the_help():
    told = " ".join(command("--help", stdout=subprocess.PIPE).stdout.split())
    for part in ("0 done", "1 not sound", "2 wrong use or input", "3 the machine", "70 a fault of ours"):
        assert part in told


@pytest.mark.parametrize(
    "words",
    [
        ("build", "--scenes", 10**22),
        ("build", "--seed", "-1"),
        ("build", "--device", "nonsense"),
        ("build", "--min-pull", "nan"),
        ("verify", "--most-wrong", "nan"),
        ("attack", "x", "--limit", "0"),
        ("world", "--size", "-1"),
        ("eye", "train", "--out", "x", "--device", "nonsense"),
        ("train-eval", "--seeds", 10**22),
        ("--nonsense",),
        ("nonsense",),
    ],
)
def test_wrong_use_is_one_line_and_2(words, tmp_path):
    done = command(*words, cwd=tmp_path, stdout=subprocess.PIPE)
    assert done.returncode == 2
    assert done.stdout == ""
    (line,) = done.stderr.splitlines()
    assert line.startswith("pstgen: ")


ASCII = {"LC_ALL": "C", "PYTHONUTF8": "0", "PYTHONCOERCECLOCALE": "0", "PYTHONIOENCODING": "ascii"}


@pytest.mark.parametrize("env", [{}, ASCII, {"PYTHONIOENCODING": "cp1252"}], ids=["utf-8", "ascii", "cp1252"])
@pytest.mark.parametrize("words", [("show", "--most", "99"), ("export", "--to", "page", "--out", "page")])
def test_a_closed_pipe_and_another_encoding_change_no_exit_code(words, env, small_set, tmp_path):
    name, *options = words
    reader, writer = os.pipe()
    os.close(reader)
    done = command(name, small_set, *options, stdout=writer, cwd=tmp_path, env=os.environ | env)
    os.close(writer)
    assert (done.returncode, done.stderr) == (0, "")


def test_not_sound_stays_1_where_nobody_reads(small_set, tmp_path):
    import shutil

    forged = tmp_path / "pst"
    shutil.copytree(small_set, forged)
    (forged / "README.md").write_text("another card")
    reader, writer = os.pipe()
    os.close(reader)
    assert command("verify", forged, "-q", stdout=writer).returncode == 1
    os.close(writer)


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="this system has no /dev/full")
def test_a_full_disk_under_the_output_is_3_and_one_line():
    with Path("/dev/full").open("w") as full:
        done = command("build", "--print-config", "--source", "world", stdout=full)
    assert (done.returncode, done.stderr) == (3, "pstgen: No space left on device\n")
