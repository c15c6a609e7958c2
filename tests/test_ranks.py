"""`sodbench run` in two processes of torchrun: one record, that of one process; one line where one fails."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from sodbench.cli.main import main

pytestmark = pytest.mark.slow


def _torchrun(*arguments: str) -> subprocess.CompletedProcess[str]:
    torchrun = [sys.executable, "-m", "torch.distributed.run", "--standalone", "--nproc-per-node", "2"]
    return subprocess.run(
        [*torchrun, "-m", "sodbench", *arguments],
        capture_output=True,
        text=True,
        timeout=300,
        env={**os.environ, "OMP_NUM_THREADS": "1"},
    )


def test_two_processes_write_one_record_and_print_once(
    network: tuple[str, Path], root: Path, here: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    run = ["run", network[0], "--datasets", "sod", "ecssd", "--data-root", str(root), "--device", "cpu"]
    run += ["--name", "mine", "--quiet", "--json"]
    assert main([*run, "--reports", "whole"]) == 0
    printed = json.loads(capsys.readouterr().out)
    done = _torchrun(*run)
    assert done.returncode == 0, done.stderr[-3000:]
    assert json.loads(done.stdout) == printed
    assert not list(Path("reports").glob("shards"))
    for dataset, counts in (("sod", [2, 1]), ("ecssd", [3, 3])):
        one, two = (Path(reports) / "runs" / "mine" / dataset for reports in ("whole", "reports"))
        for table in ("scores", "curves", "image_curves"):
            assert (one / f"{table}.parquet").read_bytes() == (two / f"{table}.parquet").read_bytes()
        then = json.loads((two / "run.json").read_text())["provenance"]
        assert [shard["images"] for shard in then["shards"]] == counts
        assert then["maps"] == f"reports:../maps/mine/{dataset}"


def test_one_process_that_fails_ends_both(network: tuple[str, Path], root: Path, here: Path) -> None:
    run = ["run", network[0], "--datasets", "sod", "--data-root", str(root), "--device", "cpu", "--quiet"]
    unknown = _torchrun(*run, "--metrics", "Fmax")
    (root / "SOD" / "images" / "8049.jpg").write_bytes(b"no picture")  # of the second process
    broken = _torchrun(*run)
    for done, says in ((unknown, "Fmax"), (broken, "8049.jpg")):
        assert done.returncode != 0
        assert done.stdout == ""
        (line,) = [line for line in done.stderr.splitlines() if line.startswith("sodbench: error")]
        assert says in line
    assert not Path("reports/runs").exists()
