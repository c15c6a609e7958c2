"""The fast part of `python -m tests.faults`: a few trials of the commands that take less than a second."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="forks and waits as Linux does")
ROOT = Path(__file__).resolve().parents[2]


def test_a_few_faults_of_the_fast_commands() -> None:
    faults = ["SIGKILL", "SIGTERM", "SIGINT"]
    options = ["--moments", "2", "--new", "0", "--untimed", "--no-table"]
    done = subprocess.run(
        [sys.executable, "-m", "tests.faults", "--commands", "score", "fetch", "--faults", *faults, *options],
        cwd=ROOT,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        capture_output=True,
        text=True,
        timeout=600,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    assert "0 failures" in done.stdout


def test_the_page_keeps_what_was_not_measured(tmp_path: Path) -> None:
    from .table import BEGIN, END, read_cells, write_cells

    page = tmp_path / "page.md"
    # a table from before the other commands
    page.write_text(f"before\n{BEGIN}\n| fault | run |\n| --- | ---: |\n| SIGINT | 5/5 |\n{END}\nafter\n")
    faults = ["SIGKILL", "SIGINT", "full disk"]
    write_cells({("SIGKILL", "run"): "50/50", ("full disk", "score"): "8/8"}, faults, page)
    write_cells({("SIGKILL", "run"): "49/50"}, faults, page)
    assert read_cells(page)["full disk", "score"] == "8/8"
    assert read_cells(page)["SIGKILL", "run"] == "49/50"
    assert read_cells(page)["SIGINT", "run"] == "5/5"
    text = page.read_text()
    assert text.startswith("before\n") and text.endswith("\nafter\n")
    assert text.count("| SIGKILL |") == 1


def test_differences_are_named(tmp_path: Path) -> None:
    from .compare import contents, differences

    for name, seconds, score in (("one", 1, 0.5), ("two", 2, 0.5), ("three", 1, 0.25)):
        (tmp_path / name).mkdir()
        record = f'{{"provenance": {{"seconds": {seconds}}}, "score": {score}}}'
        (tmp_path / name / "run.json").write_text(record)
    (tmp_path / "two" / ".map.png.x.part").write_text("")
    one, two, three = (contents(tmp_path / name) for name in ("one", "two", "three"))
    assert differences(two, one) == ["left behind: .map.png.x.part"]
    assert differences(three, one) == ["differs: run.json"]
    assert differences(one, two) == ["missing: .map.png.x.part"]
