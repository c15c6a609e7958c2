"""The commands and scripts of docs/tutorials/ run, in the order of a page, and print what it shows."""

import contextlib
import io
import os
import re
import shlex
import subprocess
import sys
import tomllib
from collections.abc import Mapping
from pathlib import Path

import numpy as np
import pytest
import yaml
from PIL import Image

from sodbench.cli.main import main

TOP = Path(__file__).resolve().parents[2]
REAL = TOP.parent / "shared" / "data"
TUTORIALS = TOP / "docs" / "tutorials"
NO_PAGE = {"markdown html": "markdown --figures"}  # the page takes seconds; score.md has it
ONE_FIGURE = {"markdown html": "markdown html --figures pr"}
BLOCK = re.compile(r"^```(\w+)\n(.*?)^```$", re.MULTILINE | re.DOTALL)


def follow(page: str, monkeypatch: pytest.MonkeyPatch, changes: Mapping[str, str], shown: bool = True) -> str:
    """Does what a tutorial says in the current folder; returns everything that the commands printed.

    changes: text of commands to replace, to save time.
    shown: whether the output shown on the page must be printed by the block before it.
    """
    whole = block_output = ""
    used: set[str] = set()
    for kind, text in BLOCK.findall((TUTORIALS / page).read_text(encoding="utf-8")):
        if kind == "python":
            _python(text)
        elif kind == "sh":
            for old, new in changes.items():
                used |= {old} if old in text else set()
                text = text.replace(old, new)
            block_output = "".join(_command(line, monkeypatch) for line in _lines(text))
            whole += block_output
        elif kind == "text" and shown:
            for line in text.splitlines():
                assert _printed(line, block_output), f"{page}: not printed: {line}\n{block_output}"
    assert used == set(changes), f"{page}: not in any command: {set(changes) - used}"
    return whole


def _lines(text: str) -> list[str]:
    return text.replace("\\\n", " ").splitlines()


def _python(text: str) -> None:
    named = re.match(r"# (\w+\.py)\n", text)
    if named:  # a file to save
        Path(named[1]).write_text(text)
    else:
        exec(text, {})


def _command(line: str, monkeypatch: pytest.MonkeyPatch) -> str:
    """Runs one line; a `sodbench` command, as Python blocks do, in this process, which saves the imports."""
    assignment = re.match(r"(?:export )?(\w+)=(.*)", line)
    if assignment:
        found = subprocess.run(
            ["bash", "-c", f"{line}; echo -n ${assignment[1]}"],
            env={**os.environ, "PYTHONPATH": str(TOP), "PATH": _path()},
            capture_output=True,
            text=True,
            check=True,
        )
        monkeypatch.setenv(assignment[1], found.stdout)
        return ""
    words = shlex.split(os.path.expandvars(line), comments=True)
    if words[:1] != ["sodbench"]:
        subprocess.run(["bash", "-ec", line], check=True)
        return ""
    output = io.StringIO()
    with contextlib.redirect_stdout(output):
        code = main([*words[1:]])
    assert code == (1 if "# exit code 1" in line else 0), line
    return output.getvalue()


def _path() -> str:
    return os.pathsep.join([str(Path(sys.executable).parent), os.environ["PATH"]])


def _printed(line: str, output: str) -> bool:
    """Whether a line was printed, with its numbers to .002 and any spaces between words."""
    return any(_same(line.split(), other.split()) for other in output.splitlines())


def _same(words: list[str], others: list[str]) -> bool:
    return len(words) == len(others) and all(
        word == other or _close(word, other) for word, other in zip(words, others, strict=True)
    )


def _close(word: str, other: str) -> bool:
    try:
        return abs(float(word.strip("[],")) - float(other.strip("[],"))) <= 0.002
    except ValueError:
        return False


def _pairs(folder: Path, names: list[str], images: str, masks: str) -> None:
    """Small pictures of a bright ellipse, and their masks."""
    random = np.random.default_rng(list(names[0].encode()))
    y, x = np.mgrid[:36, :48]
    (folder / images).mkdir(parents=True)
    (folder / masks).mkdir(parents=True)
    for name in names:
        centre, radii = random.uniform((10, 14), (26, 34)), random.uniform(5, 10, 2)
        mask = ((y - centre[0]) / radii[0]) ** 2 + ((x - centre[1]) / radii[1]) ** 2 < 1
        picture = random.integers(0, 120, 3) + random.integers(0, 40, (36, 48, 3)) + 90 * mask[:, :, None]
        Image.fromarray(picture.astype(np.uint8)).save(folder / images / f"{name}.jpg")
        Image.fromarray((255 * mask).astype(np.uint8)).save(folder / masks / f"{name}.png")


@pytest.mark.slow
def test_score_your_maps(here: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    follow("score.md", monkeypatch, ONE_FIGURE)
    assert Path("smooth-test_0030.png").is_file()
    assert "smooth" in Path("reports/leaderboard.md").read_text()
    assert Path("reports/index.html").stat().st_size > 10_000
    assert {path.suffix for path in Path("reports/figures").iterdir()} == {".svg", ".png", ".pdf"}


def test_compare_with_the_paper(here: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """On the real maps; where they are absent, on perfect ones, which print other numbers."""
    real = REAL.is_dir()
    if real:
        Path("maps").symlink_to(REAL / "SOD" / "maps")
        Path("data").symlink_to(REAL)
    else:
        names = (TOP / "datasets" / "lists" / "sod.txt").read_text().split()
        _pairs(here / "data" / "SOD", names, "images", "GT")
        Path("maps").mkdir()
        Path("maps/DSS").symlink_to(here / "data" / "SOD" / "GT")
    monkeypatch.setenv("HOME", str(here))
    output = follow("compare.md", monkeypatch, NO_PAGE, shown=real)
    assert "300/300" in output
    explained = ": basnet2019, sal-eval, salod\n" if real else ": none"
    assert explained in output, "the protocols that reproduce both numbers"
    table = Path("reports/leaderboard.md").read_text()
    assert "basnet2019" in table and "DSS+" in table and "PASCAL" not in table


@pytest.mark.slow
def test_train_on_your_data(here: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for split, count in (("train", 2), ("val", 1), ("test", 2)):
        _pairs(here / "photos" / split, [f"{split}{n:02d}" for n in range(count)], "images", "masks")
    steps = {"iterations=100": "iterations=1", "validate_every=50": "validate_every=1", "batch=8": "batch=2"}
    follow("train.md", monkeypatch, {**NO_PAGE, **steps})
    assert tomllib.loads(Path("datasets/mine-test.toml").read_text())["count"]["pairs"] == 2
    assert len(list(Path("maps/new").glob("*.png"))) == 2
    assert "trained" in Path("reports/leaderboard.md").read_text()


def test_check_scores_in_ci(here: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    follow("ci.md", monkeypatch, {})
    (workflow,) = (text for kind, text in BLOCK.findall((TUTORIALS / "ci.md").read_text()) if kind == "yaml")
    steps = yaml.safe_load(workflow)["jobs"]["drift"]["steps"]
    inputs = yaml.safe_load((TOP / "action.yml").read_text())["inputs"]
    assert set(steps[1]["with"]) <= set(inputs)
    commands = (TUTORIALS / "ci.md").read_text()
    assert f"sodbench run {steps[1]['with']['run']}\n" in commands, "the action runs what the page runs"


def test_the_example_of_the_readme(here: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """As it stands, on three small pictures in place of the sample."""
    (code,) = (text for kind, text in BLOCK.findall((TOP / "README.md").read_text()) if kind == "python")
    assert len([line for line in code.splitlines() if line]) == 5
    _pairs(here / "few", ["a", "b", "c"], "images", "masks")
    assert main(["datasets", "add", "few", "--name", "few"]) == 0
    Path("maps").mkdir()
    Path("maps/mine").symlink_to(here / "few" / "masks")
    formats = ('formats=["html", "latex"]', 'formats=["latex"], figures=[]')  # score.md has the page
    exec(code.replace('"sample"', '"few"').replace(*formats), {})
    assert "mine" in capsys.readouterr().out
    table = Path("reports/leaderboard.tex").read_text()
    assert "basnet" in table and "mine" in table
