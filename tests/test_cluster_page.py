"""docs/cluster.md: its Slurm script, as it stands, with a loop in the place of sbatch."""

import json
import os
import re
import subprocess
import sys
from pathlib import Path

import sodbench as sb

PAGE = Path(__file__).resolve().parents[1] / "docs" / "cluster.md"
# what Slurm does for `sbatch --array=1-3 sodbench-shards.sh "$@"`, one task after the other
SBATCH = """
for task in $TASKS; do
    SLURM_ARRAY_TASK_ID=$task SLURM_ARRAY_TASK_COUNT=$(echo $TASKS | wc -w) SLURM_CPUS_PER_TASK=1 \
        bash sodbench-shards.sh "$@" || exit 1
done
"""


def _sbatch(*arguments: str, **environment: str) -> None:
    path = os.pathsep.join([str(Path(sys.executable).parent), os.environ["PATH"]])
    whole = {**os.environ, "PATH": path, "PYTHONPATH": str(PAGE.parents[1]), **environment}
    subprocess.run(["bash", "-c", SBATCH, "sbatch", *arguments], env=whole, check=True)


def test_the_slurm_script_is_used_as_it_stands(root: Path, here: Path) -> None:
    (script,) = re.findall(r"```bash\n(#!/bin/bash\n.*?)```", PAGE.read_text(), re.DOTALL)
    Path("sodbench-shards.sh").write_text(script)
    masks = root / "SOD" / "GT"
    score = ["score", str(masks), "--dataset", "sod", "--name", "perfect", "--data-root", str(root)]
    _sbatch(*score, TASKS="1 2")
    # a task once more, as the page says
    _sbatch(*score, TASKS="2", SHARDS="2")
    done = subprocess.run(
        [sys.executable, "-m", "sodbench", "merge", "reports", "--reports", "reports", "--json"],
        capture_output=True,
        text=True,
        check=True,
    )
    (result,) = json.loads(done.stdout)["results"]
    assert (result["scored"], result["scores"]["MAE"]) == (3, 0)
    (run,) = sb.load_runs("reports")
    assert [(one.shard, one.images) for one in run.provenance.shards] == [("1/2", 2), ("2/2", 1)]
