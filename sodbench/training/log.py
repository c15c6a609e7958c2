"""The log of a training: progress line, `metrics.jsonl`, loss curves and, on request, TensorBoard events."""

import json
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from sodbench.errors import InputError
from sodbench.files import atomic_path, write_text
from sodbench.json_text import number_or_nan, to_json

if TYPE_CHECKING:
    from torch.utils.tensorboard import SummaryWriter
    from tqdm import tqdm

_AVERAGED = 50  # steps that a line of metrics.jsonl is the mean of
_NO_LOSSES = ("iteration", "lr", "images_per_second")


class _Step(NamedTuple):
    loss: float
    terms: Mapping[str, float]
    images: int
    seconds: float


class TrainingLog:
    """Writes the log of one training to `folder`; the progress line goes to stderr.

    Raises InputError if TensorBoard is asked for and not installed.
    """

    def __init__(
        self,
        folder: Path,
        title: str,
        iterations: int,
        *,
        progress: bool = True,
        tensorboard: bool = False,
    ) -> None:
        self.folder, self.title, self.iterations, self.progress = folder, title, iterations, progress
        self.path = folder / "metrics.jsonl"
        self._recent: list[_Step] = []
        self._bar: tqdm[Any] | None = None
        self._events: SummaryWriter | None = None
        if tensorboard:
            try:
                from torch.utils import tensorboard as events
            except ImportError as error:
                raise InputError(
                    "TensorBoard events need the extra: pip install 'sodbench[tensorboard]'"
                ) from error
            self._events = events.SummaryWriter(str(folder / "tensorboard"))

    def start(self, iteration: int, pending: Sequence[Mapping[str, Any]] = ()) -> None:
        """Opens the log at a step; what was logged after it, by a process that died later, is dropped.

        pending: the steps before it that no line holds yet, as `pending` gave them to its checkpoint.
        """
        from tqdm import tqdm

        self._recent = [_Step(**step) for step in pending]

        kept = [line for line in _read(self.path) if line["iteration"] <= iteration]
        write_text(self.path, "".join(to_json(line) + "\n" for line in kept))
        self._bar = tqdm(
            total=self.iterations,
            initial=iteration,
            desc=self.title,
            unit="step",
            disable=not self.progress,
        )

    def step(
        self,
        iteration: int,
        *,
        loss: float,
        terms: Mapping[str, float],
        rate: float,
        images: int,
        seconds: float,
    ) -> None:
        """Advances the progress line after step `iteration` (from 1); every 50 steps the means are logged.

        rate: the learning rate; images: those of the step, over all processes; seconds: what it took.
        """
        if self._bar is not None:
            self._bar.update()
        self._recent.append(_Step(loss, terms, images, seconds))
        if len(self._recent) < _AVERAGED and iteration != self.iterations:
            return
        line: dict[str, Any] = {
            "iteration": iteration,
            "loss": float(np.mean([step.loss for step in self._recent])),
        }
        line |= {name: float(np.mean([step.terms[name] for step in self._recent])) for name in terms}
        line["lr"] = rate
        elapsed = max(sum(step.seconds for step in self._recent), 1e-9)
        line["images_per_second"] = sum(step.images for step in self._recent) / elapsed
        self._recent.clear()
        if self._bar is not None:
            shown = {k: f"{v:.4g}" for k, v in line.items() if k not in ("iteration", "images_per_second")}
            self._bar.set_postfix({**shown, "images/s": f"{line['images_per_second']:.1f}"})
        self._write(line)
        if iteration == self.iterations:
            self.draw()

    def pending(self) -> list[dict[str, Any]]:
        """The steps that no line holds yet, for a checkpoint: a resumed training logs the same means."""
        return [{**step._asdict(), "terms": dict(step.terms)} for step in self._recent]

    def scores(self, iteration: int, scores: Mapping[str, Mapping[str, float]]) -> None:
        """Logs the scores of a validation, by data set and metric."""
        for dataset, values in scores.items():
            self._write({"iteration": iteration, "dataset": dataset, "scores": values})
            if self._bar is not None and self.progress:
                text = "  ".join(f"{name} {value:.4f}" for name, value in values.items())
                self._bar.write(f"step {iteration} {dataset}: {text}", file=sys.stderr)
        self.draw()

    def draw(self) -> None:
        """Draws loss, terms and validation scores over the steps, as loss.svg and loss.png."""
        lines = _read(self.path)
        steps = [line for line in lines if "loss" in line]
        if steps:
            _draw(steps, [line for line in lines if "scores" in line], self.folder / "loss")

    def close(self) -> None:
        """Ends the progress line and the TensorBoard events."""
        if self._bar is not None:
            self._bar.close()
        if self._events is not None:
            self._events.close()

    def _write(self, line: Mapping[str, Any]) -> None:
        with self.path.open("a", encoding="utf-8") as file:
            file.write(to_json(line) + "\n")
        if self._events is not None:
            group = f"{line['dataset']}/" if "dataset" in line else "training/"
            for name, value in line.get("scores", line).items():
                if name != "iteration":
                    self._events.add_scalar(group + name, value, line["iteration"])
            self._events.flush()


def last_losses(folder: Path) -> dict[str, float]:
    """Loss and terms of the last logged steps in a training's folder, their means; empty without a log."""
    steps = [line for line in _read(folder / "metrics.jsonl") if "loss" in line]
    return {k: v for k, v in steps[-1].items() if k not in _NO_LOSSES} if steps else {}


def last_step(folder: Path) -> int:
    """The last step that the log of a training holds; 0 without a log."""
    return max((int(line["iteration"]) for line in _read(folder / "metrics.jsonl")), default=0)


def _draw(steps: list[dict[str, Any]], validations: list[dict[str, Any]], path: Path) -> None:
    import matplotlib
    from matplotlib.figure import Figure
    from matplotlib.ticker import LogFormatter

    # without pyplot, so that a notebook keeps its backend
    figure = Figure(figsize=(11 if validations else 6, 4))
    axes = figure.subplots(1, 2 if validations else 1, squeeze=False)
    left = axes[0, 0]
    terms = [k for k in steps[0] if k not in _NO_LOSSES]
    for term, style in zip(terms, ("-", "--", "-.", ":"), strict=False):
        marker = "o" if len(steps) == 1 else None  # one point makes no line
        left.plot([s["iteration"] for s in steps], [s[term] for s in steps], style, label=term, marker=marker)
    left.set(xlabel="step", ylabel="loss, summed over the outputs", yscale="log", title="training loss")
    # plain numbers: the axis spans little more than a decade
    left.yaxis.set_major_formatter(LogFormatter())
    left.yaxis.set_minor_formatter(LogFormatter(minor_thresholds=(2, 0.5)))
    left.legend()
    if validations:
        right = axes[0, 1]
        for number, dataset in enumerate(sorted({v["dataset"] for v in validations})):
            of_set = [v for v in validations if v["dataset"] == dataset]
            x = [v["iteration"] for v in of_set]
            for metric, style in (("maxF", "-"), ("MAE", "--")):
                y = [number_or_nan(v["scores"].get(metric)) for v in of_set]
                right.plot(x, y, style, color=f"C{number}", marker=".", label=f"{dataset} {metric}")
        right.set(xlabel="step", ylim=(0, 1), title="validation, protocol pysodmetrics")
        right.legend()
    for axis in axes[0]:
        axis.grid(alpha=0.3)
    figure.tight_layout()
    # the salt: the same losses give the same bytes
    with matplotlib.rc_context({"svg.hashsalt": "sodbench"}):
        for ending in ("svg", "png"):
            metadata = {"Date": None} if ending == "svg" else {}
            with atomic_path(path.with_suffix(f".{ending}")) as part:
                figure.savefig(part, format=ending, dpi=120, metadata=metadata)


def _read(path: Path) -> list[dict[str, Any]]:
    """The lines of metrics.jsonl; empty without the file."""
    if not path.exists():
        return []
    lines = []
    for text in path.read_text(encoding="utf-8").splitlines():
        try:
            lines.append(json.loads(text))
        except (ValueError, RecursionError):  # the last line of a process that was killed may be cut short
            continue
    return lines
