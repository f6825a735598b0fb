"""What strangers hand in is read, or refused; reading it never hangs and never ends the process."""

import os
from typing import Any

import msgspec
import pytest

from pstgen.core import reading


def test_a_pipe_or_a_device_is_not_waited_for(tmp_path):
    os.mkfifo(tmp_path / "pipe")
    (tmp_path / "link").symlink_to("/dev/zero")
    for name in ("pipe", "link"):
        with pytest.raises(OSError, match="not a regular file"):
            reading.content(tmp_path / name)
    with pytest.raises(IsADirectoryError):
        reading.content(tmp_path)


def test_a_byte_order_mark_is_no_part_of_a_text(tmp_path):
    (tmp_path / "text").write_bytes(b"\xef\xbb\xbfcup")
    assert reading.text(tmp_path / "text") == "cup"


@pytest.mark.parametrize("code", [b"[" * 10**5, b"[" * 10**5 + b"]" * 10**5, b"", b'"\xff"', b"[1e999]"])
def test_json_that_cannot_be_read_is_one_error(code):
    with pytest.raises(msgspec.DecodeError):
        reading.json(code, Any)


@pytest.mark.parametrize("code", [b"[" * 10**5, b"- " * 10**5, b"? " * 10**5, b"a: [", b"\xff\xfe\xff", b"a: *b"])
def test_yaml_that_cannot_be_read_is_one_error_in_one_line(code):
    with pytest.raises(msgspec.DecodeError) as error:
        reading.yaml_of(code, dict[str, str])
    assert "\n" not in str(error.value)
