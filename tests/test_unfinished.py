"""What killed processes leave is removed by the next that writes there; what runs is left alone."""

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from sodbench import unfinished
from sodbench.files import write_text
from sodbench.unfinished import remove_unfinished, sweep, temporary

HANG = """
import sys, time
from pathlib import Path
from sodbench.unfinished import temporary
with temporary(Path(sys.argv[1])) as part:
    if sys.argv[2] == "folder":
        part.mkdir()
        part /= "inner"
    part.write_text("half")
    print("ready", flush=True)
    time.sleep(60)
"""


def hanging(path: Path, kind: str = "file") -> "subprocess.Popen[str]":
    process = subprocess.Popen([sys.executable, "-c", HANG, path, kind], stdout=subprocess.PIPE, text=True)
    assert process.stdout is not None and process.stdout.readline() == "ready\n"
    return process


@pytest.mark.parametrize("kind", ["file", "folder"])
def test_what_a_killed_process_left_is_swept_by_the_next_writer(tmp_path: Path, kind: str) -> None:
    process = hanging(tmp_path / "a.txt", kind)
    process.kill()
    process.communicate()
    assert len(list(tmp_path.iterdir())) == 1
    write_text(tmp_path / "b.txt", "whole")
    assert [path.name for path in tmp_path.iterdir()] == ["b.txt"]


def test_what_a_running_process_writes_is_left_alone(tmp_path: Path) -> None:
    process = hanging(tmp_path / "a.txt")
    try:
        sweep([tmp_path])
        with temporary(tmp_path / "own") as own:
            own.write_text("mine")
            sweep([tmp_path])
            assert own.is_file() and len(list(tmp_path.iterdir())) == 2
        assert len(list(tmp_path.iterdir())) == 1
    finally:
        process.kill()
        process.communicate()


def test_other_files_and_other_machines(tmp_path: Path) -> None:
    now = time.time()
    kept = [
        "x.part",
        ".x.part",
        ".hidden",
        ".x.0badcafe-1-00000000.txt",
        ".x.0badcafe-99999999-00000000.part",
    ]
    for name in (*kept, ".y.0badcafe-99999999-00000000.part"):
        (tmp_path / name).write_text("x")
    os.utime(tmp_path / ".y.0badcafe-99999999-00000000.part", (now - 90_000, now - 90_000))
    (tmp_path / "link").symlink_to(tmp_path)
    sweep([tmp_path, tmp_path / "missing", tmp_path / "x.part"])
    assert sorted(path.name for path in tmp_path.iterdir()) == sorted([*kept, "link"])


def test_a_former_process_of_the_same_number(tmp_path: Path) -> None:
    left = tmp_path / f".x.{unfinished._machine()}-{os.getpid()}-00000000.part"
    left.write_text("half")
    sweep([tmp_path])
    assert not left.exists()


def test_long_and_strange_names(tmp_path: Path) -> None:
    for name in ("x" * 250 + ".png", "é" * 120, os.fsdecode(b"a\xff"), "a\nb"):
        write_text(tmp_path / name, "whole")
        with temporary(tmp_path / name) as part:
            part.write_text("half")
        assert [path.name for path in tmp_path.iterdir()] == [name]
        (tmp_path / name).unlink()


def test_an_end_at_once_removes_them_but_not_those_of_a_parent(tmp_path: Path) -> None:
    with temporary(tmp_path / "a") as part:
        part.mkdir()
        child = os.fork()
        if child == 0:
            remove_unfinished()
            os._exit(0)
        os.waitpid(child, 0)
        assert part.is_dir()
        remove_unfinished()
        assert not part.exists()


def test_a_report_that_was_killed_leaves_nothing_for_ever(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The killed report wrote a page with thumbnails; the next one need not."""
    import sodbench as sb

    monkeypatch.chdir(tmp_path)
    run = sb.evaluate("basnet-tiny", "sample", limit=2)
    assert run.reports is not None
    gallery = tmp_path / "reports" / "gallery" / "sample"
    gallery.mkdir(parents=True)
    for place in (gallery, tmp_path / "reports", tmp_path / "reports" / "figures"):
        place.mkdir(exist_ok=True)
        process = hanging(place / "x.png")
        process.send_signal(signal.SIGKILL)
        process.communicate()
    sb.report("reports", formats=["markdown"], figures=["pr"], gallery=0)
    assert list(tmp_path.rglob("*.part")) == []


def test_folders_of_one_relative_name_are_each_swept(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for place in ("first", "second"):
        (tmp_path / place / "out").mkdir(parents=True)
        left = tmp_path / place / "out" / f".x.{unfinished._machine()}-{os.getpid()}-00000000.part"
        left.write_text("half")
        monkeypatch.chdir(tmp_path / place)
        write_text(Path("out", "b.txt"), "whole")
        assert not left.exists()
