"""`sodbench run` under torchrun: each process scores a shard, the first one records the whole.

torchrun --nproc-per-node 4 -m sodbench run basnet --datasets duts-te
"""

import os
import sys
import warnings
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from sodbench.errors import InputError, Note
from sodbench.evaluation import evaluate, prepare_all
from sodbench.merging import merge_and_remove
from sodbench.paths import user_path
from sodbench.shard import Shard

if TYPE_CHECKING:
    from sodbench.data.folder import DataSet
    from sodbench.results.run import Run
    from sodbench.training.distributed import Process


def under_torchrun() -> bool:
    """Whether this process is one of torchrun's."""
    return "RANK" in os.environ


def evaluate_on_ranks(
    baseline: str | Path,
    datasets: "str | DataSet | Sequence[str | DataSet]",
    *,
    reports: Path | str,
    weights: Path | str | None = None,
    device: str | None = None,
    trust_remote_code: bool = False,
    progress: bool = False,
    **options: Any,
) -> "list[Run] | None":
    """What `evaluate_all` does, with the images of each data set shared out among torchrun's processes.

    Every process makes the same call. The first one returns the runs and records them; the others return None
    and say nothing. The records of the shards are in `reports` until they are merged.

    Raises InputError on the first process for what all processes refuse, such as an unknown name; where one
    process fails later, on that one. torchrun ends the others.
    """
    from sodbench.training.distributed import joined

    with joined(device) as process:
        if not process.first:
            warnings.simplefilter("ignore", Note)
        shard = Shard(process.rank + 1, process.world)
        checked: Any = None
        problem: InputError | None = None
        try:
            checked = prepare_all(
                baseline,
                datasets,
                weights,
                str(process.device),
                trust_remote_code,
                reports=reports,
                **options,
            )
        except InputError as error:
            problem = error
        _refuse_together(process, problem)
        where, loaded, sets = checked
        folders = []
        for one in sets:
            run = evaluate(
                loaded,
                one,
                device=where,
                reports=reports,
                shard=shard,
                progress=progress and process.first,
                **options,
            )
            folders.append((run.name, run.dataset))
        _wait(process)
        if not process.first:
            return None
        return merge_and_remove(
            folders,
            process.world,
            user_path(reports),
            replace=options.get("replace", False),
            allow_constant=options.get("allow_constant", False),
        )


def _refuse_together(process: "Process", problem: InputError | None) -> None:
    """Ends all processes where one has a problem; the first one raises it."""
    try:
        problems = [one for one in process.gather(None if problem is None else str(problem)) if one]
    except RuntimeError:  # the connection to another one is closed: it has failed and said why
        sys.exit(2)
    if problems and process.first:
        raise InputError(problems[0])
    if problems:
        sys.exit(2)


def _wait(process: "Process") -> None:
    """Waits for the shards of all processes; ends quietly where another one has failed and said why."""
    try:
        process.wait()
    except RuntimeError:  # its connection is closed
        sys.exit(2)
