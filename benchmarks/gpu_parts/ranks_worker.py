"""Run by torchrun, one process per rank: gradients and batch statistics, then a short training.

The first rank writes `alone.pt` (one process with the whole batch) and `ranks.pt` (all ranks together), both
in double precision, and `result.json`.
"""

import json
import sys
from pathlib import Path

import torch
import torch.distributed as dist
from torch import Tensor, nn
from torch.nn.parallel import DistributedDataParallel

import sodbench as sb
from sodbench.training.distributed import Process, joined, share_statistics


def gradients(process: Process, *, alone: bool) -> dict[str, Tensor]:
    """Of a small network with batch normalisation, for this rank's share of four images."""
    torch.manual_seed(0)
    layers: list[nn.Module] = []
    for width in (3, 8, 8):
        layers += [nn.Conv2d(width, 8, 3, bias=False), nn.BatchNorm2d(8), nn.Tanh()]
    network = nn.Sequential(*layers, nn.Conv2d(8, 1, 1)).double().train().to(process.device)
    x = torch.randn(4, 3, 12, 12).double().to(process.device)
    target = torch.rand(4, 1, 6, 6).double().to(process.device)
    share = 4 // (1 if alone else process.world)
    first = 0 if alone else process.rank * share
    run: nn.Module = network
    if not alone:
        run = DistributedDataParallel(share_statistics(network, process))
    outputs = run(x[first : first + share])
    nn.functional.binary_cross_entropy_with_logits(outputs, target[first : first + share]).backward()
    found = {name: p.grad.cpu() for name, p in network.named_parameters() if p.grad is not None}
    return found | {n: b.cpu() for n, b in network.named_buffers() if "running" in n}


def main() -> None:
    folder, backend, device = Path(sys.argv[1]), sys.argv[2], sys.argv[3]
    if backend == "gloo":  # `joined` takes NCCL for GPUs, which does not let two ranks share one
        dist.init_process_group("gloo")
    with joined(device) as process:
        alone, ranks = gradients(process, alone=True), gradients(process, alone=False)
        if process.first:
            torch.save(alone, folder / "alone.pt")
            torch.save(ranks, folder / "ranks.pt")
    job = json.loads((folder / "job.json").read_text())
    sb.train(
        job["baseline"],
        datasets=[job["dataset"]],
        data_root=job["data_root"],
        settings=job["settings"],
        out=folder / "training",
        device=device,
        workers=0,
    )
    if process.first:
        lines = [
            json.loads(line) for line in (folder / "training" / "metrics.jsonl").read_text().splitlines()
        ]
        rate = [line for line in lines if "loss" in line][-1]["images_per_second"]
        (folder / "result.json").write_text(json.dumps({"images_per_second": rate}))


if __name__ == "__main__":
    main()
