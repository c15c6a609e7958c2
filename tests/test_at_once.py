"""Several processes at once: on one training folder, one record, one folder of maps, one report."""

import subprocess
import sys
from contextlib import ExitStack
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

import sodbench as sb
from sodbench import files
from sodbench.errors import InputError
from sodbench.files import locked_folder
from sodbench.results.loading import read_records

# holds a folder until its stdin closes
HOLD = """
import sys
from pathlib import Path
from sodbench.files import locked_folder
with locked_folder(Path(sys.argv[1])):
    print("ready", flush=True)
    sys.stdin.read()
"""
TRAIN = ["train", "basnet-tiny", "--datasets", "ecssd", "--workers", "0", "--quiet"]
SHORT = ["--set", "training.batch=1", "--set", "training.iterations=2", "--set", "training.validate_on=[]"]
SAVE = """
import sodbench as sb
from sodbench.results.saving import save_run
run = sb.score_maps("maps", "s", masks="masks", name="m", reports=None)
for _ in range(10):
    save_run("reports", run)
"""


def sodbench(*words: str) -> "subprocess.Popen[str]":
    return subprocess.Popen(
        [sys.executable, "-m", "sodbench", *words], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    )


def holding(folder: Path) -> "subprocess.Popen[str]":
    process = subprocess.Popen(
        [sys.executable, "-c", HOLD, folder], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    )
    assert process.stdout is not None and process.stdout.readline() == "ready\n"
    return process


def test_a_folder_is_made_and_an_empty_one_removed(tmp_path: Path) -> None:
    with locked_folder(tmp_path / "a" / "b"):
        assert (tmp_path / "a" / "b").is_dir()
    assert list(tmp_path.iterdir()) == []
    with locked_folder(tmp_path / "a" / "b"):
        (tmp_path / "a" / "b" / "file").touch()
    assert [path.name for path in (tmp_path / "a" / "b").iterdir()] == ["file"]


def test_a_folder_that_its_holder_removed_is_locked_anew(tmp_path: Path) -> None:
    holder = holding(tmp_path / "a")

    def let_go() -> None:
        holder.communicate("")  # removes the folder, which is empty

    with locked_folder(tmp_path / "a", waiting=let_go):
        assert (tmp_path / "a").is_dir()


@pytest.mark.skipif(sys.platform == "win32", reason="a folder is locked by a file in it")
def test_who_is_refused_removes_no_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Two begin together: neither sees the folder, both make it, one holds it while it is still empty."""
    opened, rival = files._open, ExitStack()

    def after_a_rival(path: Path, is_folder: bool) -> int:
        monkeypatch.setattr(files, "_open", opened)
        rival.enter_context(locked_folder(tmp_path / "a"))
        return opened(path, is_folder)

    def refuse() -> None:
        raise InputError("locked")

    monkeypatch.setattr(files, "_open", after_a_rival)
    with rival:
        with pytest.raises(InputError, match="locked"), locked_folder(tmp_path / "a", waiting=refuse):
            pass
        assert (tmp_path / "a").is_dir()


def test_a_folder_that_goes_while_it_is_opened_is_made_anew(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    opened = files._open

    def after_its_end(path: Path, is_folder: bool) -> int:
        monkeypatch.setattr(files, "_open", opened)
        path.rmdir()
        return opened(path, is_folder)

    monkeypatch.setattr(files, "_open", after_its_end)
    with locked_folder(tmp_path / "a"):
        assert (tmp_path / "a").is_dir()
    with pytest.raises(InputError, match="cannot be written to"), locked_folder(Path("/proc/none/a")):
        pass


def test_two_trainings_in_one_folder(here: Path, root: Path) -> None:
    words = (*TRAIN, *SHORT, "--data-root", str(root), "--out", "out")
    first, second = sodbench(*words), sodbench(*words)
    ends = [process.communicate(timeout=300) for process in (first, second)]
    codes = [first.returncode, second.returncode]
    # one may have come when the other was done: it is refused for the training that is there
    assert sorted(codes) == [0, 2], ends
    refused = ends[codes.index(2)][1]
    assert refused.startswith("sodbench: error: out") and refused.count("\n") == 1
    assert (here / "out" / "training.json").is_file()


def test_a_training_is_refused_while_another_one_runs(here: Path, root: Path) -> None:
    holder = holding(here / "out")
    with pytest.raises(InputError, match=r"out: another training is running there; .* --out"):
        sb.train("basnet-tiny", datasets="ecssd", data_root=root, settings={"validate_on": []}, out="out")
    assert list((here / "out").iterdir()) == []
    holder.communicate("")


def test_a_run_waits_for_the_folder_of_its_maps(here: Path) -> None:
    holder = holding(here / "maps" / "basnet-tiny" / "sample")
    run = sodbench("run", "basnet-tiny", "--datasets", "sample", "--limit", "2", "--quiet")
    assert run.stderr is not None
    assert "another process is writing maps there; waiting" in run.stderr.readline()
    assert run.poll() is None and list((here / "maps").rglob("*.png")) == []
    holder.communicate("")
    run.communicate(timeout=300)
    assert run.returncode == 0 and len(list((here / "maps").rglob("*.png"))) == 2


def test_four_writers_of_one_record_and_two_reports(here: Path) -> None:
    for name in ("maps", "masks"):
        (here / name).mkdir()
        for number in range(3):
            pixels = np.zeros((20, 24), np.uint8)
            pixels[4:12, 5 + number : 15] = 255
            Image.fromarray(pixels).save(here / name / f"{number}.png")
    writers = [subprocess.Popen([sys.executable, "-c", SAVE], stderr=subprocess.PIPE) for _ in range(4)]
    for writer in writers:
        _, err = writer.communicate(timeout=300)
        assert writer.returncode == 0, err.decode()
    records = read_records(here / "reports")
    assert len(records.runs) == 1 and records.problems == []
    left = [path.name for path in (here / "reports" / "runs" / "m").iterdir()]
    assert left == ["s"]
    reports = [sodbench("report", "--formats", "markdown", "--figures", "pr") for _ in range(2)]
    for report in reports:
        _, said = report.communicate(timeout=300)
        assert report.returncode == 0, said
    assert (here / "reports" / "leaderboard.md").is_file() and list(here.rglob("*.part")) == []
