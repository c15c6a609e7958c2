"""`sodbench runs`: recorded runs are listed, shown, removed and renamed; the others stay as they are."""

import json
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

import sodbench as sb
from sodbench.cli.main import main
from sodbench.errors import InputError
from sodbench.metrics import load_protocol
from sodbench.results import renaming
from sodbench.results.loading import read_records
from sodbench.results.saving import save_run

from .stand_in import StandInDataset, new_run, run, table

RUNS = Path("reports/runs")


@pytest.fixture()
def records(here: Path) -> Path:
    """DSS on sod and ecssd, A/B on sod; one has a calibration-free second protocol, all curves of images."""
    save_run("reports", run("DSS"))
    save_run("reports", run("DSS", "ecssd", seed=1))
    two = {
        "pysodmetrics": table(12, 2),
        "basnet2019": table(12, 2, "basnet2019", load_protocol("basnet2019").levels),
    }
    save_run("reports", new_run("A/B", StandInDataset(), two))
    return here / "reports"


def beside(reports: Path, name: str = "DSS") -> list[Path]:
    """Something of each kind beside the records."""
    paths = [
        reports / "shards" / name / "sod" / "1-of-2" / "shard.json",
        reports / "stress" / name / "sod" / "stress.json",
        reports / "efficiency" / f"{name}.json",
        reports / "gallery" / "sod" / f"000-{name}.jpg",
        reports / "gallery" / "sod" / f"000-{name}2.jpg",  # of another method
    ]
    for path in paths:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text("{}")
    return paths


def files(folder: Path) -> dict[str, bytes]:
    return {str(path): path.read_bytes() for path in sorted(folder.rglob("*")) if path.is_file()}


def printed(capsys: pytest.CaptureFixture[str], *command: str, code: int = 0) -> str:
    capsys.readouterr()
    assert main(["runs", *command]) == code
    said = capsys.readouterr()
    return said.out if code == 0 else said.err


def test_list(records: Path, capsys: pytest.CaptureFixture[str]) -> None:
    lines = printed(capsys, "list").splitlines()
    assert " ".join(lines[0].split()) == "method data set images protocols MAE maxF S date size"
    loaded = {(one.name, one.dataset): one for one in sb.load_runs("reports")}
    assert [line.split()[:2] for line in lines[1:]] == [["A/B", "sod"], ["DSS", "ecssd"], ["DSS", "sod"]]
    row = lines[1]
    assert "12/12" in row and "pysodmetrics, basnet2019" in row
    assert f"{loaded['A/B', 'sod'].values()['maxF@pysodmetrics']:.4f}" in row
    content = json.loads(printed(capsys, "list", "--methods", "DSS", "--datasets", "ecssd", "--json"))
    (one,) = content["runs"]
    assert one["scores"] == dict(loaded["DSS", "ecssd"].values())
    assert one["bytes"] == sum(path.stat().st_size for path in Path(one["folder"]).iterdir())
    assert "unknown method 'DS' (did you mean 'DSS'?)" in printed(capsys, "list", "--methods", "DS", code=2)


def test_show(root: Path, network: tuple[str, Path], here: Path, capsys: pytest.CaptureFixture[str]) -> None:
    made = sb.evaluate(network[0], "sod", weights=network[1], data_root=root, name="x", device="cpu")
    text = printed(capsys, "show", "x", "--dataset", "sod")
    for part in (
        "x on sod (SOD), 3/300 images",
        "batch size 4, cpu",
        "maps/x/sod",
        "run.json",
        "prediction code",
    ):
        assert part in text
    assert made.weights_sha256 in text and f"{made.values()['S@pysodmetrics']:.4f}" in text
    (one,) = json.loads(printed(capsys, "show", "x", "--json"))["runs"]
    assert one["provenance"]["depends_on"] == made.provenance.depends_on
    assert set(one["files"]) == {path.name for path in (RUNS / "x/sod").iterdir()}
    assert "unknown data set of x 'ecssd'" in printed(capsys, "show", "x", "--dataset", "ecssd", code=2)
    (RUNS / "x/sod/curves.parquet").unlink()
    assert "curves.parquet is missing" in printed(capsys, "show", "x", code=2)


def test_remove_says_what_it_removes_and_what_it_leaves(
    records: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    shards, stress, speed, thumbnail, others = beside(records)
    kept = files(RUNS / "A%2FB")
    said = printed(capsys, "rm", "DSS", "--dataset", "sod").splitlines()
    assert said == [
        f"removed {Path('reports/runs/DSS/sod')}: the record of DSS on sod",
        f"left    {shards.parents[1].relative_to(Path.cwd())}: shards",
        f"left    {stress.parent.relative_to(Path.cwd())}: stress",
        f"left    {thumbnail.relative_to(Path.cwd())}: thumbnails",
    ]
    assert [path.name for path in (RUNS / "DSS").iterdir()] == ["ecssd"] and shards.exists()
    (RUNS / "DSS/ecssd/run.json").write_text("{")  # what cannot be read can be removed
    removed = sb.remove_runs(
        ["DSS", "DSS"], reports="reports", also=["shards", "speed", "stress", "thumbnails"]
    )
    assert {one.kind for one in removed.beside} == {"shards", "speed", "stress", "thumbnails"}
    assert not removed.left and len(removed.records) == 1
    assert not any(path.exists() for path in (shards, stress, speed, thumbnail)) and others.exists()
    assert not (records / "shards").exists() and not (RUNS / "DSS").exists()
    assert files(RUNS) == kept


@pytest.mark.parametrize(
    "names", [["*"], ["DSS", "D*"], ["DSS", "dss"], [""], ["."], [".."], ["DSS/sod"], ["/"]]
)
def test_remove_takes_whole_names_and_all_or_none(
    records: Path, names: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    before = files(records)
    printed(capsys, "rm", *names, code=2)
    assert files(records) == before


def test_remove_leaves_what_is_no_record(records: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (RUNS / "DSS/sod/notes.txt").write_text("mine")
    before = files(records)
    assert "holds notes.txt, which is no part of a record" in printed(capsys, "rm", "A/B", "DSS", code=2)
    assert files(records) == before
    elsewhere = records.parent / "elsewhere"
    (RUNS / "A%2FB/sod").rename(elsewhere)
    (RUNS / "A%2FB/sod").symlink_to(elsewhere)
    printed(capsys, "rm", "A/B")
    assert not (RUNS / "A%2FB").exists() and (elsewhere / "run.json").is_file(), "the link alone"


def test_remove_names_the_maps_that_stay(root: Path, here: Path, capsys: pytest.CaptureFixture[str]) -> None:
    sb.score_maps(root / "SOD" / "GT", "sod", name="x", data_root=root)
    before = files(root)
    assert f"left    {root / 'SOD' / 'GT'}: maps" in printed(capsys, "rm", "x")
    assert files(root) == before


def test_no_former_record_comes_back(records: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """What a crash between two renames has left stands in for a record, and must not after a removal."""
    shutil.copytree(RUNS / "DSS/sod", RUNS / "DSS/.sod.old-0123456789ab")
    sb.remove_runs("DSS", "sod")
    assert [path.name for path in (RUNS / "DSS").iterdir()] == ["ecssd"]
    (RUNS / "DSS/ecssd").rename(RUNS / "DSS/.ecssd.old-0123456789ab")
    assert [one.dataset for one in sb.remove_runs("DSS").records] == ["ecssd"]
    assert not (RUNS / "DSS").exists()


def test_rename_keeps_everything_but_the_name(
    root: Path, network: tuple[str, Path], here: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    options = {"weights": network[1], "data_root": root, "name": "x", "device": "cpu"}
    sb.evaluate(network[0], "sod", protocols=["pysodmetrics", "basnet2019"], **options)
    sb.evaluate(network[0], "ecssd", metrics=["calibration", "MAE"], **options)
    parquet = {path.relative_to(RUNS / "x"): path.read_bytes() for path in (RUNS / "x").rglob("*.parquet")}
    assert len(parquet) == 6
    before = {one.dataset: one for one in sb.load_runs("reports")}
    beside(here / "reports", "x")
    said = printed(capsys, "mv", "x", "U2/net [1]")
    assert (
        "renamed x on sod to U2/net [1]" in said
        and f"left    {Path('reports/efficiency/x.json')}: speed" in said
    )
    assert not (RUNS / "x").exists()
    new = RUNS / "U2%2Fnet [1]"
    assert {path.relative_to(new): path.read_bytes() for path in new.rglob("*.parquet")} == parquet
    after = sb.load_runs("reports")
    assert sb.audit("reports", data_root=root).failed == () and len(after) == 2
    for one in after:
        then = before[one.dataset]
        assert one.name == "U2/net [1]" and one.values() == then.values()
        assert one.provenance.former_names == ("x",)
        assert (
            one.maps_folder() == then.maps_folder()
            and one.provenance.depends_on == then.provenance.depends_on
        )
    assert sb.rename_runs("U2/net [1]", "y")[0].provenance.former_names == ("x", "U2/net [1]")
    sb.rename_runs("y", "x")
    sb.evaluate(network[0], "ecssd", metrics=["calibration", "MAE"], **options)  # the same cell as before


def test_rename_refuses(records: Path, capsys: pytest.CaptureFixture[str]) -> None:
    before = files(records)
    for words, message in (
        (("DSS", "A/B"), "A%2FB/sod: holds a record of A/B on sod already"),
        (("DSS", "DSS"), "the new name is the former one"),
        (("DSS", ""), "a run needs a name"),
        (("dss", "new"), "unknown method 'dss' (did you mean 'DSS'?)"),
    ):
        assert message in printed(capsys, "mv", *words, code=2).replace("\\", "/")
    assert files(records) == before
    path = RUNS / "DSS/sod/run.json"
    path.write_text(path.read_text().replace('"MAE": 0.', '"MAE": 0.1'))
    before = files(records)
    said = printed(capsys, "mv", "DSS", "new", code=2)
    assert "nothing was renamed: " in said and "; score the maps again, or see what differs with" in said
    assert files(records) == before


@pytest.mark.parametrize("after", [1, 2, 3])
def test_rename_goes_on_where_it_was_interrupted(
    records: Path, after: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Stopped before the second record is written, before the first is removed, before the second is."""
    calls = 0

    def stop_at(function: object) -> object:
        def called(*arguments: object) -> object:
            nonlocal calls
            calls += 1
            if calls > after:
                raise KeyboardInterrupt
            return function(*arguments)  # type: ignore[operator]

        return called

    with monkeypatch.context() as patch:
        patch.setattr(renaming, "add_run", stop_at(renaming.add_run))
        patch.setattr(renaming, "remove_record", stop_at(renaming.remove_record))
        with pytest.raises(KeyboardInterrupt):
            sb.rename_runs("DSS", "new")
    assert not read_records(records).problems
    assert {one.dataset for one in sb.load_runs("reports") if one.name in ("DSS", "new")} == {"sod", "ecssd"}
    sb.rename_runs("DSS", "new")
    assert [(one.name, one.dataset) for one in sb.load_runs("reports")][1:] == [
        ("new", "ecssd"),
        ("new", "sod"),
    ]
    assert not (RUNS / "DSS").exists()


def test_rename_leaves_a_record_that_was_replaced_meanwhile(
    records: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    added = renaming.add_run

    def replaced(*arguments: object) -> Path:
        save_run("reports", run("DSS", seed=5))
        return added(*arguments)  # type: ignore[arg-type]

    monkeypatch.setattr(renaming, "add_run", replaced)
    with pytest.raises(InputError, match="another process has replaced or removed this record"):
        sb.rename_runs("DSS", "new")
    assert (RUNS / "DSS/sod/run.json").is_file()


def test_three_removals_at_once_and_a_killed_one(records: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    command = [sys.executable, "-m", "sodbench", "runs", "rm", "DSS"]
    processes = [subprocess.Popen(command, stderr=subprocess.PIPE, text=True) for _ in range(3)]
    errors = [process.communicate()[1] for process in processes]
    assert {process.returncode for process in processes} <= {0, 2} and not any(
        "Trace" in one for one in errors
    )
    assert any(process.returncode == 0 for process in processes) and not (RUNS / "DSS").exists()
    with monkeypatch.context() as patch:  # killed between renaming and deleting
        patch.setattr("sodbench.unfinished._remove", lambda path: None)
        sb.remove_runs("A/B")
    assert sb.load_runs("reports") == [] and [path.name[0] for path in (RUNS / "A%2FB").iterdir()] == ["."]
    with pytest.raises(InputError, match="no runs in"):
        sb.remove_runs("A/B")
    assert not (RUNS / "A%2FB").exists()
