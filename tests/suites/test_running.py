"""Suites from plan to table: each cell once, what changed, what fails, what is interrupted, who is first."""

import json
import pickle
import shutil
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

import sodbench as sb
from sodbench.cli.main import main
from sodbench.made_maps import list_of
from sodbench.results.loading import read_records
from sodbench.suites.cells import Cell, compute_cell
from sodbench.suites.locks import alone, cell_lock
from sodbench.suites.options import Options
from sodbench.suites.suite import load_suite

from .conftest import TINY

Write = Callable[[str, str], Path]
HEAD = 'title = "Own table"\ndatasets = ["ecssd", "sod"]\nprotocols = ["raw"]\nmetrics = ["MAE", "BER"]\n'
MAPS = '[[methods]]\nname = "DSS"\nmaps = "maps/{dataset}/Mine"\n'
TRAINED = """
[train]
seeds = [0, 1]
settings = { checkpoint_every = 1 }
[[methods]]
name = "net"
baseline = "tiny.toml"
train = true
"""


@pytest.fixture()
def options(root: Path) -> dict[str, Any]:
    """How every call of these tests runs."""
    return {"data_root": root, "device": "cpu", "loaders": 0}


def states(outcomes: tuple[Any, ...]) -> dict[str, str]:
    return {f"{one.method} {one.dataset or 'training'}": one.state for one in outcomes}


def planned(suite: str, root: Path) -> dict[str, str]:
    return states(sb.plan_suite(suite, data_root=root, device="cpu").steps)


def test_a_cell_is_computed_once_and_again_when_something_changes(
    write: Write, maps: str, root: Path, here: Path, options: dict[str, Any]
) -> None:
    write("suites/mine.toml", HEAD + MAPS)
    plan = sb.plan_suite("mine", data_root=root)
    assert plan.counts == {"to do": 2} and not (here / "reports").exists()
    assert [(step.images, step.expected) for step in plan.steps] == [(6, 1000), (3, 300)]
    done = sb.run_suite("mine", **options)
    assert states(done.outcomes) == {"DSS ecssd": "computed", "DSS sod": "computed"}
    assert {run.dataset for run in done.runs} == {"ecssd", "sod"} and done.failures == []
    assert list((here / "reports").glob(".*")) == []  # no lock is left

    before = {path: path.read_bytes() for path in (here / "reports" / "runs").rglob("*.json")}
    told: list[str] = []
    again = sb.run_suite("mine", **options, tell=told.append)
    assert set(states(again.outcomes).values()) == {"reused"} and len(again.runs) == 2
    assert {path: path.read_bytes() for path in before} == before
    assert told == [
        "mine: 2 cells: 2 done",
        "[1/2] DSS on ecssd: reused",
        "[2/2] DSS on sod: reused",
        "mine: 2 reused",
    ]

    changed = next((here / "maps" / "SOD" / "Mine").iterdir())
    changed.write_bytes(next((root / "SOD" / "GT").glob(changed.name)).read_bytes())
    told.clear()
    third = sb.run_suite("mine", **options, tell=told.append)
    assert states(third.outcomes) == {"DSS ecssd": "reused", "DSS sod": "computed"}
    (line,) = [line for line in told if "changed" in line]
    assert line.startswith("DSS on sod: computed again, because this changed: maps: ") and ", was " in line
    # a family more: both cells again, by name
    write("suites/mine.toml", HEAD.replace('"BER"', '"BER", "S"') + MAPS)
    (first, _) = sb.plan_suite("mine", data_root=root).steps
    assert first.changed == ("metrics raw: MAE S BER, was MAE BER",), first.changed


def test_trainings_are_reused_resumed_and_set_aside(
    write: Write,
    here: Path,
    root: Path,
    options: dict[str, Any],
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    write("tiny.toml", TINY)
    suite = str(write("own.toml", HEAD + TRAINED))
    assert planned(suite, root)["net-seed1 training"] == "to do"

    # interrupted in the first training, after two steps
    from sodbench.training import trainer

    saved, calls = trainer.save_checkpoint, []

    def interrupt(path: Path, content: Any) -> None:
        saved(path, content)
        calls.append(path)
        if len(calls) == 2:
            raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(trainer, "save_checkpoint", interrupt)
        with pytest.raises(KeyboardInterrupt):
            sb.run_suite(suite, **options)
    assert (here / "training/own/net-seed0/last.pt").is_file()
    (step, *_) = sb.plan_suite(suite, data_root=root, device="cpu").steps
    assert (step.state, step.reason) == ("to do", "interrupted; goes on from its last checkpoint")
    done = sb.run_suite(suite, **options)
    assert set(states(done.outcomes).values()) == {"computed"} and len(done.outcomes) == 6
    folder = here / "training" / "own" / "net-seed0"
    weights = folder.joinpath("weights.pth").read_bytes()
    assert not (folder / "last.pt").exists()
    # as if it had not been interrupted
    sb.run_suite(suite, training="other", reports="other", maps="other", **options)
    assert (here / "other/own/net-seed0/weights.pth").read_bytes() == weights
    assert {run.name for run in done.runs} == {"net-seed0", "net-seed1"}
    recorded = done.runs[0].provenance
    assert recorded.baseline == "reports:../tiny.toml"
    assert recorded.weights == "reports:../training/own/net-seed0/weights.pth"

    # killed when its record was written, before the list of its maps was removed
    run = done.runs[0]
    left = list_of(here / "maps" / run.name / run.dataset, run.images)
    assert (left.parent / f"{run.images[0]}.png").is_file()
    left.write_text("{}\n")
    assert set(states(sb.run_suite(suite, **options).outcomes).values()) == {"reused"}
    assert not left.exists()

    # another setting: what changed is said, the former training is kept, and is taken back with its setting
    suite_text = (here / "own.toml").read_text()
    write("own.toml", suite_text.replace("checkpoint_every = 1", "lr = 2e-3"))
    steps = sb.plan_suite(suite, data_root=root, device="cpu").steps
    assert steps[0].changed == ("training.lr: 0.002, was 0.001",)
    capsys.readouterr()
    arguments = ["--data-root", str(root), "--device", "cpu", "--loaders", "0", "--quiet", "--json"]
    assert main(["suite", "run", "own.toml", *arguments]) == 0
    out, err = capsys.readouterr()
    assert "training of net-seed0: computed again, because this changed: training.lr: 0.002, was 0.001" in err
    assert "made with other settings; it is kept as" in err
    content = json.loads(out)
    assert {step["state"] for step in content["steps"]} == {"computed"}
    assert len(content["results"]) == 4 and content["suite"] == "own"
    assert len(list(folder.parent.iterdir())) == 4
    write("own.toml", suite_text)
    with pytest.warns(sb.errors.Note, match="made with other settings; it is kept as"):
        back = states(sb.run_suite(suite, **options).outcomes)
    assert back["net-seed0 training"] == back["net-seed1 training"] == "reused"
    assert back["net-seed0 ecssd"] == "computed" and folder.joinpath("weights.pth").read_bytes() == weights

    # the table joins the seeds
    written = sb.report_suite(suite, formats=["markdown", "latex", "html", "csv", "json"], data_root=root)
    assert written.notes == ()
    table = (here / "reports/suites/own/table.md").read_text()
    (row,) = [line for line in table.splitlines() if line.startswith("| net")]
    assert row.startswith("| net (2 seeds) |") and row.count("±") == 4
    assert "| method | ECSSD (6/1000) MAE ↓ | ECSSD (6/1000) BER ↓ | SOD (3/300) MAE ↓" in table
    names = [
        "table.md",
        "table.html",
        "table.tex",
        "table.bib",
        "table.csv",
        "leaderboard.csv",
        "leaderboard.json",
    ]
    assert [path.name for path in written.documents] == names and all(map(Path.is_file, written.documents))


def test_a_failure_ends_its_cells_and_no_others(
    write: Write, maps: str, root: Path, options: dict[str, Any], capsys: pytest.CaptureFixture[str]
) -> None:
    write("tiny.toml", TINY)
    write("own.toml", HEAD + TRAINED.replace("checkpoint_every = 1", "lr = 1e30") + MAPS)
    arguments = ["--data-root", str(root), "--device", "cpu", "--loaders", "0", "--quiet", "--json"]
    assert main(["suite", "run", "own.toml", *arguments]) == 1
    out, err = capsys.readouterr()
    found = {(step["method"], step["dataset"]): step["state"] for step in json.loads(out)["steps"]}
    assert found["net-seed0", None] == found["net-seed1", None] == "failed"
    assert (
        found["net-seed0", "sod"] == "failed" and found["DSS", "sod"] == found["DSS", "ecssd"] == "computed"
    )
    errors = [line for line in err.splitlines() if line.startswith("sodbench: error: ")]
    assert len(errors) == 6
    assert errors[0].startswith("sodbench: error: training of net-seed0: failed: the loss is nan at step")
    assert errors[1].startswith("sodbench: error: net-seed0 on ecssd: failed: its training failed: the loss")


def test_what_is_impossible_is_said_with_what_to_fetch(
    write: Write, maps: str, root: Path, here: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SODBENCH_WEIGHTS", str(here / "none"))
    text = HEAD.replace('"sod"', '"duts-te"') + MAPS + '[[methods]]\nbaseline = "u2net"\n'
    text += '[[methods]]\nbaseline = "deeplabv3-tiny"\ntrain = true\n'
    path = write("own.toml", text)
    plan = sb.plan_suite(path, data_root=root, device="cpu")
    assert states(plan.steps) == {
        "DSS ecssd": "to do",
        "DSS duts-te": "impossible",
        "u2net ecssd": "impossible",
        "u2net duts-te": "impossible",
        "deeplabv3-tiny-seed0 training": "impossible",
        "deeplabv3-tiny-seed0 ecssd": "impossible",
        "deeplabv3-tiny-seed0 duts-te": "impossible",
    }
    assert plan.fetch == [
        "sodbench datasets fetch duts-te",
        "sodbench baselines fetch u2net",
        "sodbench datasets fetch duts-tr",
    ]
    text = "\n".join(plan.lines())
    assert "u2net on ecssd: u2net: weights not found" in text and "own: 1 training and 6 cells" in text
    # code that a suite names does not run unless it is trusted
    path = write("own.toml", HEAD + '[[methods]]\nname = "code"\nbaseline = "net.py:create"\n')
    write("net.py", "raise SystemExit('code ran')\n")
    (step, _) = sb.plan_suite(path, data_root=root, device="cpu").steps
    assert step.state == "impossible" and "--trust" in step.reason


def test_a_record_that_holds_a_further_protocol_is_still_done(
    write: Write, maps: str, root: Path, here: Path, options: dict[str, Any]
) -> None:
    write("suites/mine.toml", HEAD + MAPS)
    sb.run_suite("mine", **options)
    table = sb.report_suite("mine", data_root=root).documents[0].read_text()
    notes = sb.report("reports", protocols=["basnet2019"], rescore=True, figures=[], data_root=root).notes
    assert any("scored again under basnet2019: DSS on ECSSD, DSS on SOD" in note for note in notes)
    assert all(list(run.tables) == ["raw", "basnet2019"] for run in sb.load_runs("reports"))
    assert set(planned("mine", root).values()) == {"done"}
    assert sb.report_suite("mine", data_root=root).documents[0].read_text() == table


def test_two_drivers_share_the_cells(write: Write, maps: str, root: Path, options: dict[str, Any]) -> None:
    suite = write("own.toml", HEAD + MAPS + MAPS.replace("DSS", "Other"))
    row = next(load_suite(suite).rows())
    other = Cell(row, "ecssd")
    told: list[str] = []
    ended: list[Any] = []

    def drive() -> None:
        ended.append(sb.run_suite(suite, **options, tell=told.append))

    with pytest.warns(sb.errors.Note, match="DSS on ecssd: another process is at it; waiting"):
        thread = threading.Thread(target=drive)
        with alone(cell_lock(other, Options())):
            assert planned(str(suite), root)["DSS ecssd"] == "running"
            thread.start()
            while not any(line.startswith("[3/4]") for line in told):
                assert thread.is_alive()
                thread.join(0.01)
            # the other driver brings its cell to the end
            sb.score_maps(
                "maps/ECSSD/Mine",
                "ecssd",
                name="DSS",
                protocols="raw",
                metrics=["MAE", "BER"],
                data_root=root,
            )
        thread.join()
    found = states(ended[0].outcomes)
    assert found.pop("DSS ecssd") == "reused" and set(found.values()) == {"computed"}
    assert [line.split(":")[0] for line in told[1:4]] == [
        "[1/4] DSS on sod",
        "[2/4] Other on ecssd",
        "[3/4] Other on sod",
    ]


def test_a_report_shows_no_cell_of_other_settings(
    write: Write, maps: str, root: Path, options: dict[str, Any], here: Path
) -> None:
    suite = write("own.toml", HEAD + MAPS)
    with pytest.raises(sb.InputError, match=r"no cell of this suite is done.*sodbench suite run"):
        sb.report_suite(suite, data_root=root)
    sb.run_suite(suite, **options)
    write("own.toml", HEAD.replace('["raw"]', '["raw", "pysodmetrics"]') + MAPS)
    with pytest.raises(sb.InputError, match="recorded with other settings"):
        sb.report_suite(suite, data_root=root)
    write("own.toml", HEAD + MAPS)
    # a damaged record is computed again
    record = here / "reports/runs/DSS/sod/run.json"
    content = json.loads(record.read_text())
    content["protocols"]["raw"]["scores"]["MAE"] = 0.0
    record.write_text(json.dumps(content))
    plan = sb.plan_suite(suite, data_root=root)
    assert [step.state for step in plan.steps] == ["done", "to do"] and "MAE" in plan.steps[1].reason
    written = sb.report_suite(suite, data_root=root)
    assert written.notes == ("1 of 2 cells: no record: DSS on sod",)
    sb.run_suite(suite, **options)
    assert len(read_records(here / "reports").runs) == 2
    assert [step.state for step in sb.plan_suite(suite, data_root=root).steps] == ["done", "done"]


def test_a_cell_can_be_sent_to_another_process(
    write: Write, maps: str, root: Path, here: Path, options: dict[str, Any]
) -> None:
    suite = load_suite(write("own.toml", HEAD + MAPS))
    cell = Cell(next(suite.rows()), "sod")
    sent = pickle.loads(pickle.dumps((suite, cell, Options(data_root=root))))
    run = compute_cell(*sent)
    assert (run.name, run.dataset, set(run.values())) == ("DSS", "sod", {"MAE@raw", "BER@raw"})
    assert planned(str(suite.path), root) == {"DSS ecssd": "to do", "DSS sod": "done"}


def test_a_table_holds_the_published_rows_of_its_methods(
    root: Path, here: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """From a record whose weights are not here: it is shown, and the note says that it is not checked."""
    monkeypatch.setenv("SODBENCH_WEIGHTS", str(here / "none"))
    place = here / "reports" / "runs" / "u2netp" / "sod"
    shutil.copytree(Path(__file__).parents[2] / "reports" / "runs" / "u2netp" / "sod", place)
    written = sb.report_suite("qin", formats=["markdown", "html", "latex"], data_root=root)
    assert written.notes == (
        "43 of 44 cells: no record: basnet on dut-omron, basnet on duts-te, basnet on hku-is ... and 40 more",
        "1 of 44 cells: shown as recorded; it cannot be checked here: u2netp on sod",
    )
    lines = (here / "reports/suites/qin/table.md").read_text().splitlines()
    rows = [line for line in lines if line.startswith("| ") and "†" in line]
    source = "[U²-Net paper, Tables 3 and 4](https://doi.org/10.1016/j.patcog.2020.107404)"
    name = f"*U²-Net† (4.7 MB)* — {source}"
    assert rows == [f"| {name} | *.841* (+.006) | *.124* (−.003) | *.559* (+.001) |  |  |"]
    assert "2 published values not shown: the source does not state its toolkit" in "\n".join(lines)
    page = (here / "reports/suites/qin/table.html").read_text()
    assert (
        '<th scope="colgroup" colspan="5">SOD</th>' in page and "<em>.841</em> <small>(+.006)</small>" in page
    )
    text = (here / "reports/suites/qin/table.tex").read_text()
    assert (
        r"\textit{U\textsuperscript{2}{-}Net\textdagger{} (4.7 MB)}\textsuperscript{a} & \textit{.841}"
        in text
    )


@pytest.mark.slow
def test_a_training_in_two_processes_of_torchrun(
    write: Write, here: Path, root: Path, options: dict[str, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("OMP_NUM_THREADS", "1")
    write("tiny.toml", TINY)
    table = (HEAD + TRAINED).replace('"ecssd", "sod"', '"sod"').replace("[0, 1]", "[0]\nprocesses = 2")
    suite = str(write("own.toml", table))
    done = sb.run_suite(suite, **options)
    assert states(done.outcomes) == {"net-seed0 training": "computed", "net-seed0 sod": "computed"}
    record = json.loads((here / "training/own/net-seed0/training.json").read_text())
    assert record["processes"] == 2 and record["recipe"]["checkpoint_every"] == 1
    assert planned(suite, root)["net-seed0 training"] == "done"
    # the number of processes moves the last digits: with another one the network is trained again
    write("own.toml", table.replace("processes = 2", "processes = 1"))
    (step, *_) = sb.plan_suite(suite, data_root=root, device="cpu").steps
    assert step.state == "to do" and step.changed == ("processes: not there, was 2",)
    # the message of the processes is the suite's
    write("own.toml", table.replace("checkpoint_every = 1", "lr = 1e38"))
    failed = sb.run_suite(suite, **options)
    assert states(failed.outcomes)["net-seed0 training"] == "failed"
    assert "the loss is nan at step 1" in failed.outcomes[0].reason


def test_the_time_of_the_rest_follows_from_records_of_this_processor(
    write: Write,
    maps: str,
    root: Path,
    options: dict[str, Any],
    here: Path,
    capsys: pytest.CaptureFixture[str],
) -> None:
    suite = write("own.toml", HEAD + MAPS)
    assert sb.plan_suite(suite, data_root=root).unknown == 2
    sb.run_suite(suite, **options)
    write("own.toml", HEAD + MAPS + MAPS.replace("DSS", "Other"))
    plan = sb.plan_suite(suite, data_root=root)
    seconds = [run.provenance.seconds for run in read_records(here / "reports").runs]
    assert plan.unknown == 0 and plan.seconds == pytest.approx(sum(seconds))
    for path in (here / "reports").rglob("run.json"):
        content = json.loads(path.read_text())
        content["provenance"]["device"]["cpu"] = "another processor"
        path.write_text(json.dumps(content))
    assert sb.plan_suite(suite, data_root=root).unknown == 2
    assert main(["suite", "plan", "own.toml", "--data-root", str(root), "--json"]) == 0
    content = json.loads(capsys.readouterr().out)
    assert content["counts"] == {"done": 2, "to do": 2} and content["unknown"] == 2
    assert content["steps"][2]["kind"] == "cell" and content["steps"][2]["method"] == "Other"
    assert main(["suite", "status", "own.toml", "--data-root", str(root)]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert lines[0].split() == ["method", "ecssd", "sod"]
    assert lines[1].split() == ["DSS", "done", "done"] and lines[2].split() == [
        "Other",
        "to",
        "do",
        "to",
        "do",
    ]
