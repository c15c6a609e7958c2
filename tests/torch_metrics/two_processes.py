"""Run under torchrun by test_processes.py: prints what each process computes, floats as hexadecimal."""

import json
import sys
import warnings

import torch.distributed as dist
from torch.utils.data import DistributedSampler

sys.path.insert(0, sys.argv[1])
from forms import batch, saliency_metrics

warnings.simplefilter("ignore")
dist.init_process_group("gloo")
rank = dist.get_rank()
results: dict[str, object] = {}


def run(name, metrics, parts, named=True, forward=False):
    """Feeds this process its part of the images, given as one list of indices per batch."""
    probabilities, masks, names = batch(11)
    value = None
    for indices in parts[rank]:
        feed = metrics if forward else metrics.update
        value = feed(probabilities[indices], masks[indices], [names[i] for i in indices] if named else None)
    try:
        value = value if forward else metrics.compute()
        results[name] = {key: one.item().hex() for key, one in value.items()}
    except ValueError as error:
        results[name] = f"{type(error).__name__}: {error}"


for form in ("torchmetrics", "plain"):
    Metrics = saliency_metrics(form)
    assert ("torchmetrics" in Metrics.__mro__[1].__module__.split(".")) == (form == "torchmetrics")
    unequal = [[[0, 1, 2], [3, 4, 5, 6]], [[7, 8], [9], [10]]]
    for protocol in ("pysodmetrics", "basnet2019"):
        run(f"{form} unequal {protocol}", Metrics(protocol), unequal)
    run(f"{form} without names", Metrics(), unequal, named=False)
    run(f"{form} the second is idle", Metrics(), [[[0, 1, 2, 3, 4, 5], [6, 7, 8, 9, 10]], []])
    run(f"{form} the first is idle", Metrics(), [[], [list(range(11))]])
    run(f"{form} nobody", Metrics(), [[], []])
    padded = [[list(DistributedSampler(range(11), 2, one, shuffle=False))] for one in range(2)]
    assert padded[1][0][-1] == 0  # the twelfth image is the first once more
    run(f"{form} padded", Metrics(), padded)
    run(f"{form} padded without names", Metrics(), padded, named=False)
    run(f"{form} two protocols", Metrics(("raw", "basnet2019")[rank], ["MAE", "F"]), unequal)
    run(f"{form} alone", Metrics(sync_on_compute=False), unequal)
    run(f"{form} on step", Metrics(dist_sync_on_step=True), [[[0, 1]], [[2, 3]]], forward=True)
    run(f"{form} not on step", Metrics(), [[[0, 1]], [[2, 3]]], forward=True)
    # one that is used again after a compute holds its own images, not those of both
    again = Metrics()
    run(f"{form} first half", again, [[[0, 1, 2]], [[7, 8]]])
    run(f"{form} both halves", again, [[[3, 4, 5, 6]], [[9, 10]]])

gathered: list[dict[str, object]] = [{}, {}]
dist.all_gather_object(gathered, results)
if rank == 0:
    print(json.dumps(gathered))
dist.destroy_process_group()
