"""Trains basnet for the minutes that are left, over several calls, and splits its best weights into parts."""

import contextlib
import json
import signal
import subprocess
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import torch
from weights_parts import join, split

from gpu_parts.part import Cells, Part
from gpu_parts.processes import started
from gpu_parts.setting import Setting
from sodbench.models.weights import load_state, save_half
from sodbench.toml_text import toml_value
from sodbench.training.log import last_step

_MODERN, _SCRATCH = "basnet-modern", "basnet-scratch"
_ENDING = 20.0  # seconds that are kept for the weights of a training that is cut


def measure(setting: Setting, row: str, done: Mapping[str, Cells]) -> Cells:
    if row == _SCRATCH:
        setting.not_tiny()
    setting.need_memory(20.0)
    out = setting.out / "training" / row
    notes = _train(setting, row, out)
    lines = [json.loads(line) for line in _text(out / "metrics.jsonl").splitlines()]
    losses = [line for line in lines if "loss" in line]
    scores = [line["scores"] for line in lines if "scores" in line]
    cells: Cells = {
        "steps": last_step(out),
        "of": setting.train_steps,
        "initialisation": _initialisation(row),
    }
    if losses:
        cells |= {"images/s": losses[-1]["images_per_second"], "loss": losses[-1]["loss"]}
    if scores:
        cells |= {"best MAE": min(s["MAE"] for s in scores), "best max F": max(s["maxF"] for s in scores)}
    if weights := _weights(out):
        manifest = split(weights, setting.out / f"{row}-weights")
        joined = out / "joined.pth"
        join(manifest, joined)  # every part is read back
        joined.unlink()
        cells["parts"] = len(json.loads(manifest.read_text())["parts"])
    cells["validated on"] = setting.test_set.name
    if not (out / "training.json").is_file():
        cells["goes on"] = "yes"
        if not weights:
            raise RuntimeError(notes or "it was cut before its first checkpoint")
    return cells


def _train(setting: Setting, row: str, out: Path) -> str:
    """Runs `sodbench train --resume` to its end or nearly to that of the time; its last words on stderr."""
    if (out / "training.json").is_file():
        return ""
    settings: dict[str, Any] = {
        "iterations": setting.train_steps,
        "initialisation": _initialisation(row),
        "precision": "bf16",
        "compile": not setting.tiny and not setting.no_compiler,
        "checkpoint_every": 2 if setting.tiny else 250,
        "validate_on": [setting.test_set.name],
        "validate_every": 2 if setting.tiny else 500,
        "validate_limit": 2 if setting.tiny else 200,
    }
    name = row
    if setting.tiny:
        name = setting.main_name
        settings |= {"batch": 2, "resize": [40, 40], "crop": [32, 32], "warmup": 0}
        settings |= {"scale_jitter": None, "aspect_jitter": 1.0}
    elif row == _SCRATCH:
        # what makes the modern recipe converge in few steps, at the published size
        settings |= {"optimiser": "adamw", "lr": 4e-4, "weight_decay": 1e-4, "schedule": "cosine"}
        settings |= {"warmup": 500, "final_lr": 1e-6, "batch": 16, "clip": 1.0, "ema": 0.999}
    command = setting.command(
        *("sodbench", "train", name, "--datasets", setting.training_set.name),
        *([] if setting.root is None else ["--data-root", str(setting.root)]),
        *("--out", str(out), "--device", setting.device, "--resume", "--quiet", "--cache"),
        f"--workers={setting.workers}",
        *(f"--set=training.{key}={toml_value(value)}" for key, value in settings.items()),
    )
    out.mkdir(parents=True, exist_ok=True)
    with (
        (out / "stderr.txt").open("w", encoding="utf-8") as errors,
        started(command, env=setting.environment(), stdout=subprocess.DEVNULL, stderr=errors) as process,
        contextlib.suppress(subprocess.TimeoutExpired),
    ):
        process.wait(max(1.0, setting.left - _ENDING))
    said = _text(out / "stderr.txt").strip().splitlines()
    if process.returncode not in (0, -signal.SIGKILL):
        raise RuntimeError(said[-1] if said else f"exit code {process.returncode}")
    return said[-1] if said else ""


def _weights(out: Path) -> Path | None:
    """The best weights in half precision: those of the finished training, else of the last checkpoint."""
    path = out / "weights.pth"
    if (out / "training.json").is_file():
        return path
    for name in ("best.pt", "last.pt"):
        if (out / name).is_file():
            save_half(load_state(out / name), path)
            return path
    return None


def _initialisation(row: str) -> str:
    """ImageNet's encoder where its file is there already: nothing is downloaded."""
    there = Path(torch.hub.get_dir()) / "checkpoints" / "resnet34-b627a593.pth"
    return "imagenet" if row == _MODERN and there.is_file() else "default"


def _text(path: Path) -> str:
    return path.read_text(encoding="utf-8") if path.is_file() else ""


PART = Part(
    name="trainings",
    title="Training of basnet in the minutes that are left",
    columns=(
        *("steps", "of", "images/s", "loss", "best max F", "best MAE", "validated on", "initialisation"),
        "parts",
    ),
    rows=(_MODERN, _SCRATCH),
    share=0.0,
    measure=measure,
)
