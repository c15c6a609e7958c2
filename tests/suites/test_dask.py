"""A suite on a Dask cluster of two worker processes: the tables of one process, whatever dies meanwhile."""

import os
import signal
import sys
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import torch

import sodbench as sb
from sodbench.cli.main import main

from .conftest import TINY

distributed = pytest.importorskip("distributed")
pytestmark = pytest.mark.slow

Write = Callable[[str, str], Path]
SUITE = """
title = "Own"
datasets = ["ecssd", "sod"]
protocols = ["raw", "pysodmetrics"]
metrics = ["MAE", "maxF", "calibration"]
[[methods]]
name = "DSS"
maps = "maps/{dataset}/Mine"
[[methods]]
baseline = "tiny.toml"
train = true
"""


@pytest.fixture()
def cluster(here: Path) -> Iterator[Any]:
    """Two worker processes, started where the suite is; those that die are started again."""
    import logging

    with distributed.LocalCluster(
        n_workers=2,
        threads_per_worker=1,
        processes=True,
        host="127.0.0.1",
        dashboard_address=None,
        silence_logs=logging.CRITICAL,
        memory_limit=0,
    ) as cluster:
        yield cluster


def address_of(cluster: Any) -> str:
    return str(cluster.scheduler_address)


def process_numbers(cluster: Any) -> list[int]:
    return [nanny.pid for nanny in cluster.workers.values()]


def files(folder: str, pattern: str) -> dict[str, bytes]:
    return {str(path.relative_to(folder)): path.read_bytes() for path in Path(folder).rglob(pattern)}


def test_the_tables_are_those_of_one_process_though_a_worker_is_killed(
    write: Write, maps: str, root: Path, here: Path, cluster: Any
) -> None:
    write("tiny.toml", TINY)
    suite = str(write("own.toml", SUITE))
    options: dict[str, Any] = {"data_root": root, "device": "cpu", "loaders": 0, "workers": 1, "batch": 1}
    told: list[str] = []
    killed: list[int] = []

    def tell(line: str) -> None:
        told.append(line)
        if "shards; shard" in line and not killed:
            killed.append(process_numbers(cluster)[0])
            os.kill(killed[0], signal.SIGKILL)

    done = sb.run_suite(suite, **options, dask=address_of(cluster), shards=3, tell=tell)
    assert killed and done.failures == [] and len(done.runs) == 4
    assert told[0].endswith("2 workers, 2 threads")
    assert sum("DSS on ecssd: " in line and "of 3 shards; shard" in line for line in told) == 3
    assert not (here / "reports" / "shards").exists() and not list((here / "reports").glob(".*"))
    # a training rounds by the number of threads, and a worker has one
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        one = sb.run_suite(suite, **options, reports="one", maps="one-maps", training="one-training")
    finally:
        torch.set_num_threads(threads)
    assert one.failures == []
    assert files("reports", "*.parquet") == files("one", "*.parquet")
    assert len(files("one", "*.parquet")) == 12
    weights = "own/tiny-seed0/weights.pth"
    assert Path("training", weights).read_bytes() == Path("one-training", weights).read_bytes()
    made = files("maps/tiny-seed0", "*.png")
    assert len(made) == 9 and made == files("one-maps/tiny-seed0", "*.png")
    for run, other in zip(done.runs, one.runs, strict=True):
        assert run.provenance.depends_on == other.provenance.depends_on
        places = [(then.data_folder, then.baseline) for then in (run.provenance, other.provenance)]
        assert places[0] == places[1]
    assert [run.provenance.maps for run in done.runs] == [
        "reports:../maps/ECSSD/Mine",
        "reports:../maps/SOD/Mine",
        "reports:../maps/tiny-seed0/ecssd",
        "reports:../maps/tiny-seed0/sod",
    ]
    assert done.runs[2].provenance.weights == "reports:../training/own/tiny-seed0/weights.pth"
    # in one process all of it counts as done
    assert {one.state for one in sb.run_suite(suite, **options).outcomes} == {"reused"}


def test_what_a_task_refuses_fails_its_cell_and_other_software_is_refused(
    write: Write, maps: str, root: Path, cluster: Any, capsys: pytest.CaptureFixture[str]
) -> None:
    text = SUITE[: SUITE.index("[[methods]]\nbaseline")]
    write("own.toml", text)
    command = ["suite", "run", "own.toml", "--data-root", str(root), "--device", "cpu", "--quiet"]
    command += ["--dask", address_of(cluster)]
    (root / "SOD" / "GT" / "8049.png").write_bytes(b"no picture")
    assert main(command) == 1
    out, err = capsys.readouterr()
    (line,) = [line for line in err.splitlines() if line.startswith("sodbench: error: ")]
    assert line.startswith("sodbench: error: DSS on sod: failed: ") and "8049.png" in line
    assert "on worker tcp://127.0.0.1:" in line and "ecssd" in out

    def pretend() -> None:
        import importlib.metadata

        found = importlib.metadata.version
        importlib.metadata.version = lambda name: "0.0.1" if name == "scipy" else found(name)

    with distributed.Client(address_of(cluster), set_as_default=False) as client:
        where = sorted(client.run(os.getpid))[1]
        client.run(pretend, workers=[where])
    assert main(command) == 2
    line = capsys.readouterr().err
    assert line.startswith(f"sodbench: error: worker {where} has other software than this process: ")
    assert " scipy: 0.0.1, expected " in line and line.count("\n") == 1


def test_a_scheduler_that_goes_away_leaves_finished_shards(
    write: Write, maps: str, root: Path, here: Path, cluster: Any
) -> None:
    suite = str(write("own.toml", SUITE[: SUITE.index("[[methods]]\nbaseline")]))
    options: dict[str, Any] = {"data_root": root, "device": "cpu", "workers": 1}
    told: list[str] = []

    def tell(line: str) -> None:
        told.append(line)
        if "DSS on ecssd: 2 of 6" in line:
            # its processes end while a shard is written here
            thread = threading.Thread(target=cluster.close)
            thread.start()
            thread.join()

    with pytest.raises(sb.InputError, match=r"the Dask scheduler at tcp://127.* is gone; what was finished"):
        sb.run_suite(suite, **options, dask=address_of(cluster), shards=6, tell=tell)
    kept = list((here / "reports" / "shards" / "DSS" / "ecssd").iterdir())
    assert 2 <= len(kept) < 6
    before = {path: path.stat().st_mtime_ns for path in here.glob("reports/shards/*/*/*/shard.json")}
    assert not list((here / "reports").glob("runs/*/*"))
    told.clear()
    done = sb.run_suite(suite, **options, dask="local", tell=told.append)
    assert done.failures == [] and before
    assert f"DSS on ecssd: {len(kept)} of 6 shards are there already" in told
    assert sum("of 6 shards; shard" in line for line in told) == 6 - len(kept)


def test_an_address_without_a_scheduler_is_refused(
    write: Write, maps: str, root: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from sodbench.suites import dask_connection

    suite = str(write("own.toml", SUITE[: SUITE.index("[[methods]]\nbaseline")]))
    monkeypatch.setattr(dask_connection, "PATIENCE", 1)
    with pytest.raises(sb.InputError, match="no Dask scheduler answers there within 1 seconds"):
        sb.run_suite(suite, data_root=root, dask="tcp://127.0.0.1:9")
    for address in ("host:8786", "tcp://host", "tcp://host:99999", "", "http://host:8786"):
        with pytest.raises(sb.InputError, match="expected local, or the address of a scheduler"):
            sb.run_suite(suite, data_root=root, dask=address)
    with pytest.raises(sb.InputError, match="leave --shard out"):
        sb.run_suite(suite, data_root=root, dask="local", shard="1/2")
    with pytest.raises(sb.InputError, match="it is for --dask"):
        sb.run_suite(suite, data_root=root, shards=2)
    with pytest.raises(sb.InputError, match="the number of shards is 0"):
        sb.run_suite(suite, data_root=root, dask="local", shards=0)
    monkeypatch.setitem(sys.modules, "distributed", None)
    with pytest.raises(sb.InputError, match=r'--dask needs distributed: pip install "sodbench\[cluster\]"'):
        sb.run_suite(suite, data_root=root, dask="local")
