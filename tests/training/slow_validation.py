"""Run under torchrun by test_validation.py: `sodbench ...` with a short time-out and a slow validation.

The first process takes longer over its first validation than the others wait in a step.
"""

import functools
import os
import sys
import time
from datetime import timedelta
from typing import Any

import torch.distributed as dist

from sodbench import prediction

TIME_OUT, TAKES = 10, 15  # seconds

rank = os.environ["RANK"]
predict = prediction.predict_samples
calls = []


def slowly(network: Any, baseline: Any, samples: Any, *args: Any, **options: Any) -> Any:
    """`predict_samples`, which says what it was given."""
    print(f"process {rank} predicts {len(samples)} images", file=sys.stderr)
    if rank == "0" and not calls:
        time.sleep(TAKES)
    calls.append(len(samples))
    return predict(network, baseline, samples, *args, **options)


prediction.predict_samples = slowly
dist.init_process_group = functools.partial(dist.init_process_group, timeout=timedelta(seconds=TIME_OUT))

if __name__ == "__main__":
    from sodbench.cli.main import main

    sys.exit(main(sys.argv[1:]))
