"""What can be seen of a training: progress line, metrics.jsonl, loss curve, scores, pictures of samples.

Validation takes the road of `sodbench run`: maps are written at the pictures' own size and scored by the
metric engine, so that the number during training is the number of the run record.
"""

import json
import math
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import torch
from torch import nn

from sodbench.data.folder import DataSet
from sodbench.errors import unknown_names
from sodbench.metrics.protocol import DEFAULT, load_protocol
from sodbench.metrics.registry import chosen
from sodbench.training.recipe import Recipe

if TYPE_CHECKING:
    from sodbench.models.baseline import Baseline

_SHOWN = 6  # rows of the sample grid
_AVERAGED = 50  # steps that a line of metrics.jsonl is the mean of
_NO_LOSSES = ("iteration", "lr", "images_per_second")


class FileWatcher:
    """Writes what it sees below `out`; the trainer's `Watcher`."""

    def __init__(
        self,
        baseline: "Baseline",
        recipe: Recipe,
        out: Path,
        device: torch.device,
        validation: Sequence[DataSet] = (),
        fixed: Sequence[tuple[np.ndarray[Any, Any], np.ndarray[Any, Any]]] = (),
        tensorboard: bool = False,
        quiet: bool = False,
    ) -> None:
        self.baseline, self.recipe, self.out, self.device = baseline, recipe, out, device
        self.validation, self.fixed, self.quiet = validation, fixed, quiet
        # an unknown name is refused now and not after the first hours
        known = {
            info.name: info for family in chosen(None, load_protocol(DEFAULT)) for info in family.metrics
        }
        if recipe.validate_metric not in known:
            raise unknown_names("training.validate_metric", [recipe.validate_metric], known)
        self.lower_is_better = not known[recipe.validate_metric].higher_is_better
        self.log = out / "metrics.jsonl"
        self.recent: list[tuple[float, dict[str, float], int, float]] = []
        self.bar: Any = None
        self.writer: Any = None
        if tensorboard:
            try:
                from torch.utils.tensorboard import SummaryWriter
            except ImportError as error:
                from sodbench.errors import InputError

                raise InputError(
                    "--tensorboard needs the extra: pip install 'sodbench[tensorboard]'"
                ) from error
            self.writer = SummaryWriter(str(out / "tensorboard"))

    def start(self, iteration: int) -> None:
        """Opens the log; what was logged after the checkpoint that training goes on from is dropped."""
        from tqdm import tqdm

        self.out.mkdir(parents=True, exist_ok=True)
        kept = [line for line in _read(self.log) if line["iteration"] <= iteration]
        self.log.write_text("".join(json.dumps(line) + "\n" for line in kept))
        self.clock = time.monotonic()
        self.bar = tqdm(
            total=self.recipe.iterations,
            initial=iteration,
            desc=self.baseline.name,
            unit="step",
            disable=self.quiet,
        )

    def step(self, iteration: int, loss: float, terms: dict[str, float], rate: float, images: int) -> None:
        """Advances the progress line; every 50 steps the means go into metrics.jsonl."""
        now = time.monotonic()
        self.recent.append((loss, terms, images, now - self.clock))
        self.clock = now
        self.bar.update()
        if len(self.recent) < _AVERAGED and iteration != self.recipe.iterations:
            return
        line: dict[str, Any] = {"iteration": iteration, "loss": float(np.mean([r[0] for r in self.recent]))}
        line |= {name: float(np.mean([r[1][name] for r in self.recent])) for name in terms}
        line["lr"] = rate
        line["images_per_second"] = sum(r[2] for r in self.recent) / max(sum(r[3] for r in self.recent), 1e-9)
        self.recent.clear()
        shown = {k: f"{v:.4g}" for k, v in line.items() if k not in ("iteration", "images_per_second")}
        self.bar.set_postfix({**shown, "images/s": f"{line['images_per_second']:.1f}"})
        self._write(line)
        if iteration == self.recipe.iterations:
            self.bar.close()
            draw_losses(self.log, self.out / "loss")

    def validate(self, iteration: int, network: nn.Module) -> float | None:
        """Scores the network on the validation sets; the mean of the chosen metric, smaller is better."""
        values = []
        for dataset in self.validation:
            scores = validation_scores(
                self.baseline,
                network,
                dataset,
                self.out / "validation",
                self.device,
                self.recipe.validate_limit,
            )
            self._write({"iteration": iteration, "dataset": dataset.name, "scores": scores})
            value = scores[self.recipe.validate_metric]
            values.append(value if self.lower_is_better else -value)
            if not self.quiet:
                said = "  ".join(f"{name} {value:.4f}" for name, value in scores.items())
                self.bar.write(f"step {iteration} {dataset.name}: {said}")
        if iteration != self.recipe.iterations:
            draw_losses(self.log, self.out / "loss")
        self.clock = time.monotonic()
        return float(np.mean(values)) if values and not math.isnan(sum(values)) else None

    def sample(self, iteration: int, network: nn.Module) -> None:
        """Draws fixed samples with all outputs of the network into samples/<step>.png."""
        draw_samples(
            self.baseline, network, self.fixed[:_SHOWN], self.out / "samples" / f"{iteration:07d}.png"
        )
        self.clock = time.monotonic()

    def _write(self, line: Mapping[str, Any]) -> None:
        with self.log.open("a") as file:
            file.write(json.dumps(line) + "\n")
        if self.writer:
            group = f"{line['dataset']}/" if "dataset" in line else "training/"
            for name, value in line.get("scores", line).items():
                if name != "iteration":
                    self.writer.add_scalar(group + name, value, line["iteration"])
            self.writer.flush()


def last_losses(out: Path) -> dict[str, float]:
    """Loss and terms of the last line of the log in `out`, the means of its last steps; empty without one."""
    steps = [line for line in _read(out / "metrics.jsonl") if "loss" in line]
    return {k: v for k, v in steps[-1].items() if k not in _NO_LOSSES} if steps else {}


def validation_scores(
    baseline: "Baseline",
    network: nn.Module,
    dataset: DataSet,
    folder: Path,
    device: torch.device,
    limit: int = 0,
) -> dict[str, float]:
    """The scores of a network on a data set (its first `limit` pictures), default protocol."""
    from sodbench.prediction import predict_samples
    from sodbench.scoring import score_samples

    samples = dataset.samples[:limit] if limit else dataset.samples
    was_training = network.training
    network.eval()
    pairs = predict_samples(network, baseline, samples, folder / dataset.name, device=str(device))
    network.train(was_training)
    scores: dict[str, float] = score_samples(pairs, keep_curves=False)[DEFAULT].scores
    return scores


def draw_losses(log: Path, out: Path) -> None:
    """Draws loss, terms and validation scores over the steps, as SVG and PNG."""
    import matplotlib

    matplotlib.use("Agg")
    import matplotlib.pyplot as plt
    from matplotlib.ticker import LogFormatter

    lines = _read(log)
    steps = [line for line in lines if "loss" in line]
    scores = [line for line in lines if "scores" in line]
    if not steps:
        return
    figure, axes = plt.subplots(1, 2 if scores else 1, figsize=(11 if scores else 6, 4), squeeze=False)
    left = axes[0, 0]
    terms = [k for k in steps[0] if k not in _NO_LOSSES]
    for term, style in zip(terms, ("-", "--", "-.", ":"), strict=False):
        left.plot([s["iteration"] for s in steps], [s[term] for s in steps], style, label=term)
    left.set(xlabel="step", ylabel="loss, summed over the outputs", yscale="log", title="training loss")
    # plain numbers: the axis spans little more than a decade
    left.yaxis.set_major_formatter(LogFormatter())
    left.yaxis.set_minor_formatter(LogFormatter(minor_thresholds=(2, 0.5)))
    left.legend()
    if scores:
        right = axes[0, 1]
        for number, name in enumerate(sorted({s["dataset"] for s in scores})):
            own = [s for s in scores if s["dataset"] == name]
            x = [s["iteration"] for s in own]
            for metric, style in (("maxF", "-"), ("MAE", "--")):
                label = f"{name} {metric}"
                right.plot(
                    x, [s["scores"][metric] for s in own], style, color=f"C{number}", marker=".", label=label
                )
        right.set(xlabel="step", ylim=(0, 1), title="validation, protocol pysodmetrics")
        right.legend()
    for axis in axes[0]:
        axis.grid(alpha=0.3)
    figure.tight_layout()
    for suffix in (".svg", ".png"):
        figure.savefig(
            out.with_suffix(suffix), dpi=120, metadata={"Date": None} if suffix == ".svg" else None
        )
    plt.close(figure)


def draw_samples(
    baseline: "Baseline",
    network: nn.Module,
    pairs: Sequence[tuple[np.ndarray[Any, Any], np.ndarray[Any, Any]]],
    path: Path,
) -> None:
    """A grid: a row a sample - picture, mask, every output of the network, the final one first."""
    from PIL import Image

    from sodbench.data.preprocessing import prepare
    from sodbench.files import atomic_path

    if not pairs:
        return
    spec = baseline.input
    device = next(network.parameters()).device
    was_training = network.training
    network.eval()
    with torch.no_grad():
        x = torch.from_numpy(np.stack([prepare(image, spec) for image, _ in pairs])).to(device)
        outputs = [torch.sigmoid(output.float())[:, 0].cpu().numpy() for output in network(x)]
    network.train(was_training)
    size = (128, 128)
    rows = []
    for number, (image, mask) in enumerate(pairs):
        tiles = [Image.fromarray(image).resize(size), Image.fromarray(mask).convert("RGB").resize(size)]
        for output in outputs:
            levels = np.rint(output[number] * 255).astype(np.uint8)
            tiles.append(Image.fromarray(levels).convert("RGB").resize(size))
        rows.append(np.hstack([np.asarray(tile) for tile in tiles]))
    with atomic_path(path) as part:
        Image.fromarray(np.vstack(rows)).save(part, "PNG")


def _read(log: Path) -> list[dict[str, Any]]:
    if not log.exists():
        return []
    lines = []
    for text in log.read_text().splitlines():
        try:
            lines.append(json.loads(text))
        except json.JSONDecodeError:  # the last line of a killed process may be cut short
            continue
    return lines
