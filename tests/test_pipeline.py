"""The pipeline of one cell: equal to predicting and then scoring, without maps and after an interruption."""

import dataclasses
import json
import os
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import torch
from PIL import Image

import sodbench as sb
from sodbench.cli.main import main
from sodbench.data.folder import Sample, open_dataset
from sodbench.data.images import read_map, write_map
from sodbench.errors import InputError, Note
from sodbench.made_maps import unfinished_maps
from sodbench.models import LoadedNetwork, load_baseline
from sodbench.models.settings import Inference
from sodbench.pipeline import predict_and_score
from sodbench.prediction import predict_samples
from sodbench.reporting.pictures import Pictures
from sodbench.reproduction import reproduce
from sodbench.rescoring import rescore
from sodbench.results.loading import load_runs
from sodbench.scoring import score_samples
from sodbench.working_memory import BYTES_PER_PIXEL, WorkingMemory

FILES = ("scores.parquet", "curves.parquet", "image_curves.parquet")


class Grey(torch.nn.Module):
    """The image's grey level; `fails_at` is the pass (from 1) at which it raises."""

    def __init__(self, fails_at=None, error=KeyboardInterrupt):
        super().__init__()
        self.grey = torch.nn.Conv2d(3, 1, 3, padding=1)
        self.fails_at, self.error, self.passes = fails_at, error, 0
        torch.nn.init.constant_(self.grey.weight, 0.2)
        torch.nn.init.zeros_(self.grey.bias)

    def forward(self, x):
        self.passes += 1
        if self.passes - 1 == self.fails_at:  # the first pass looks for layers to fold
            raise self.error
        return (self.grey(x),)


@pytest.fixture(scope="module")
def baseline():
    tiny = load_baseline("basnet-tiny")
    small = dataclasses.replace(tiny.input, height=32, width=32)
    return dataclasses.replace(tiny, inference=Inference(), input=small)


def loaded(baseline, fails_at=None, digest="0"):
    return LoadedNetwork(Grey(fails_at), None, digest * 64, baseline)


def job(root, **options):
    return {"data_root": root, "device": "cpu", "batch": 2, "name": "a", **options}


def files_of(reports, name="a", dataset="ecssd"):
    return [(Path(reports) / "runs" / name / dataset / file).read_bytes() for file in FILES]


def journals(folder):
    return [path.name for path in Path(folder).iterdir() if path.name.startswith(".")]


@pytest.mark.parametrize("batch", [1, 4])
def test_the_tables_are_those_of_predicting_and_then_scoring(baseline, root, tmp_path, batch):
    samples = open_dataset("ecssd", root).samples
    protocols = ["pysodmetrics", "raw"]
    pairs = predict_samples(Grey(), baseline, samples, tmp_path / "two", batch=batch)
    expected = score_samples(pairs, protocols)
    names = [sample.name for sample in samples]
    for folder in (tmp_path / "one", None):
        with unfinished_maps(folder, {}, names) as made:
            tables = predict_and_score(Grey(), baseline, samples, made, protocols=protocols, batch=batch)
        assert list(tables) == protocols
        for name, table in tables.items():
            pd.testing.assert_frame_equal(table.per_image, expected[name].per_image, check_exact=True)
            pd.testing.assert_frame_equal(table.image_facts, expected[name].image_facts, check_exact=True)
            assert table.scores == expected[name].scores
    assert sorted(path.name for path in (tmp_path / "one").iterdir()) == [f"{name}.png" for name in names]
    for name in names:
        one, two = (tmp_path / where / f"{name}.png" for where in ("one", "two"))
        assert one.read_bytes() == two.read_bytes()


def test_a_run_without_maps_has_the_same_record_to_the_bit(root, network, here, capsys):
    command = ["run", network[0], "--weights", str(network[1]), "--data-root", str(root), "--device", "cpu"]
    command += ["--name", "a", "--datasets", "ecssd", "--quiet"]
    assert main(command) == 0
    with_maps = files_of("reports")
    assert main([*command, "--no-maps", "--name", "b"]) == 0
    assert files_of("reports", "b") == with_maps
    assert sorted(path.name for path in (here / "maps").iterdir()) == ["a"]
    mine, without = load_runs()
    assert without.provenance.maps is None and without.provenance.maps_sha256 is None
    assert mine.maps_kept and not without.maps_kept
    assert mine.provenance.depends_on == without.provenance.depends_on
    # what needs the maps says so in one line
    assert Pictures(without).missing() == "the maps of b were not kept"
    capsys.readouterr()
    assert main(["audit", "--methods", "b", "--data-root", str(root)]) == 0
    assert "0 of 6 images scored again (the maps were not kept)" in capsys.readouterr().out
    with pytest.raises(InputError, match=r"the maps of b on ecssd were not kept \(run --no-maps\)"):
        rescore(without, data_root=root)
    again = reproduce("reports/runs/b/ecssd", data_root=root, trust=True)
    assert not again.failed and "the maps were not kept" in " ".join(again.notes)
    assert not Path("reproduced").exists()
    assert main(["report", "--formats", "html", "markdown"]) == 0


def test_a_folder_and_no_maps_contradict_each_other(root, network, here, capsys):
    command = ["run", network[0], "--data-root", str(root), "--datasets", "sod", "--maps", "m", "--no-maps"]
    assert main(command) == 2
    assert "maps m: a folder for the maps, and none is to be kept" in capsys.readouterr().err
    assert not list(here.iterdir())


def test_an_interrupted_run_goes_on(baseline, root, here):
    sb.evaluate(loaded(baseline), "ecssd", reports="whole", maps="whole-maps", **job(root))
    with pytest.raises(KeyboardInterrupt):
        sb.evaluate(loaded(baseline, fails_at=2), "ecssd", **job(root))
    folder = here / "maps" / "a" / "ecssd"
    before = {path.name: path.stat().st_mtime_ns for path in folder.glob("*.png")}
    assert sorted(before) == ["0001.png", "0002.png"] and len(journals(folder)) == 1
    network = loaded(baseline)
    with pytest.warns(Note, match=r"2 of 6 maps were already made, before an interruption; they are kept"):
        sb.evaluate(network, "ecssd", **job(root))
    assert {name: (folder / name).stat().st_mtime_ns for name in before} == before
    assert files_of("reports") == files_of("whole")
    assert not journals(folder)
    for path in folder.iterdir():
        assert path.read_bytes() == (here / "whole-maps" / "ecssd" / path.name).read_bytes()
    # a finished run is computed anew
    sb.evaluate(loaded(baseline), "ecssd", **job(root))
    assert all((folder / name).stat().st_mtime_ns != time_ for name, time_ in before.items())


def test_maps_of_something_else_are_made_again_and_it_is_said(baseline, root, here):
    with pytest.raises(KeyboardInterrupt):
        sb.evaluate(loaded(baseline, fails_at=2), "ecssd", **job(root))
    with pytest.warns(Note, match=r"made again; 2 from before .* do not count: weights: 111111111111\.\."):
        run = sb.evaluate(loaded(baseline, digest="1"), "ecssd", **job(root))
    assert run.scored == 6 and not journals(here / "maps" / "a" / "ecssd")


@pytest.mark.parametrize("what", ["older", "torn", "gone", "changed"])
def test_only_whole_maps_of_the_interrupted_run_count(baseline, root, here, what):
    folder = here / "maps" / "a" / "ecssd"
    if what == "older":  # of a run that was finished
        sb.evaluate(loaded(baseline, digest="1"), "ecssd", reports="former", **job(root))
    with pytest.raises(KeyboardInterrupt):
        sb.evaluate(loaded(baseline, fails_at=2), "ecssd", **job(root))
    path = folder / "0002.png"
    if what == "torn":
        path.write_bytes(path.read_bytes()[:-20])
    elif what == "gone":
        path.unlink()
    elif what == "changed":
        Image.fromarray(255 - read_map(path)).save(path)
    count = 2 if what == "older" else 1
    with pytest.warns(Note, match=f"{count} of 6 maps were already made"):
        sb.evaluate(loaded(baseline), "ecssd", **job(root))
    sb.evaluate(loaded(baseline), "ecssd", reports="whole", maps="whole-maps", **job(root))
    assert files_of("reports") == files_of("whole")


@pytest.mark.parametrize("content", [b"", b"\xff\0", b"[1, 2]\n{", b'{"depends_on": 3}\n["0001"]\n[[], 1]\n'])
def test_a_damaged_list_of_maps_makes_them_again(tmp_path, content):
    with pytest.raises(InputError), unfinished_maps(tmp_path, {"a": "1"}, ["0001"]) as made:
        made.add("0001", write_map(made.map_of("0001"), np.zeros((4, 4), np.uint8)))
        raise InputError("stopped")
    (name,) = journals(tmp_path)
    (tmp_path / name).write_bytes(content)
    with unfinished_maps(tmp_path, {"a": "1"}, ["0001"]) as made:
        assert made.existing == frozenset()
    assert not journals(tmp_path)


def test_what_made_no_map_leaves_nothing(baseline, root, here):
    with pytest.raises(KeyboardInterrupt):
        sb.evaluate(loaded(baseline, fails_at=1), "ecssd", **job(root))
    assert not list(here.iterdir())


SLOW = """
import time
from torch import nn


class Slow(nn.Module):
    def __init__(self):
        super().__init__()
        self.grey = nn.Conv2d(3, 1, 3, padding=1)
        nn.init.constant_(self.grey.weight, 0.2)
        nn.init.constant_(self.grey.bias, 0.0)

    def forward(self, x):
        time.sleep(0.3)
        return self.grey(x)


Slow.baseline = {"input": {"height": 32, "width": 32}, "output": {"kind": "logits"}}
"""


@pytest.mark.skipif(not hasattr(signal, "SIGKILL"), reason="needs SIGKILL")
def test_a_killed_run_goes_on_with_the_same_record(root, here, capfd):
    (here / "slow.py").write_text(SLOW)
    command = ["run", "slow.py:Slow", "--datasets", "ecssd", "--data-root", str(root), "--device", "cpu"]
    command += ["--batch", "1", "--name", "a", "--quiet"]
    program = [sys.executable, "-m", "sodbench", *command]
    environment = {**os.environ, "PYTHONPATH": str(Path(sb.__file__).parents[1])}
    process = subprocess.Popen(program, env=environment, stderr=subprocess.DEVNULL)
    folder = here / "maps" / "a" / "ecssd"
    until = time.monotonic() + 120
    while len(list(folder.glob("*.png"))) < 2 and process.poll() is None and time.monotonic() < until:
        time.sleep(0.01)
    process.kill()
    process.wait()
    assert len(list(folder.glob("*.png"))) in range(2, 6) and not (here / "reports").exists()
    capfd.readouterr()
    assert main(command) == 0
    assert "of 6 maps were already made" in capfd.readouterr().err
    assert main([*command, "--name", "b"]) == 0
    assert files_of("reports", "a") == files_of("reports", "b")
    assert json.loads((here / "reports/runs/a/ecssd/run.json").read_text())["scored"] == 6


def test_an_error_in_any_stage_ends_all_threads_and_leaves_whole_maps(baseline, root, tmp_path, monkeypatch):
    samples = open_dataset("ecssd", root).samples
    names = [sample.name for sample in samples]

    def fails(*_, **__):
        raise RuntimeError("a defect")

    for stage in ("read_image", "write_map", "score_pair"):
        before = threading.active_count()
        folder = tmp_path / stage
        with monkeypatch.context() as patch:
            patch.setattr(f"sodbench.pipeline.{stage}", fails)
            with pytest.raises(RuntimeError), unfinished_maps(folder, {}, names) as made:
                predict_and_score(Grey(), baseline, samples, made, batch=1)
        assert threading.active_count() == before
        assert all(read_map(path).shape == (40, 48) for path in folder.glob("*.png"))


def test_what_cannot_be_scored_is_counted_and_the_maps_stay(baseline, root, here):
    masks = root / "ECSSD" / "ground_truth_mask"
    Image.new("L", (5, 5)).save(masks / "0002.png")
    (masks / "0004.png").write_bytes(b"no mask")
    with pytest.raises(
        InputError, match=r"2 of 6 images cannot be scored: 1 maps differ in size .*0002.*0004\.png"
    ):
        sb.evaluate(loaded(baseline), "ecssd", **job(root))
    assert len(list((here / "maps" / "a" / "ecssd").glob("*.png"))) == 6


def test_a_sample_without_image_or_mask_is_refused_before_any_work(baseline, tmp_path):
    path = tmp_path / "a.png"
    Image.new("RGB", (8, 8)).save(path)
    for sample, message in ((Sample("a", path, None), "1 of 1 images have no mask: a"),
                            (Sample("a", None, path), "a: has no image to predict from")):  # fmt: skip
        network = Grey()
        with pytest.raises(InputError, match=message):
            predict_and_score(network, baseline, [sample], None)
        assert network.passes == 0
    with pytest.raises(InputError, match="nothing to score"):
        predict_and_score(Grey(), baseline, [], None)


def test_one_bar_counts_the_pictures_and_quiet_has_none(root, network, here, capfd):
    command = ["run", network[0], "--weights", str(network[1]), "--data-root", str(root), "--device", "cpu"]
    assert main([*command, "--datasets", "sod"]) == 0
    shown = capfd.readouterr().err
    assert "run sod: 100%" in shown and "3/3" in shown and "score sod" not in shown and "predict" not in shown
    assert main([*command, "--datasets", "sod", "--quiet"]) == 0
    assert "%" not in capfd.readouterr().err


def test_working_memory_bounds_what_is_in_work():
    memory = WorkingMemory(100 * BYTES_PER_PIXEL)
    order, second_is_in = [], threading.Event()

    def second():
        with memory.holding(60):
            second_is_in.set()
            order.append("second")

    with memory.holding(1000):  # larger than the bound: alone
        thread = threading.Thread(target=second)
        thread.start()
        assert not second_is_in.wait(0.1)
        order.append("first")
    thread.join(30)
    assert order == ["first", "second"]
    with memory.holding(50), memory.holding(50):
        pass


def test_large_pictures_are_not_all_in_memory_at_once(baseline, tmp_path, monkeypatch):
    """What is decoded or scored at one time is bounded, however many threads there are."""
    samples = []
    for number in range(8):
        path, mask = tmp_path / f"{number}.png", tmp_path / f"{number}m.png"
        Image.fromarray(np.full((100, 100, 3), 9 * number, np.uint8)).save(path)
        Image.fromarray(np.eye(100, dtype=np.uint8) * 255).save(mask)
        samples.append(Sample(str(number), path, mask))
    monkeypatch.setattr(
        "sodbench.map_delivery.WorkingMemory", lambda: WorkingMemory(10_000 * BYTES_PER_PIXEL)
    )
    at_once, most, lock = [0], [0], threading.Lock()
    from sodbench import pipeline

    def watched(call):
        def inner(*arguments, **options):
            with lock:
                at_once[0] += 1
                most[0] = max(most[0], at_once[0])
            time.sleep(0.005)
            try:
                return call(*arguments, **options)
            finally:
                with lock:
                    at_once[0] -= 1

        return inner

    monkeypatch.setattr(pipeline, "read_image", watched(pipeline.read_image))
    monkeypatch.setattr(pipeline, "score_pair", watched(pipeline.score_pair))
    (table,) = predict_and_score(Grey(), baseline, samples, None, workers=4).values()
    assert table.n == 8 and most[0] == 1
