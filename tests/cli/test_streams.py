"""Streams that take nothing: stdout says so once, stderr is given up in silence."""

import io
import sys

import pytest

from sodbench.cli.streams import visible_streams


class Full(io.StringIO):
    """A stream on a full device."""

    def write(self, text: str) -> int:
        raise OSError(28, "No space left on device")

    def flush(self) -> None:
        raise OSError(28, "No space left on device")


def test_a_full_stdout_is_named_at_every_later_write_and_flush(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "stdout", Full())
    with visible_streams():
        for action in (lambda: print("a"), lambda: sys.stdout.flush()):
            with pytest.raises(OSError, match="No space left on device: 'standard output'"):
                action()


def test_a_full_stderr_stops_nothing(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture) -> None:
    monkeypatch.setattr(sys, "stderr", Full())
    with visible_streams():
        assert sys.stderr.write("lost") == 4
        sys.stderr.flush()
        print("kept")
    assert capsys.readouterr().out == "kept\n"


def test_lines_are_escaped_like_text(capsys: pytest.CaptureFixture) -> None:
    with visible_streams():
        sys.stdout.writelines(["one\n", "two\x1b[31m\n"])
    assert capsys.readouterr().out == "one\ntwo\\u001b[31m\n"


def test_streams_that_were_closed_before_take_everything(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "stdout", None)
    monkeypatch.setattr(sys, "stderr", None)
    with visible_streams():
        print("to nobody")
        print("to nobody", file=sys.stderr, flush=True)
