"""Training speed: the hybrid loss and a whole step of BASNet against a plain implementation.

    python benchmarks/training.py                 all of it on the CPU, about three minutes on two cores
    python benchmarks/training.py --device cuda   the same on a GPU
    python benchmarks/training.py --only loader --data-root DATA --baseline basnet-tiny
                                                  samples per second of the trainer's loader, and of its step
    python benchmarks/training.py --only metrics --baseline basnet-tiny
                                                  scoring a batch in the loop beside a step's cost, per image

"Plain" is eager float32 in the default memory layout with the textbook loss: a dense 11 x 11 convolution for
each of SSIM's five means, computed anew for every output and differentiated by autograd. Both sides run in
turn in one process and the minimum time of each counts, because machines are shared.
"""

import argparse
import time
from collections.abc import Callable, Sequence
from pathlib import Path

import torch
from torch import Tensor
from torch.nn import functional as F
from torch.utils.data import DataLoader

from sodbench.data.folder import Sample, open_dataset
from sodbench.losses import HybridLoss
from sodbench.models import load_baseline
from sodbench.torch_metrics import SaliencyMetrics
from sodbench.training.cache import Cache, open_cache
from sodbench.training.recipe import Recipe, load_recipe
from sodbench.training.samples import Stream, TrainingSet, collate


def textbook_loss(outputs: tuple[Tensor, ...], target: Tensor) -> Tensor:
    """The hybrid loss as it is usually written."""
    offset = torch.arange(11, device=target.device) - 5
    line = torch.exp(-offset.square() / (2 * 1.5**2))
    window = (line[:, None] * line / line.sum() ** 2)[None, None]
    total = torch.zeros((), device=target.device)
    for output in outputs:
        p, t = torch.sigmoid(output), target
        mu_p, mu_t = F.conv2d(p, window, padding=5), F.conv2d(t, window, padding=5)
        var_p = F.conv2d(p * p, window, padding=5) - mu_p**2
        var_t = F.conv2d(t * t, window, padding=5) - mu_t**2
        cov = F.conv2d(p * t, window, padding=5) - mu_p * mu_t
        ssim = (2 * mu_p * mu_t + 0.01**2) * (2 * cov + 0.03**2)
        ssim = ssim / ((mu_p**2 + mu_t**2 + 0.01**2) * (var_p + var_t + 0.03**2))
        overlap = (p * t).sum((1, 2, 3))
        union = p.sum((1, 2, 3)) + t.sum((1, 2, 3)) - overlap
        total = total + F.binary_cross_entropy(p, t) + (1 - ssim.mean()) + (1 - overlap / union).mean()
    return total


def minimum_times(jobs: dict[str, Callable[[], None]], repeats: int, device: str) -> dict[str, float]:
    """Runs the jobs in turn, `repeats` times after one warm-up; the minimum seconds of each."""
    best = dict.fromkeys(jobs, float("inf"))
    for turn in range(repeats + 1):
        for name, job in jobs.items():
            start = time.perf_counter()
            job()
            if device == "cuda":
                torch.cuda.synchronize()
            if turn:
                best[name] = min(best[name], time.perf_counter() - start)
    return best


def show(title: str, best: dict[str, float]) -> None:
    """Prints milliseconds and the ratio to the first job."""
    print(f"\n{title}")
    first = next(iter(best.values()))
    for name, seconds in best.items():
        print(f"  {name:34s} {seconds * 1000:10.1f} ms   {first / seconds:6.2f}x")


def loss_jobs(batch: int, size: int, device: str) -> dict[str, Callable[[], None]]:
    """Forward and backward of both losses on 8 outputs."""
    random = torch.Generator().manual_seed(0)
    maps = [torch.randn(batch, 1, size, size, generator=random).to(device).requires_grad_() for _ in range(8)]
    target = (torch.rand(batch, 1, size, size, generator=random) > 0.5).float().to(device)
    ours = HybridLoss()

    def job(loss: Callable[..., Tensor]) -> Callable[[], None]:
        def run() -> None:
            for m in maps:
                m.grad = None
            loss(maps, target).backward()

        return run

    return {"textbook": job(textbook_loss), "sodbench": job(ours)}


def step_jobs(name: str, batch: int, size: int, device: str) -> dict[str, Callable[[], None]]:
    """A whole training step (Adam), plain and as the trainer computes it."""
    baseline = load_baseline(name)
    target = (torch.rand(batch, 1, size, size, generator=torch.Generator().manual_seed(1)) > 0.5).float()
    image = torch.randn(batch, 3, size, size, generator=torch.Generator().manual_seed(0))

    def job(
        loss: Callable[..., Tensor], layout: torch.memory_format, kind: torch.dtype | None, fused: bool = True
    ) -> Callable[[], None]:
        torch.manual_seed(0)
        network = baseline.build().to(device).to(memory_format=layout).train()
        optimiser = torch.optim.Adam(network.parameters(), 1e-3, fused=fused)
        x, t = image.to(device).contiguous(memory_format=layout), target.to(device)

        def run() -> None:
            with torch.autocast(device, dtype=kind, enabled=kind is not None):
                outputs = network(x)
            loss(outputs, t).backward()
            optimiser.step()
            optimiser.zero_grad(set_to_none=True)

        return run

    return {
        "plain eager fp32, textbook loss": job(textbook_loss, torch.contiguous_format, None, fused=False),
        "sodbench fp32": job(HybridLoss(), torch.channels_last, None),
        "sodbench bf16": job(HybridLoss(), torch.channels_last, torch.bfloat16),
    }


def loader_rate(
    samples: Sequence[Sample], recipe: Recipe, cache: Cache | None, workers: int, seconds: float
) -> float:
    """Images per second of the trainer's loader, after what its processes prefetch."""
    batches = DataLoader(
        TrainingSet(samples, recipe.augmentation(), recipe.seed, cache),
        batch_sampler=Stream(len(samples), recipe.batch, recipe.seed, start=0, stop=10**6),
        collate_fn=collate,
        num_workers=workers,
        prefetch_factor=4 if workers else None,
    )
    stream = iter(batches)
    for _ in range(max(10, 4 * workers) if workers else 1):
        next(stream)
    start = time.perf_counter()
    count = 0
    while time.perf_counter() - start < seconds:
        count += len(next(stream).names)
    return count / (time.perf_counter() - start)


def loader(data_root: Path | None, dataset: str, name: str, device: str, repeats: int) -> None:
    """Images per second of the trainer's loader with the baseline's recipe, and of the training step."""
    recipe = load_recipe(load_baseline(name).training, {}, name)
    samples = open_dataset(dataset, data_root).samples
    print(f"\n{name} on {len(samples)} samples of {dataset}, batch {recipe.batch}: images per second")
    for title, cache in (("files", None), ("--cache", open_cache(samples, recipe.resize))):
        for workers in (0, 1, 2):
            rate = loader_rate(samples, recipe, cache, workers, repeats)
            print(f"  {title:8s} {workers} workers {rate:21.1f}", flush=True)
    assert recipe.crop is not None
    jobs = step_jobs(name, recipe.batch, recipe.crop[0], device)
    best = minimum_times({"step": jobs[f"sodbench {recipe.precision}"]}, repeats, device)["step"]
    print(f"  the step alone, {recipe.precision} {recipe.batch / best:18.1f}")


def metric_jobs(batch: int, size: int, device: str) -> dict[str, Callable[[], None]]:
    """Scoring one batch of soft maps: `SaliencyMetrics.update`, with several choices of metrics."""
    random = torch.Generator().manual_seed(2)
    coarse = torch.rand(batch, 1, 8, 8, generator=random)
    smooth = F.interpolate(coarse, (size, size), mode="bilinear", align_corners=False)
    masks = (smooth > 0.6).to(device)
    maps = (smooth + 0.2 * torch.rand(batch, 1, size, size, generator=random)).clamp(0, 1).to(device)

    def job(metrics: list[str] | None) -> Callable[[], None]:
        scores = SaliencyMetrics(metrics=metrics)

        def run() -> None:
            scores.update(maps, masks)
            scores.reset()

        return run

    return {"MAE, F": job(["MAE", "F"]), "MAE, F, E, S, wF": job(["MAE", "F", "E", "S", "wF"])}


def metrics(name: str, batch: int, size: int, device: str, repeats: int) -> None:
    """Milliseconds per image: the baseline's training step, then what the metrics of its outputs cost."""
    jobs = {"training step, fp32": step_jobs(name, batch, size, device)["sodbench fp32"]}
    best = minimum_times(jobs | metric_jobs(batch, size, device), repeats, device)
    step = best["training step, fp32"] / batch
    print(f"\n{name}, batch {batch} at {size} x {size}: per image")
    for title, seconds in best.items():
        print(f"  {title:34s} {seconds / batch * 1000:10.2f} ms   {seconds / batch / step:8.2%} of the step")


def main() -> None:
    """Parses the options and prints the tables."""
    parser = argparse.ArgumentParser(description="Training speed against a plain implementation.")
    parser.add_argument("--device", default="cpu")
    parser.add_argument("--baseline", default="basnet")
    parser.add_argument("--batch", type=int, default=2)
    parser.add_argument("--size", type=int, default=224)
    parser.add_argument("--repeats", type=int, default=5)
    parser.add_argument("--only", choices=("loss", "step", "loader", "metrics"))
    parser.add_argument("--data-root", type=Path, help="folder of the loader's data set")
    parser.add_argument("--dataset", default="duts-tr")
    args = parser.parse_args()
    print(f"torch {torch.__version__}, {torch.get_num_threads()} threads, device {args.device}")
    if args.only == "loader":
        loader(args.data_root, args.dataset, args.baseline, args.device, args.repeats)
        return
    if args.only == "metrics":
        metrics(args.baseline, args.batch, args.size, args.device, args.repeats)
        return
    if args.only != "step":
        for batch, size in ((2, 224), (8, 224), (16, 128)):
            best = minimum_times(loss_jobs(batch, size, args.device), args.repeats, args.device)
            show(f"hybrid loss, forward and backward, 8 outputs, batch {batch} at {size} x {size}", best)
    if args.only != "loss":
        jobs = step_jobs(args.baseline, args.batch, args.size, args.device)
        best = minimum_times(jobs, args.repeats, args.device)
        show(f"training step of {args.baseline}, batch {args.batch} at {args.size} x {args.size}", best)


if __name__ == "__main__":
    main()
