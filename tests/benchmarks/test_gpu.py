"""benchmarks/gpu.py: all parts on the CPU, going on after a kill, refusals in one line, its page."""

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest
import torch

TOP = Path(__file__).resolve().parents[2]
SCRIPT = TOP / "benchmarks" / "gpu.py"
PAGE = TOP / "docs" / "gpu.md"
NAMES = ["parity", "speed", "steps", "checks", "stages", "trainings"]


def command(out: Path, *more: str) -> list[str]:
    return [sys.executable, str(SCRIPT), "--out", str(out), *more]


def table(out: Path, part: str) -> dict[str, Any]:
    rows: dict[str, Any] = json.loads((out / f"{part}.json").read_text())["rows"]
    return rows


@pytest.mark.slow
@pytest.mark.skipif(not hasattr(signal, "setitimer"), reason="needs the timers of POSIX")
def test_all_parts_on_a_cpu_and_after_a_kill(tmp_path: Path) -> None:
    out = tmp_path / "out"
    environment = {**os.environ, "OMP_NUM_THREADS": "1"}
    first = subprocess.Popen(
        command(out, "--tiny", "--parts", "parity"), env=environment, stdout=subprocess.PIPE, text=True
    )
    assert first.stdout is not None
    for line in first.stdout:
        if "basnet-tiny fp32" in line:
            break
    first.kill()
    first.wait()
    cut = table(out, "parity")
    assert cut["basnet-tiny fp32"]["cells"]["equal"] == "yes"
    assert "basnet-tiny fp32 | its own | 1 | 0 |" in (out / "tables.md").read_text()

    began = time.time()
    # two calls at once, as they wait for processes most of the time; then one of everything
    halves = [
        subprocess.Popen(command(out, "--tiny", "--parts", *names), env=environment, stdout=subprocess.PIPE)
        for names in (NAMES[:3] + NAMES[4:5], NAMES[3:4] + NAMES[5:])
    ]
    outputs = [half.communicate()[0].decode() for half in halves]
    assert [half.returncode for half in halves] == [0, 0]
    kept = table(out, "parity")["basnet-tiny fp32"]
    assert kept == cut["basnet-tiny fp32"]
    assert "parity: basnet-tiny fp32" not in outputs[0]
    done = subprocess.run(command(out, "--tiny"), env=environment, capture_output=True, text=True, check=True)
    assert [line.split(":")[0] for line in done.stdout.splitlines() if ": skipped," in line] == NAMES
    left_out = {"left out of --tiny", "needs CUDA"}
    for part in NAMES:
        for row, content in table(out, part).items():
            assert "cells" in content or content.get("not_measured") in left_out, (part, row, content)
    everything = {row: content for part in NAMES for row, content in table(out, part).items()}
    for row in ("u2netp fp32", "basnet: batch normalisations folded", "hybrid loss and its gradient"):
        assert everything[row]["cells"]["equal"] == "yes", row
    for row in ("--deterministic twice", "killed and resumed, against one without a break"):
        assert everything[row]["cells"]["result"] == "equal to the bit", row
    assert everything["two ranks on one device, gloo"]["cells"]["result"] == "as one process"
    for row in ("bf16, CUDA graphs", "two ranks on two GPUs, NCCL"):
        assert everything[row]["not_measured"] == "needs CUDA"
    assert everything["basnet-modern"]["cells"]["steps"] == 4
    assert everything["sodbench run, with its record"]["cells"]["pictures/s"] > 0
    assert (out / "basnet-modern-weights" / "weights.pth.parts.json").stat().st_mtime > began
    assert not list(out.glob("scratch*"))


@pytest.fixture()
def gpu(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Any:
    """The script as a module."""
    monkeypatch.syspath_prepend(str(SCRIPT.parent))
    monkeypatch.setenv("SODBENCH_CACHE", os.environ["SODBENCH_CACHE"])
    import gpu

    return gpu


def said(
    gpu: Any, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], *words: str
) -> tuple[int, str, str]:
    monkeypatch.setattr(sys, "argv", ["gpu.py", *words])
    code = gpu.main()
    printed = capsys.readouterr()
    return code, printed.out, printed.err


def test_one_line_where_it_cannot_run(
    gpu: Any, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    monkeypatch.setattr(gpu, "told", lambda: {"began": 0, "scratch": str(tmp_path / "scratch"), "ended": []})
    monkeypatch.setattr(gpu, "end_with_parent", lambda _: None)
    out = tmp_path / "out"
    for words, expected in (
        ((), "torch finds no GPU; --tiny runs all parts on the CPU"),
        (("--parts", "spede"), "--parts spede: unknown; expected parity, speed"),
        (("--data-root", str(tmp_path / "none")), "no such folder"),
        (("--minutes", "0"), "--minutes"),
    ):
        code, printed, error = said(gpu, monkeypatch, capsys, "--out", str(out), *words)
        assert (code, printed, error.count("\n")) == (2, "", 1)
        assert expected in error
    assert not out.exists()


def test_the_page_has_the_tables_of_the_script(
    gpu: Any, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    """The same titles, columns and rows, in order; a cell holds a figure or says that there is none."""
    code, printed, _ = said(gpu, monkeypatch, capsys, "--show", "--out", str(tmp_path))
    assert code == 0

    def shape(text: str) -> list[str]:
        lines = [line for line in text.splitlines() if line.startswith(("### ", "| "))]
        return [line if line.startswith(("###", "| |")) else line.split(" | ")[0] for line in lines]

    page = PAGE.read_text(encoding="utf-8").partition("<!-- tables -->")[2].partition("<!-- end -->")[0]
    assert shape(page) == shape(printed)
    rows = [line for line in page.splitlines() if line.startswith("| ") and not line.startswith("| |")]
    assert rows and all(cell.strip() for row in rows for cell in row.strip("|").split("|"))


def test_a_row_that_cannot_be_measured_leaves_the_others(
    gpu: Any, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    """Too little memory, an error, the end of the time; and a table of another commit is put aside."""
    from gpu_parts import part as part_module
    from gpu_parts.part import Part, Records, carry_out
    from gpu_parts.setting import Setting

    setting = Setting("cuda", tmp_path, tmp_path / "scratch", None, False, 1)
    monkeypatch.setattr(part_module, "_answers", lambda _: True)
    monkeypatch.setattr(torch.cuda, "synchronize", lambda: None)
    monkeypatch.setattr(torch.cuda, "mem_get_info", lambda: (3e9, 8e9))
    monkeypatch.setattr(torch.cuda, "empty_cache", lambda: None)

    def measure(_: Setting, row: str, done: Any) -> Any:
        if row == "large":
            setting.need_memory(6.0)
        if row == "full":
            raise torch.OutOfMemoryError("CUDA out of memory. Tried to allocate 2 GiB")
        if row == "broken":
            raise ValueError("two\nlines")
        if row == "slow":
            signal.setitimer(signal.ITIMER_REAL, 0.1)  # its time is over
            time.sleep(60)
        return {"figure": 1234.5 if row == "good" else done["good"]["figure"] / 2}

    rows = ("good", "large", "full", "broken", "slow", "last")
    part = Part("some", "Some", ("figure",), rows, 0.5, measure)
    carry_out(part, setting, Records(part, tmp_path, {"commit": "a" * 40, **MADE}), time.monotonic() + 10)
    text = (tmp_path / "tables.md").read_text()
    assert "| good | 1,234 |\n| large | not measured |" in text
    assert "- large: not measured: needs about 6 GB of GPU memory; 3.0 GB are free" in text
    assert "- full: not measured: needs more memory: CUDA out of memory." in text
    assert "- broken: failed: ValueError: two lines" in text
    assert set(table(tmp_path, "some")) == {"good", "large", "full", "broken", "last"}
    records = Records(part, tmp_path, {"commit": "a" * 40, **MADE})
    assert records.finished("broken") and not records.finished("slow")
    records.add("slow", {"cells": {}})
    carry_out(part, setting, records, time.monotonic() + 10)
    assert f"some: skipped, {tmp_path / 'some.json'} has all rows" in capsys.readouterr().out
    assert not Records(part, tmp_path, {"commit": "b" * 40, **MADE}).rows
    assert len(list(tmp_path.glob("some-*.json"))) == 1


MEASURING = """
import os, sys, time
sys.path.insert(0, {folder!r})
from pathlib import Path
from gpu_parts.part import Part, Records, carry_out
from gpu_parts.setting import Setting
from gpu_parts.supervision import end_with_parent, told

message = told()
end_with_parent(lambda: None)
out = Path({out!r})

def measure(setting, row, done):
    if row == "crashes":
        os.abort()
    if row == "lost":
        setting.device = "cuda:99"  # answers to nothing
        raise RuntimeError("CUDA error: an illegal memory access was encountered")
    if row == "hangs":
        signal_is_heard_by_nobody()
    if row == "killed":
        os.kill(os.getpid(), 9)
    return {{"figure": 1}}

def signal_is_heard_by_nobody():
    import signal
    signal.signal(signal.SIGALRM, signal.SIG_IGN)
    time.sleep(60)

rows = ("good", "crashes", "lost", "killed", "hangs", "last")
part = Part("some", "Some", ("figure",), rows, 0.5, measure)
setting = Setting("cpu", out, Path(message["scratch"]), None, False, 1, ended=message["ended"])
made_on = {{"device": "a GPU", "torch": "2", "tiny": False, "commit": "a"}}
carry_out(part, setting, Records(part, out, made_on), time.monotonic() + 3)
"""


@pytest.mark.skipif(not hasattr(os, "killpg"), reason="needs the processes of POSIX")
def test_a_row_that_ends_the_process_or_hangs_costs_that_row_only(
    gpu: Any, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    """A crash, a GPU that answers no more, a kill, a call that does not return: a new process goes on."""
    from gpu_parts import supervision

    script, out = tmp_path / "measuring.py", tmp_path / "out"
    (out / "scratch-999999999").mkdir(parents=True)
    (out / "scratch-notes").mkdir()
    monkeypatch.setattr(supervision, "GRACE", 0.5)

    script.write_text(MEASURING.format(folder=str(SCRIPT.parent), out=str(out)))

    def call() -> dict[str, Any]:
        assert supervision.supervise(out, [sys.executable, str(script)]) == 0
        assert sorted(path.name for path in out.glob("scratch*")) == ["scratch-notes"]
        return table(out, "some")

    rows = call()
    assert rows["good"]["cells"] == rows["last"]["cells"] == {"figure": 1}
    assert rows["crashes"]["failed"] == "the process ended by signal SIGABRT"
    assert "illegal memory access" in rows["lost"]["failed"]
    assert rows["hangs"]["failed"] == "it did not end and heard no signal"
    assert "killed" not in rows
    printed = capfd.readouterr().out
    assert "the GPU answers this process no more" in printed and "the process hangs" in printed
    assert "killed: failed: the process ended by signal SIGKILL; the next call measures it" in printed
    assert call() == rows
    assert "killed: failed" in capfd.readouterr().out  # tried again
    script.write_text("import sys; sys.exit(3)")
    assert supervision.supervise(out, [sys.executable, str(script)]) == 1
    assert "gpu.py: error: the measuring process ended by exit code 3" in capfd.readouterr().err


def test_a_row_at_which_a_process_died_is_a_failed_one(gpu: Any, tmp_path: Path) -> None:
    """And one that leaves the GPU dead ends the process with the code that the supervisor knows."""
    from gpu_parts.part import Part, Records, carry_out
    from gpu_parts.setting import Setting
    from gpu_parts.supervision import DEVICE_LOST

    def measure(_: Setting, row: str, done: Any) -> Any:
        if row == "illegal":
            raise RuntimeError("CUDA error: an illegal memory access was encountered")
        return {"figure": 1}

    part = Part("some", "Some", ("figure",), ("died", "illegal", "last"), 0.5, measure)
    ended = [{"part": "some", "row": "died", "how": "the process ended by signal SIGSEGV"}]
    setting = Setting("cpu", tmp_path, tmp_path / "scratch", None, False, 1, ended=ended)
    setting.device = "cuda:99"  # answers to nothing
    with pytest.raises(SystemExit) as stopped:
        carry_out(part, setting, Records(part, tmp_path, MADE | {"commit": "a"}), time.monotonic() + 60)
    assert stopped.value.code == DEVICE_LOST
    rows = table(tmp_path, "some")
    assert rows["died"]["failed"] == "the process ended by signal SIGSEGV"
    assert "illegal memory access" in rows["illegal"]["failed"] and "last" not in rows
    setting.device, setting.ended = "cpu", ()
    carry_out(part, setting, Records(part, tmp_path, MADE | {"commit": "a"}), time.monotonic() + 60)
    assert table(tmp_path, "some")["last"]["cells"] == {"figure": 1}


MADE = {"device": "a GPU", "torch": "2", "tiny": False}
