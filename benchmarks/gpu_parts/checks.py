"""Whether training keeps its promises on this machine: to the bit, over several processes, after a kill."""

import json
import shutil
import subprocess
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import torch

import sodbench as sb
from gpu_parts.part import Cells, Part
from gpu_parts.processes import started
from gpu_parts.setting import NotMeasured, Setting
from gpu_parts.steps import short
from sodbench.toml_text import toml_value
from sodbench.training.checkpoint import load_checkpoint

_TWICE = "--deterministic twice"
_KILLED = "killed and resumed, against one without a break"
_ELSEWHERE = "checkpoint of this device resumed on the CPU"
_ONE_NCCL = "one process with NCCL"
_NCCL = "two ranks on two GPUs, NCCL"
_GLOO = "two ranks on one device, gloo"
_STEPS = 8
_WORKER = Path(__file__).with_name("ranks_worker.py")
_CLOSE = 1e-9  # relative, of gradients in double precision


def measure(setting: Setting, row: str, done: Mapping[str, Cells]) -> Cells:
    if row == _ONE_NCCL:
        setting.need_cuda()
        return _ranks(setting, 1, "nccl", "cuda")
    if row == _NCCL:
        setting.need_cuda()
        if torch.cuda.device_count() < 2:
            raise NotMeasured("needs two GPUs: NCCL refuses two ranks on one")
        return _ranks(setting, 2, "nccl", "cuda")
    if row == _GLOO:
        return _ranks(setting, 2, "gloo", "cuda:0" if setting.cuda else "cpu")
    if row == _TWICE:
        return _compared(_without_break(setting, "first"), _without_break(setting, "second"))
    broken = setting.scratch / "checks" / "killed"
    if "killed" not in setting.kept:
        setting.kept["killed"] = _killed(setting, broken)
    if row == _KILLED:
        resumed = _copy(broken, "resumed")
        _train(setting, resumed, resume=True)
        return {**_compared(_without_break(setting, "first"), resumed), "at step": setting.kept["killed"]}
    elsewhere = _copy(broken, "on-the-cpu")
    _train(setting, elsewhere, resume=True, device="cpu")
    return {"result": "it goes on", "at step": setting.kept["killed"]}


def _settings(setting: Setting) -> dict[str, Any]:
    settings = short(*((2, 32) if setting.tiny else (8, 128)), _STEPS)
    return settings | {"precision": "fp32", "checkpoint_every": 2}


def _name(setting: Setting) -> str:
    return setting.main_name if setting.tiny else "basnet-tiny"


def _train(setting: Setting, out: Path, *, resume: bool = False, device: str | None = None) -> None:
    sb.train(
        _name(setting),
        datasets=[setting.training_set.name],
        data_root=setting.root,
        settings=_settings(setting),
        out=out,
        resume=resume,
        device=device or setting.device,
        workers=0,
        deterministic=True,
    )


def _without_break(setting: Setting, name: str) -> Path:
    out = setting.scratch / "checks" / name
    if not (out / "training.json").is_file():
        shutil.rmtree(out, ignore_errors=True)
        _train(setting, out)
    return out


def _copy(folder: Path, name: str) -> Path:
    to = folder.with_name(name)
    shutil.rmtree(to, ignore_errors=True)
    shutil.copytree(folder, to)
    return to


def _killed(setting: Setting, out: Path) -> int:
    """Kills `sodbench train` as soon as it has a checkpoint; returns the checkpoint's step."""
    shutil.rmtree(out, ignore_errors=True)
    settings = [f"--set=training.{key}={toml_value(value)}" for key, value in _settings(setting).items()]
    command = setting.command(
        *("sodbench", "train", _name(setting), "--datasets", setting.training_set.name),
        *([] if setting.root is None else ["--data-root", str(setting.root)]),
        *("--out", str(out), "--device", setting.device, "--workers=0", "--deterministic", "--quiet"),
        *settings,
    )
    with started(command, env=setting.environment(), stderr=subprocess.PIPE) as process:
        while not (out / "last.pt").exists():
            if process.poll() is not None:
                assert process.stderr is not None
                raise RuntimeError(process.stderr.read().strip().splitlines()[-1])
            time.sleep(0.005)
    return int(load_checkpoint(out / "last.pt")["iteration"])


def _compared(one: Path, two: Path) -> Cells:
    """How far the last weights of two trainings are apart."""
    first, second = (load_checkpoint(folder / "last.pt")["model"] for folder in (one, two))
    apart = [float((first[name].double() - second[name].double()).abs().max()) for name in first]
    if not any(apart):
        return {"result": "equal to the bit", "largest difference": 0.0}
    count = sum(one > 0 for one in apart)
    return {"result": f"NOT equal: {count} of {len(apart)} tensors", "largest difference": max(apart)}


def _ranks(setting: Setting, count: int, backend: str, device: str) -> Cells:
    """Gradients and batch statistics of several ranks against one process, then a short training of them."""
    folder = setting.scratch / "ranks" / f"{backend}-{count}"
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    job = {
        "baseline": _name(setting),
        "dataset": setting.training_set.name,
        "data_root": None if setting.root is None else str(setting.root),
        "settings": short(*((2, 32) if setting.tiny else (8, 128)), 2 if setting.tiny else 100),
    }
    (folder / "job.json").write_text(json.dumps(job))
    launcher = setting.command(
        "torch.distributed.run", "--standalone", f"--nproc-per-node={count}", str(_WORKER)
    )
    setting.finished([*launcher, str(folder), backend, device])
    found = json.loads((folder / "result.json").read_text())
    alone = torch.load(folder / "alone.pt", weights_only=True)
    ranks = torch.load(folder / "ranks.pt", weights_only=True)
    apart = max(float((alone[k] - ranks[k]).abs().max() / alone[k].abs().max()) for k in alone)
    result = "as one process" if apart < _CLOSE else "NOT as one process"
    return {"result": result, "largest difference": apart, "images/s": found["images_per_second"]}


PART = Part(
    name="checks",
    title="What training promises: to the bit, over several processes, after a kill",
    columns=("result", "largest difference", "at step", "images/s"),
    rows=(_TWICE, _KILLED, _ELSEWHERE, _ONE_NCCL, _NCCL, _GLOO),
    share=0.15,
    measure=measure,
)
