"""What all parts share: the device, the folders, the pictures, and the networks with their weights."""

import dataclasses
import importlib.util
import os
import shutil
import subprocess
import sys
import sysconfig
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any

import torch

from gpu_parts.processes import started
from sodbench.data.folder import DataSet, open_dataset
from sodbench.errors import InputError
from sodbench.models import Baseline, load_baseline

TOP = Path(__file__).resolve().parents[2]
# the first that is there; the embedded sample needs no files
TEST_SETS = ("ecssd", "sod", "pascal-s", "duts-te", "sample")
TRAINING_SETS = ("duts-tr", "duts-tr-256", "msra10k", "sample-train")
# whose own weights are used where they lie in the data root's weights/ or where `sodbench` puts them
OWN_WEIGHTS = ("basnet", "basnet-tiny", "u2netp", "deeplabv3-pac-bal")
# of the same kind as basnet and small enough for a CPU: what --tiny measures in its place
_TINY = """extends = "basnet-tiny"
[options]
width = 4
drop = 0.0
[input]
height = 64
width = 64
[inference]
scales = [1.0]
mirror = false
"""


class NotMeasured(Exception):
    """The reason why a row cannot be measured here."""


@dataclass
class Setting:
    """One call of gpu.py. `scratch` is removed at its end, `out` keeps the tables and trainings.

    ended: the rows (`part`, `row`) at which earlier processes of this call died, and `how`.
    """

    device: str
    out: Path
    scratch: Path
    data_root: Path | None
    tiny: bool
    train_steps: int
    part_deadline: float = 0.0
    kept: dict[str, Any] = field(default_factory=dict)  # what several rows of a part start from
    ended: Sequence[Mapping[str, Any]] = ()

    @property
    def cuda(self) -> bool:
        return self.device.startswith("cuda")

    @property
    def left(self) -> float:
        """Seconds that are left for this part."""
        return self.part_deadline - time.monotonic()

    @property
    def workers(self) -> int:
        """Loader processes."""
        return 0 if self.tiny else max(1, min(12, (os.cpu_count() or 2) - 2))

    def synchronise(self) -> None:
        if self.cuda:
            torch.cuda.synchronize()

    def need_cuda(self) -> None:
        if not self.cuda:
            raise NotMeasured("needs CUDA")

    def not_tiny(self) -> None:
        if self.tiny:
            raise NotMeasured("left out of --tiny")

    def need_memory(self, gigabytes: float) -> None:
        """Skips a row that needs more of the GPU's memory than is free."""
        if self.cuda and (free := torch.cuda.mem_get_info()[0] / 1e9) < gigabytes:
            raise NotMeasured(f"needs about {gigabytes:g} GB of GPU memory; {free:.1f} GB are free")

    @property
    def no_compiler(self) -> str:
        """Why torch.compile cannot work on a GPU here: triton builds a C program with Python's headers."""
        if importlib.util.find_spec("triton") is None:
            return "torch.compile needs the package triton"
        if "CC" not in os.environ and not any(map(shutil.which, ("gcc", "clang", "cc"))):
            return "torch.compile needs a C compiler, such as gcc"
        if not Path(sysconfig.get_path("include"), "Python.h").is_file():
            return "torch.compile needs Python's headers (Python.h)"
        return ""

    def need_compiler(self) -> None:
        if self.no_compiler:
            raise NotMeasured(self.no_compiler)

    @cached_property
    def main_baseline(self) -> Baseline:
        """`basnet`, or its small relative with --tiny."""
        if not self.tiny:
            return load_baseline("basnet")
        path = self.scratch / "small-basnet.toml"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(_TINY)
        return load_baseline(path)

    @property
    def main_name(self) -> str:
        """What the commands call `main_baseline`."""
        return str(self.main_baseline.path) if self.tiny else "basnet"

    def weights(self, baseline: Baseline) -> Path:
        """The baseline's own weights where they are there and fit, else random ones, always the same."""
        beside = [self.data_root / "weights" / f"{baseline.name}.pth"] if self.data_root else []
        for own in (baseline.weights_path(), *beside):
            if own.is_file() and baseline.name in OWN_WEIGHTS:
                return own
        path = self.scratch / "weights" / f"{baseline.name}.pth"
        if not path.is_file():
            path.parent.mkdir(parents=True, exist_ok=True)
            with torch.random.fork_rng(devices=[]):
                torch.manual_seed(0)
                network = baseline.build()
                for module in network.modules():
                    if isinstance(module, torch.nn.BatchNorm2d) and module.running_mean is not None:
                        module.running_mean.normal_(0, 0.1)
                        assert module.running_var is not None
                        module.running_var.uniform_(0.9, 1.1)
            torch.save(network.state_dict(), path)
        return path

    @cached_property
    def test_set(self) -> DataSet:
        return self._first_of(("ecssd",) if self.tiny else TEST_SETS)

    @cached_property
    def training_set(self) -> DataSet:
        return self._first_of(("ecssd",) if self.tiny else TRAINING_SETS)

    @cached_property
    def root(self) -> Path | None:
        """The data root; with --tiny a few procedural pictures laid out like ECSSD."""
        if not self.tiny:
            return self.data_root
        from PIL import Image

        from sodbench.data.synthetic import make_picture

        folder = self.scratch / "data" / "ECSSD"
        for number in range(8):
            image, mask = make_picture("test", number)
            for kind, pixels, ending in (("images", image, "jpg"), ("ground_truth_mask", mask, "png")):
                (folder / kind).mkdir(parents=True, exist_ok=True)
                small = Image.fromarray(pixels).resize((96, 72), Image.Resampling.NEAREST)
                small.save(folder / kind / f"{number + 1:04d}.{ending}", quality=95)
        return folder.parent

    def _first_of(self, names: Sequence[str]) -> DataSet:
        for name in names:
            try:
                return open_dataset(name, self.root)
            except InputError:
                if name == names[-1]:
                    raise
        raise AssertionError

    def with_precision(self, baseline: Baseline, precision: str) -> Baseline:
        """The baseline whose maps are computed in `precision`, on any device."""
        kinds: Any = {"cpu": precision, "cuda": precision}
        return dataclasses.replace(baseline, inference=dataclasses.replace(baseline.inference, **kinds))

    def command(self, *arguments: str) -> list[str]:
        return [sys.executable, "-m", *arguments]

    def environment(self) -> dict[str, str]:
        """For the processes that a part starts: this checkout's package, installed or not."""
        paths = [str(TOP), os.environ.get("PYTHONPATH", "")]
        return {**os.environ, "PYTHONPATH": os.pathsep.join(path for path in paths if path)}

    def finished(self, command: Sequence[str]) -> str:
        """Runs a command to its end and returns its output; RuntimeError with its last line if it fails."""
        with started(
            command, env=self.environment(), stdout=subprocess.PIPE, stderr=subprocess.STDOUT
        ) as process:
            output, _ = process.communicate()
        if process.returncode:
            lines = [line for line in output.splitlines() if "rror" in line] or output.splitlines()
            raise RuntimeError(f"exit code {process.returncode}: {lines[-1] if lines else ''}")
        return output
