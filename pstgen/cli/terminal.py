"""What reaches the terminal: foreign words are shown and never obeyed, and who does not listen changes nothing."""

import io
import re
import sys

# Commands to a terminal, what turns the direction of writing or breaks a line unseen, and halves of characters.
UNSEEN = re.compile("[\x00-\x08\x0a-\x1f\x7f-\x9f\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069\ufeff\ud800-\udfff]")


def visible(text: str) -> str:
    r"""A text in one line, what would command the terminal as escapes.

    >>> print(visible("a\x1b[2J b\u202e c\n"))
    a\x1b[2J b\u202e c\n
    """
    return UNSEEN.sub(lambda found: found[0].encode("unicode_escape").decode(), text)


def visible_lines(text: str) -> str:
    """The same of a text whose line breaks are ours."""
    return "\n".join(map(visible, text.split("\n")))


def visible_json(text: str) -> str:
    """JSON of the same meaning; the line breaks of its layout stay."""
    return "\n".join(UNSEEN.sub(lambda found: f"\\u{ord(found[0]):04x}", line) for line in text.split("\n"))


def echo(text: str = "", *, err: bool = False) -> None:
    """Print a text whose line breaks are ours, in the stream's own encoding."""
    stream = sys.stderr if err else sys.stdout
    if stream:  # a closed one is None
        print(visible_lines(text), file=stream, flush=True)


class _Outlet(io.FileIO):
    """A stream that is printed to. Where nobody reads it any more, all goes on; a full disk is an error once."""

    failed = False

    def write(self, data: object, /) -> int:
        try:
            return super().write(data)  # type: ignore[arg-type]
        except BrokenPipeError:
            pass
        except OSError:
            if not self.failed:
                self.failed = True
                raise
        return memoryview(data).nbytes  # type: ignore[arg-type]


def prepare_streams() -> None:
    """Let no character and no closed pipe end a command: what a stream cannot show is replaced in it."""
    for name in ("stdout", "stderr"):
        stream = getattr(sys, name)
        if not isinstance(stream, io.TextIOWrapper):
            continue
        raw = getattr(stream.buffer, "raw", stream.buffer)  # PYTHONUNBUFFERED: there is no buffer between
        if stream is getattr(sys, f"__{name}__") and type(raw) is io.FileIO:  # neither a test's nor Windows' console
            stream.flush()
            outlet = _Outlet(stream.fileno(), "wb", closefd=False)
            buffer = outlet if raw is stream.buffer else io.BufferedWriter(outlet)
            how = {"line_buffering": stream.line_buffering, "write_through": stream.write_through}
            setattr(sys, name, io.TextIOWrapper(buffer, stream.encoding, **how))
        getattr(sys, name).reconfigure(errors="replace")
