"""Paths that lead nowhere, to themselves, or to what is no file: one line, and never a wait."""

import os
import socket
from functools import partial
from pathlib import Path

import pytest

from sodbench.catalog import read_toml
from sodbench.cli.main import main
from sodbench.data.image_files import read_list
from sodbench.data.picture_files import open_picture
from sodbench.errors import InputError
from sodbench.files import sha256_of, write_text
from sodbench.json_text import read_json
from sodbench.models.weights import load_state
from sodbench.paths import real_path, user_path


@pytest.fixture(params=["pipe", "socket", "device"])
def special(request: pytest.FixtureRequest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)  # the name of a socket is short
    if request.param == "pipe":
        os.mkfifo("pipe.png")
    elif request.param == "socket":
        socket.socket(socket.AF_UNIX).bind("socket.png")
    else:
        return Path("/dev/zero")
    return Path(f"{request.param}.png")


@pytest.mark.parametrize(
    "read",
    [
        read_json,
        read_toml,
        open_picture,
        read_list,
        sha256_of,
        load_state,
        partial(write_text, text="x"),
    ],
)
def test_what_is_no_file_is_refused(special: Path, read: object) -> None:
    with pytest.raises(InputError, match=f"^{special}: (a pipe|a socket|a device|no such weights file)"):
        read(special)  # type: ignore[operator]
    assert not special.is_file()


COMMANDS = {
    "predict": ["predict", "basnet-tiny", "--images", "PIPE", "--out", "out"],
    "weights": ["predict", "basnet-tiny", "--images", "a.png", "--out", "out", "--weights", "PIPE"],
    "baseline": ["predict", "PIPE.toml", "--images", "a.png", "--out", "out"],
    "check": ["check", "--against", "PIPE"],
    "reproduce": ["reproduce", "PIPE"],
    "record": ["reproduce", "record"],
    "list": ["datasets", "add", "set", "--name", "n", "--list", "PIPE"],
    "card": ["datasets", "show", "own"],
    "shadow": ["datasets", "show", "sod"],
    "protocol": ["score", "images", "--masks", "images", "--protocols", "./PIPE.toml"],
    "network": ["predict", "PIPE.py:create", "--images", "a.png", "--out", "out"],
    "masks": ["score", "images", "--masks", "mixed"],
    "from": ["baselines", "fetch", "basnet-tiny", "--from", "PIPE", "--force"],
}


@pytest.mark.parametrize("name", COMMANDS)
def test_a_pipe_is_refused_by_every_command(
    here: Path, capsys: pytest.CaptureFixture[str], name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    from PIL import Image

    monkeypatch.setenv("SODBENCH_WEIGHTS", str(here / "weights"))
    for folder in ("record", "datasets", "images", "mixed", "set/images", "set/masks"):
        (here / folder).mkdir(parents=True)
    for folder in ("images", "mixed", "set/images", "set/masks"):
        Image.new("L", (8, 8)).save(here / folder / "a.png")
    Image.new("RGB", (8, 8)).save(here / "a.png")
    card = {"card": "own", "shadow": "sod"}.get(name, "another")
    for path in ("PIPE", "PIPE.toml", "PIPE.py", "record/run.json", "mixed/b.png", f"datasets/{card}.toml"):
        os.mkfifo(here / path)
    assert main(COMMANDS[name]) == 2
    error = capsys.readouterr().err.splitlines()[-1]
    assert error.startswith("sodbench: error: ") and "defect" not in error
    assert any(word in error for word in ("PIPE", "record", "b.png", f"{card}.toml"))


def test_links_to_themselves(here: Path, capsys: pytest.CaptureFixture[str]) -> None:
    from PIL import Image

    (here / "maps").mkdir()
    Image.new("L", (8, 8)).save(here / "maps" / "a.png")
    (here / "loop").symlink_to("loop")
    assert real_path("loop") == here / "loop"
    for command in (
        ["score", "maps", "--masks", "loop"],
        ["score", "loop", "--masks", "maps"],
        ["score", "maps", "--masks", "maps", "--images", "loop"],
        ["score", "maps", "--masks", "maps", "--reports", "loop"],
        ["predict", "basnet-tiny", "--images", "maps", "--out", "loop"],
        ["predict", "basnet-tiny", "--images", "loop", "--out", "out"],
        ["run", "basnet-tiny", "--datasets", "sample", "--limit", "1", "--maps", "loop"],
        ["report", "--reports", "loop"],
        ["check", "--against", "loop"],
        ["reproduce", "loop"],
        ["datasets", "add", "loop", "--name", "n"],
        ["datasets", "list", "--data-root", "loop"],
        ["protocols", "compare", "maps", "--masks", "loop"],
    ):
        assert main(command) == 2, command
        error = capsys.readouterr().err.splitlines()[-1]
        assert error.startswith("sodbench: error: ") and "loop" in error and "defect" not in error, error


def test_a_home_that_is_not_there(
    here: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    with pytest.raises(InputError, match=r"^~nobody-here/x: ~nobody-here has no home folder"):
        user_path("~nobody-here/x")
    (here / "datasets").mkdir()
    card = here / "datasets" / "own.toml"
    card.write_text('title = "Own"\nlocation = "~nobody-here/x"\n[count]\npairs = 1\n')
    assert main(["datasets", "show", "own"]) == 2
    assert f"{card}: location: expected a path " in capsys.readouterr().err
    assert main(["datasets", "list"]) == 0  # one wrong card does not break the list
    assert f"note: not a data set: {card}: location" in capsys.readouterr().err
    card.unlink()
    monkeypatch.setenv("SODBENCH_DATA", "~nobody-here/x")
    assert main(["datasets", "list"]) == 2
    assert "~nobody-here has no home folder" in capsys.readouterr().err
