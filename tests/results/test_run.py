"""Run records: what is written comes back, whole or not at all."""

import json
import math
import os
import pickle
import shutil
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from functools import cache
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from results.stand_in import StandInDataset, StandInSample, run, table
from sodbench.cli.main import main
from sodbench.errors import InputError
from sodbench.results import saving
from sodbench.results.loading import SCHEMA, RecordedTable, load_runs, read_records
from sodbench.results.new_run import new_run
from sodbench.results.provenance import Prediction, digest_of
from sodbench.results.recorded_paths import locate, portable
from sodbench.results.resampling import scores_of
from sodbench.results.run import conventions
from sodbench.results.saving import save_run


def test_record_comes_back_with_full_precision(tmp_path: Path) -> None:
    made = run("DSS", prediction=Prediction("net", weights_sha256="ab" * 32), seed=3)
    folder = save_run(tmp_path, made)
    assert folder == tmp_path / "runs" / "DSS" / "sod"
    assert {p.name for p in folder.iterdir()} == {
        "run.json",
        "scores.parquet",
        "curves.parquet",
        "image_curves.parquet",
    }
    (back,) = load_runs(tmp_path)
    assert (back.name, back.dataset, back.title, back.count) == ("DSS", "sod", "SOD", "12/12")
    assert back.weights_sha256 == "ab" * 32 and back.dataset_digest == made.dataset_digest
    assert back.provenance == made.provenance and back.provenance.origin == "baseline"
    wrote, read = made.tables["pysodmetrics"], back.tables["pysodmetrics"]
    assert read.scores == wrote.scores
    pd.testing.assert_frame_equal(read.per_image, wrote.per_image)
    pd.testing.assert_frame_equal(read.curves, wrote.curves, check_index_type=False)
    for name, values in wrote.image_curves.items():
        np.testing.assert_array_equal(read.image_curves[name], values)
        assert read.image_curves[name].dtype == np.float32
    pd.testing.assert_frame_equal(back.image_facts(), made.image_facts())
    assert back.values() == {f"{k}@pysodmetrics": v for k, v in wrote.scores.items()}


def test_parquet_columns_are_full_metric_names(tmp_path: Path) -> None:
    frame = pd.read_parquet(save_run(tmp_path, run()) / "scores.parquet")
    assert {"MAE@pysodmetrics", "S@pysodmetrics"} <= set(frame.columns)
    assert frame.index.name == "name" and frame.index[0] == "0000"


def test_several_protocols_share_a_record(tmp_path: Path) -> None:
    tables = {"pysodmetrics": table(seed=1), "basnet2019": table(seed=2, protocol="basnet2019", levels=255)}
    tables["raw"] = replace(table(seed=3, protocol="raw"), image_curves=None)
    save_run(tmp_path, new_run("DSS", StandInDataset(), tables))
    (back,) = load_runs(tmp_path)
    assert list(back.tables) == ["pysodmetrics", "basnet2019", "raw"]
    for name, made in tables.items():
        pd.testing.assert_frame_equal(back.tables[name].per_image, made.per_image)
        assert len(back.tables[name].curves) == len(made.curves)
    assert back.tables["basnet2019"].image_curves["E"].shape == (12, 255)
    assert back.tables["raw"].image_curves is None


def test_scores_that_are_not_numbers_come_back(tmp_path: Path) -> None:
    made = table()
    made.scores["S"] = math.nan
    made.per_image["S"] = math.nan
    save_run(tmp_path, new_run("DSS", StandInDataset(), {"pysodmetrics": made}))
    assert "NaN" not in (tmp_path / "runs/DSS/sod/run.json").read_text()
    assert math.isnan(load_runs(tmp_path)[0].tables["pysodmetrics"].scores["S"])


def test_provenance_says_what_the_numbers_depend_on(tmp_path: Path) -> None:
    begun = datetime.now(UTC) - timedelta(seconds=5)
    made = run(maps=tmp_path / "maps" / "DSS", reports=tmp_path / "reports", started=begun)
    then = made.provenance
    assert {"numpy", "pillow", "pysodmetrics", "sodbench", "python"} <= set(then.versions)
    assert then.device["cores"] and then.command and then.origin == "maps"
    assert 5 <= then.seconds < 60


def test_files_of_the_images_are_relative_to_the_data_folder(tmp_path: Path) -> None:
    folder = tmp_path / "SOD"
    samples = tuple(
        StandInSample(f"{n:04d}", folder / "images" / f"{n:04d}.jpg", tmp_path / "masks" / f"{n:04d}.png")
        for n in range(12)
    )
    made = new_run("a", StandInDataset(folder=folder, samples=samples), {"pysodmetrics": table()})
    save_run(tmp_path, made)
    facts = load_runs(tmp_path)[0].image_facts()
    assert facts.loc["0003", "image_file"] == "images/0003.jpg"
    assert facts.loc["0003", "mask_file"] == "../masks/0003.png"


def test_the_maps_of_the_images_are_known_by_their_digest(tmp_path: Path) -> None:
    for number in range(13):  # one more than was scored
        (tmp_path / f"{number:04d}.png").write_bytes(b"%d" % number)
    (tmp_path / "0003.txt").write_text("a note, no map")
    expected = digest_of([(f"{n:04d}", tmp_path / f"{n:04d}.png") for n in range(12)])
    assert run(maps=tmp_path).provenance.maps_sha256 == expected
    (tmp_path / "0003.png").write_bytes(b"changed")
    assert run(maps=tmp_path).provenance.maps_sha256 != expected
    (tmp_path / "0003.png").unlink()
    assert run(maps=tmp_path).provenance.maps_sha256 is None


def test_two_runs_of_the_same_inputs_write_the_same_bytes(tmp_path: Path) -> None:
    first, second = save_run(tmp_path / "a", run()), save_run(tmp_path / "b", run())
    for name in ("scores.parquet", "curves.parquet", "image_curves.parquet"):
        assert (first / name).read_bytes() == (second / name).read_bytes()


def test_a_run_of_the_same_name_replaces_the_former(tmp_path: Path) -> None:
    save_run(tmp_path, run(seed=1))
    save_run(tmp_path, run(seed=2))
    (back,) = load_runs(tmp_path)
    assert back.tables["pysodmetrics"].scores == run(seed=2).tables["pysodmetrics"].scores
    assert [p.name for p in (tmp_path / "runs/DSS").iterdir()] == ["sod"]


class Killed(BaseException):
    """Stands for a process that ends at this very call: nothing of ours runs after it."""


@cache
def two_runs():
    """Two runs of one method, made once."""
    return run(seed=1), run(seed=2)


@settings(max_examples=40, deadline=None)
@given(at=st.integers(0, 24), before=st.booleans(), clean=st.booleans())
def test_a_crash_anywhere_leaves_the_old_or_the_new_record(at: int, before: bool, clean: bool) -> None:
    """Ends the process at the n-th step on disk, with (`clean`) or without the clean-up of an exception."""
    import tempfile

    old, new = two_runs()
    with tempfile.TemporaryDirectory() as name, pytest.MonkeyPatch.context() as patch:
        reports = Path(name)
        if before:
            save_run(reports, old)
        count = -1
        dead = False

        def stepping(original):
            def call(*args, **kwargs):
                nonlocal count, dead
                if dead and not clean:
                    raise Killed
                count += 1
                if count == at:
                    dead = True
                    raise Killed
                return original(*args, **kwargs)

            return call

        patch.setattr(Path, "mkdir", stepping(Path.mkdir))
        patch.setattr(Path, "rename", stepping(Path.rename))
        patch.setattr(Path, "write_text", stepping(Path.write_text))
        patch.setattr(os, "fsync", stepping(lambda handle: None))
        patch.setattr(pd.DataFrame, "to_parquet", stepping(pd.DataFrame.to_parquet))
        patch.setattr(saving.shutil, "rmtree", stepping(shutil.rmtree))
        crashed = False
        try:
            save_run(reports, new)
        except Killed:
            crashed = True
        patch.undo()
        found = read_records(reports)
        assert not found.problems
        scores = [r.values() for r in found.runs]
        assert scores in ([old.values()], [new.values()]) if before else scores in ([], [new.values()])
        assert crashed or scores == [new.values()]
        for back in found.runs:
            assert len(back.tables["pysodmetrics"].per_image) == 12
        save_run(reports, old)
        assert [p.name for p in (reports / "runs/DSS").iterdir() if ".old-" in p.name] == []


def test_an_exception_leaves_no_trace(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(*_args, **_kwargs):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(pd.DataFrame, "to_parquet", full)
    with pytest.raises(OSError, match="No space"):
        save_run(tmp_path, run())
    assert list((tmp_path / "runs").iterdir()) == []


@pytest.mark.parametrize(
    ("damage", "said"),
    [
        (lambda f: (f / "run.json").unlink(), "no run.json"),
        (lambda f: (f / "scores.parquet").unlink(), "scores.parquet is missing"),
        (lambda f: (f / "curves.parquet").write_bytes(b"PAR1"), "curves.parquet has 4 bytes"),
        (lambda f: (f / "run.json").write_text("{"), "not valid JSON"),
        (lambda f: (f / "run.json").write_text("[1]"), "no schema version"),
        (lambda f: (f / "run.json").write_text('{"schema": true}'), "no schema version"),
        (lambda f: (f / "run.json").write_text('{"schema": 1}'), "name: missing; expected text"),
        (
            lambda f: _change(f, "files", {"scores.parquet": {}}),
            "parquet.bytes: missing; expected a whole",
        ),
        (lambda f: _change(f, "protocols", {"pysodmetrics": {}}), "protocols.pysodmetrics.fields: missing"),
        (
            lambda f: _change(f, "protocols", {"p": {"fields": {}, "scores": {"S": "x"}}}),
            "p.scores.S: expected",
        ),
        (lambda f: _change(f, "protocols", {}), "holds no scores"),
        (
            lambda f: _change(f, "provenance", {"versions": None}),
            "versions: expected a table",
        ),
    ],
)
def test_damaged_records_are_named_and_the_others_read(tmp_path: Path, damage, said: str) -> None:
    save_run(tmp_path, run("good"))
    damage(save_run(tmp_path, run("bad")))
    found = read_records(tmp_path)
    assert [r.name for r in found.runs] == ["good"]
    assert len(found.problems) == 1 and said in found.problems[0] and "bad" in found.problems[0]
    with pytest.warns(UserWarning, match=r"(?s)skipped"):
        assert len(load_runs(tmp_path)) == 1


@pytest.mark.parametrize(("old", "new"), [("level", "step"), ("protocol", "p")])
def test_curves_without_a_column_are_one_line(tmp_path: Path, old: str, new: str) -> None:
    folder = save_run(tmp_path, run("bad"))
    recorded = RecordedTable("pysodmetrics", {}, {}, folder)
    frame = pd.read_parquet(folder / "curves.parquet").rename(columns={old: new})
    frame.to_parquet(folder / "curves.parquet", index=False)
    with pytest.raises(InputError, match=rf"curves\.parquet cannot be read \(.*{old}.*\); score the maps"):
        _ = recorded.curves


def _change(folder: Path, key: str, value: object) -> None:
    content = json.loads((folder / "run.json").read_text())
    (folder / "run.json").write_text(json.dumps(content | {key: value}))


def test_newer_and_too_old_schemas_are_refused_with_the_reason(tmp_path: Path) -> None:
    _change(save_run(tmp_path, run("newer")), "schema", SCHEMA + 1)
    _change(save_run(tmp_path, run("older")), "schema", 0)
    found = read_records(tmp_path)
    assert not found.runs
    assert f"reads up to {SCHEMA}; upgrade sodbench" in found.problems[0]
    assert "older than any that this sodbench reads" in found.problems[1]


def test_recorded_paths_are_found_again_on_another_machine(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    here, there = tmp_path / "here", tmp_path / "there"
    for machine in (here, there):
        (machine / "data" / "SOD").mkdir(parents=True)
        (machine / "work" / "maps" / "DSS").mkdir(parents=True)
    monkeypatch.setenv("SODBENCH_DATA", str(here / "data"))
    made = run(maps=here / "work" / "maps" / "DSS", reports=here / "work" / "reports")
    made = replace(made, provenance=replace(made.provenance, data_folder="data-root:SOD"))
    assert made.provenance.maps == "reports:../maps/DSS"
    save_run(here / "work" / "reports", made)
    text = (here / "work" / "reports" / "runs" / "DSS" / "sod" / "run.json").read_text()
    assert str(tmp_path) not in text
    shutil.copytree(here / "work" / "reports", there / "work" / "reports")
    monkeypatch.setenv("SODBENCH_DATA", str(there / "data"))
    (back,) = load_runs(there / "work" / "reports")
    assert back.maps_folder() == there / "work" / "maps" / "DSS"
    assert back.data_folder() == there / "data" / "SOD"
    assert back.data_folder(here / "data") == here / "data" / "SOD"


@pytest.mark.parametrize(
    ("path", "recorded"),
    [
        ("data/SOD/GT", "data-root:SOD/GT"),
        ("data", "data-root:."),
        ("cache/sample/masks", "cache:sample/masks"),
        ("work/reports/maps", "reports:maps"),
        ("elsewhere/maps", "reports:../../elsewhere/maps"),
    ],
)
def test_a_path_is_recorded_and_located(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, path: str, recorded: str
) -> None:
    monkeypatch.setenv("SODBENCH_CACHE", str(tmp_path / "cache"))
    (tmp_path / path).mkdir(parents=True)
    reports, roots = tmp_path / "work" / "reports", [tmp_path / "none", tmp_path / "data"]
    assert portable(tmp_path / path, reports, roots) == recorded
    assert locate(recorded, reports, roots) == tmp_path / path


def test_a_path_is_located_from_a_linked_reports_folder(tmp_path: Path) -> None:
    (tmp_path / "large" / "disk" / "reports").mkdir(parents=True)
    (tmp_path / "maps").mkdir()
    link = tmp_path / "reports"
    link.symlink_to(tmp_path / "large" / "disk" / "reports", target_is_directory=True)
    recorded = portable(tmp_path / "maps", link)
    assert locate(recorded, link) == (tmp_path / "maps").resolve()


def test_a_run_can_be_pickled(tmp_path: Path) -> None:
    made = run(reports=tmp_path)
    save_run(tmp_path, made)
    for one in (made, *load_runs(tmp_path)):
        back = pickle.loads(pickle.dumps(one))
        assert back.values() == one.values()
        pd.testing.assert_frame_equal(back.image_facts(), one.image_facts())


def test_a_plain_path_of_an_older_record_is_taken_as_it_is() -> None:
    assert locate("data/SOD", Path("reports"), []) == Path("data/SOD")
    assert locate(None, None) is None


@pytest.mark.parametrize("program", ["/usr/bin/sodbench", "/lib/python3/site-packages/sodbench/__main__.py"])
def test_the_command_line_is_recorded_without_absolute_paths(
    program: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    root, work = tmp_path / "data", tmp_path / "work"
    work.mkdir()
    monkeypatch.chdir(work)
    arguments = [str(root), f"--maps={work / 'maps'}", str(tmp_path / "w.pth"), "maps/DSS", "--quiet"]
    monkeypatch.setattr("sys.argv", [program, "run", *arguments])
    monkeypatch.setenv("SODBENCH_DATA", str(root))
    command = run(reports=work / "reports").provenance.command
    assert command == (
        "sodbench", "run", "DATA_ROOT", "--maps=maps", ".../w.pth", "maps/DSS", "--quiet"
    )  # fmt: skip


def test_a_copied_folder_is_no_second_run(tmp_path: Path) -> None:
    folder = save_run(tmp_path, run("DSS"))
    shutil.copytree(folder, tmp_path / "runs" / "copy" / "sod")
    found = read_records(tmp_path)
    assert [r.name for r in found.runs] == ["DSS"]
    assert "copy" in found.problems[0] and "'DSS' on 'sod'" in found.problems[0]


@pytest.mark.parametrize(
    "name", ["../../evil", "a/b", "$x_%&{}", "<script>", ".hidden", "Ünï 'q' \"d\"", "a\nb"]
)
def test_any_name_makes_a_record_inside_the_reports_folder(tmp_path: Path, name: str) -> None:
    folder = save_run(tmp_path / "reports", run(name, dataset=name))
    assert folder.resolve().is_relative_to((tmp_path / "reports/runs").resolve())
    assert len(folder.relative_to(tmp_path / "reports/runs").parts) == 2
    (back,) = load_runs(tmp_path / "reports")
    assert (back.name, back.dataset) == (name, name)


def test_no_reports_folder_means_no_runs(tmp_path: Path) -> None:
    assert load_runs(tmp_path / "nothing") == []


def test_tables_of_different_images_are_refused(tmp_path: Path) -> None:
    tables = {"pysodmetrics": table(12), "raw": table(11, protocol="raw")}
    with pytest.raises(ValueError, match="different images"):
        save_run(tmp_path, new_run("a", StandInDataset(), tables))


def test_a_protocol_of_another_version_is_shown_and_not_recomputed(tmp_path: Path) -> None:
    folder = save_run(tmp_path, run())
    content = json.loads((folder / "run.json").read_text())
    content["protocols"]["pysodmetrics"]["fields"]["a_field_of_later"] = 3
    (folder / "run.json").write_text(json.dumps(content))
    (back,) = load_runs(tmp_path)
    table_ = back.tables["pysodmetrics"]
    assert conventions(table_).a_field_of_later == 3 and conventions(table_).f_average == "images"
    with pytest.raises(InputError, match=r"pysodmetrics.*another version"):
        scores_of(table_)
    options = ["--reports", str(tmp_path), "--published", "--figures", "f", "--format", "markdown", "html"]
    assert main(["report", *options]) == 0


@pytest.mark.parametrize("moment", [1, 2])
def test_another_writer_of_the_same_record_at_the_same_time(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, moment: int
) -> None:
    """Before the former record is moved away another writer has done so; before the new one is moved
    into its place another writer's is there."""
    save_run(tmp_path, run(seed=1))
    rename, calls = Path.rename, 0

    def interleaved(path: Path, target: Path) -> Path:
        nonlocal calls
        calls += 1
        if calls == moment == 1:
            rename(path, path.with_name(f".{path.name}.old-0"))
        if calls == moment == 2:
            shutil.copytree(path, target)
        return rename(path, target)

    monkeypatch.setattr(Path, "rename", interleaved)
    folder = save_run(tmp_path, run(seed=2))
    monkeypatch.undo()
    (back,) = load_runs(tmp_path)
    assert back.tables["pysodmetrics"].scores == run(seed=2).tables["pysodmetrics"].scores
    assert [path.name for path in folder.parent.iterdir()] == [folder.name]
