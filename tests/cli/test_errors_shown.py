"""What is left of any error is one line; names from files cannot act on the terminal."""

import argparse
import errno
import struct
import sys
import warnings
from pathlib import Path

import numpy as np
import pytest

from sodbench.cli import main as module
from sodbench.cli.main import main
from sodbench.errors import InputError, Note
from sodbench.text import columns, visible

DEFECT = "this is a defect in sodbench; --debug shows the traceback, please report it"


class Failing:
    """A parser whose command does what the test says."""

    def __init__(self, act: object) -> None:
        self.act = act

    def parse_args(self, words: list[str]) -> argparse.Namespace:
        return argparse.Namespace(run=lambda args: self.act())  # type: ignore[operator]


def run(monkeypatch: pytest.MonkeyPatch, act: object, *words: str) -> int:
    monkeypatch.setattr(module, "build_parser", lambda: Failing(act))
    return main(words)


def raising(error: BaseException) -> object:
    def act() -> None:
        raise error

    return act


def endless() -> None:
    endless()


@pytest.mark.parametrize(
    ("act", "said"),
    [
        (raising(MemoryError()), "not enough memory (MemoryError); use smaller"),
        (lambda: np.empty(1 << 58, np.uint8), "not enough memory (Unable to allocate"),
        (
            raising(RuntimeError("[enforce] DefaultCPUAllocator: can't allocate memory: x")),
            "not enough memory",
        ),
        (raising(KeyError("x")), f"KeyError: 'x' ({DEFECT})"),
        (raising(struct.error("unpack\nrequires")), f"error: unpack requires ({DEFECT})"),
        (raising(AssertionError()), f"AssertionError ({DEFECT})"),
        (raising(RuntimeError("a\nb " + "c" * 5000)), "RuntimeError: a b ccc"),
        (raising(UnicodeDecodeError("utf-8", b"\xff", 0, 1, "invalid")), "UnicodeDecodeError: 'utf-8' codec"),
        (raising(OSError(errno.ENOSPC, "No space left on device", "a/b")), "a/b: No space left on device"),
        (raising(OSError(errno.EIO, "Input/output error")), "Input/output error"),
        (raising(InputError("x.toml: bad")), "x.toml: bad"),
    ],
)
def test_one_line_for_everything(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], act: object, said: str
) -> None:
    # the test's own file counts as the package's here
    monkeypatch.setattr("sodbench.cli.defects._PACKAGE", Path(__file__).parents[2])
    assert run(monkeypatch, act) == 2
    out, err = capsys.readouterr()
    assert out == "" and err.startswith(f"sodbench: error: {said}") and err.count("\n") == 1
    assert len(err) < 500


def test_an_endless_recursion(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(monkeypatch, endless) == 2
    err = capsys.readouterr().err
    assert "RecursionError" in err and err.count("\n") == 1


def test_the_users_own_code_is_named(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    file = tmp_path / "net.py"
    file.write_text("def forward():\n    return [][3]\n")
    space: dict[str, object] = {}
    exec(compile(file.read_text(), str(file), "exec"), space)
    assert run(monkeypatch, space["forward"]) == 2
    err = capsys.readouterr().err
    assert err.startswith(f"sodbench: error: {file}, line 2: IndexError: list index") and "defect" not in err


@pytest.mark.parametrize("words", [("--debug",), ("run", "--debug"), ("--debug", "run", "x")])
@pytest.mark.parametrize("error", [InputError("x.toml: bad"), KeyError("x")])
def test_debug_shows_the_traceback(
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    words: tuple[str, ...],
    error: Exception,
) -> None:
    assert run(monkeypatch, raising(error), *words) == 2
    err = capsys.readouterr().err
    assert err.startswith("Traceback (most recent call last)") and "in act" in err
    assert err.splitlines()[-1].startswith("sodbench: error: ")


def test_debug_is_taken_before_and_after_a_real_command(capsys: pytest.CaptureFixture[str]) -> None:
    for words in (["--debug", "protocols", "show", "nonesuch"], ["protocols", "show", "nonesuch", "--debug"]):
        assert main(words) == 2
        assert "Traceback" in capsys.readouterr().err
    assert main(["protocols", "show", "nonesuch"]) == 2
    assert "Traceback" not in capsys.readouterr().err
    with pytest.raises(SystemExit):
        main(["--help"])
    assert "--debug" in capsys.readouterr().out


EVIL = "a\x1b[31mb\x9b2Jc\x07\u202ed\r\ne\udcff"
SHOWN = "a\\u001b[31mb\\u009b2Jc\\u0007\\u202ed\\u000d\\u000ae\\udcff"


def test_control_characters_of_names_do_not_reach_the_terminal(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def act() -> None:
        print(EVIL)
        print("\n".join(columns([["name"], [EVIL]])))
        print(EVIL, file=sys.stderr)
        warnings.warn(EVIL, Note, stacklevel=2)
        raise InputError(EVIL)

    assert run(monkeypatch, act) == 2
    out, err = capsys.readouterr()
    assert not set("\x1b\x9b\x07\u202e\udcff") & {*out, *err}
    assert "\r" not in out and f"\n{SHOWN}\n" in out
    assert f"sodbench: note: {SHOWN}\n" in err and err.endswith(f"sodbench: error: {SHOWN}\n")


def test_progress_bars_are_left_alone(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    from tqdm import tqdm

    def act() -> int:
        for _ in tqdm(range(2), "outer", position=1):
            pass
        return 0

    assert run(monkeypatch, act) == 0
    err = capsys.readouterr().err
    assert "\r" in err and "\x1b[A" in err and "\\u00" not in err


@pytest.mark.parametrize("text", ["", "Größe ↑ é 中文 🙂\tx\n", "a\u200db"])
def test_text_is_left_as_it_is(text: str) -> None:
    assert visible(text) == text


def test_json_stays_json() -> None:
    import json

    from sodbench.json_text import to_json

    text = visible(to_json({"name": EVIL}))
    assert json.loads(text) == {"name": EVIL}
