"""The trainer's step in each form, beside the published one; the hybrid loss alone; the loader alone."""

import json
from collections.abc import Mapping
from contextlib import nullcontext
from typing import Any

from training import loader_rate, loss_jobs, minimum_times, step_jobs

import sodbench as sb
from gpu_parts.part import Cells, Part
from gpu_parts.setting import Setting
from sodbench.models.efficiency import PeakMemory
from sodbench.models.tf32 import without_tf32
from sodbench.training.cache import open_cache
from sodbench.training.recipe import load_recipe

_PLAIN = "step as published: eager fp32, textbook loss"
_TF32 = "the same in TF32, torch's default on a GPU"
_TRAINER: dict[str, dict[str, Any]] = {
    "sodbench train, fp32": {"precision": "fp32"},
    "sodbench train, fp32, default layout": {"precision": "fp32", "channels_last": False},
    "sodbench train, bf16": {"precision": "bf16"},
    "sodbench train, fp16": {"precision": "fp16"},
    "sodbench train, bf16, compiled": {"precision": "bf16", "compile": True},
}
_LOSSES = {"hybrid loss alone, as in textbooks": "textbook", "hybrid loss alone": "sodbench"}
_LOADERS = {"loader alone, from files": False, "loader alone, from the cache": True}
_RATE, _TIMES = "images/s", "times as published"


def measure(setting: Setting, row: str, done: Mapping[str, Cells]) -> Cells:
    if row in _LOADERS:
        return {_RATE: _loader(setting, cached=_LOADERS[row])}
    batch, size = (2, 32) if setting.tiny else (8, 224)
    repeats = 2 if setting.tiny else 10
    if row in _LOSSES:
        setting.need_memory(2.0)
        job = loss_jobs(batch, size, setting.device)[_LOSSES[row]]
        seconds = minimum_times({row: job}, repeats, setting.device)[row]
        return _cells(batch / seconds, batch, done.get("hybrid loss alone, as in textbooks"))
    setting.need_memory(10.0)
    with PeakMemory(setting.device) as peak:
        if row in (_PLAIN, _TF32):
            if row == _TF32:
                setting.need_cuda()
            with without_tf32() if row == _PLAIN else nullcontext():
                jobs = step_jobs(setting.main_name, batch, size, setting.device)
                job = jobs["plain eager fp32, textbook loss"]
                del jobs  # and their networks
                rate = batch / minimum_times({row: job}, repeats, setting.device)[row]
        else:
            rate = _trained(setting, row, batch, size)
    memory = {} if peak.bytes is None else {"memory, GB": peak.bytes / 1e9}
    return {**_cells(rate, batch, done.get(_PLAIN)), **memory}


def _cells(rate: float, batch: int, plain: Cells | None) -> Cells:
    cells: Cells = {_RATE: rate, "ms per step": 1000 * batch / rate}
    return cells | {_TIMES: rate / float(plain[_RATE]) if plain else 1.0}


def _trained(setting: Setting, row: str, batch: int, size: int) -> float:
    """Images per second of the last steps that the trainer logs, with its loader and all."""
    if _TRAINER[row].get("compile"):
        setting.not_tiny()
        setting.need_compiler()
    steps = 2 if setting.tiny else 150
    out = setting.scratch / "steps" / row.replace(" ", "-").replace(",", "")
    sb.train(
        setting.main_name,
        datasets=[setting.training_set.name],
        data_root=setting.root,
        settings=short(batch, size, steps) | _TRAINER[row],
        out=out,
        device=setting.device,
        workers=setting.workers,
        cache=True,
    )
    lines = [json.loads(line) for line in (out / "metrics.jsonl").read_text().splitlines()]
    return float([line for line in lines if "loss" in line][-1]["images_per_second"])


def short(batch: int, size: int, steps: int) -> dict[str, Any]:
    """The settings of a short training on crops of `size`, from random weights and without extras."""
    return {
        "iterations": steps,
        "batch": batch,
        "resize": [size + 16, size + 16],
        "crop": [size, size],
        "scale_jitter": None,
        "aspect_jitter": 1.0,
        "warmup": 0,
        "checkpoint_every": steps,
        "initialisation": "default",
        "channels_last": True,
    }


def _loader(setting: Setting, *, cached: bool) -> float:
    baseline = setting.main_baseline
    recipe = load_recipe(baseline.training, {}, baseline.name)
    samples = setting.training_set.samples
    cache = open_cache(samples, recipe.resize) if cached else None
    return loader_rate(samples, recipe, cache, setting.workers, 0.2 if setting.tiny else 5.0)


PART = Part(
    name="steps",
    title="A training step: basnet, batch 8 at 224 x 224",
    columns=(_RATE, "ms per step", _TIMES, "memory, GB"),
    rows=(_PLAIN, _TF32, *_TRAINER, *_LOSSES, *_LOADERS),
    share=0.25,
    measure=measure,
)
