"""What a network costs: parameters, operations, images per second, latency and memory, form by form.

Forms are measured in turns, so that what else the machine does hits all of them alike; rates are those of the
fastest turn's pass, latencies are percentiles over all passes. FLOPs are torch's count for one picture
through the whole network once, multiplication and addition counted apart.
"""

import contextlib
import copy
import resource
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import torch
from torch import nn

from sodbench.errors import unknown_names
from sodbench.models.inference import Predictor
from sodbench.models.registry import Baseline

# how a Predictor is made for each form; `default` is what prediction uses
FORMS: dict[str, dict[str, Any]] = {
    "fp32": {"precision": "fp32", "fold": False, "channels_last": False, "whole": True},
    "channels-last": {"precision": "fp32", "fold": False},
    "folded": {"precision": "fp32"},
    "bf16": {"precision": "bf16"},
    "fp16": {"precision": "fp16"},
    "compiled": {"precision": "fp32", "compile": True},
    "compiled-bf16": {"precision": "bf16", "compile": True},
    "default": {},
}
FLOPS_CONVENTION = "one picture, the whole network once; multiplication and addition counted apart (torch)"


@dataclass(frozen=True)
class Measured:
    """One form's figures; `levels_apart` is the largest difference to the fp32 map, in levels of 255.

    `peak_memory_bytes`: on a GPU what torch allocated, else all of the process (with one form in it).
    """

    form: str
    images_per_second: float
    latency_ms: dict[str, float]
    peak_memory_bytes: int
    levels_apart: float
    remark: str = ""


def count_parameters(network: nn.Module) -> int:
    """All values that training changes."""
    return sum(p.numel() for p in network.parameters())


def count_flops(network: nn.Module, size: tuple[int, int]) -> int:
    """Operations for one picture of `size` (height, width); see FLOPS_CONVENTION."""
    from torch.utils.flop_counter import FlopCounterMode

    counter = FlopCounterMode(display=False)
    place = next((p.device for p in network.parameters()), torch.device("cpu"))
    with torch.no_grad(), counter:
        network(torch.zeros(1, 3, *size, device=place))
    return int(counter.get_total_flops())


def measure(
    network: nn.Module,
    baseline: Baseline,
    pictures: npt.NDArray[np.float32],
    forms: Sequence[str] = ("fp32", "channels-last", "folded", "bf16", "default"),
    *,
    device: str = "cpu",
    seconds: float = 5.0,
    clock: Callable[[], float] = time.perf_counter,
    say: Callable[[str], None] = lambda line: None,
) -> list[Measured]:
    """Measures forms on prepared `pictures` (N x 3 x h x w, one pass), about `seconds` each.

    `clock` is what passes are timed with: `time.process_time` on a machine that others use at the same time.
    A form that this machine cannot run (no compiler, say) is reported with the reason and NaN figures.
    """
    if unknown := [form for form in forms if form not in FORMS]:
        raise unknown_names("form", unknown, FORMS)
    expected = make_form(network, baseline, "fp32", device)(pictures)
    apart: dict[str, float] = {}
    memory: dict[str, int] = {}
    failed: dict[str, str] = {}
    for form in forms:
        say(f"preparing {form}")
        try:
            with _PeakMemory(device) as peak:
                found = make_form(network, baseline, form, device)(pictures)
        except Exception as error:  # torch.compile raises whatever its backends raise
            failed[form] = (str(error).splitlines() or [type(error).__name__])[0]
            continue
        memory[form] = peak.bytes
        apart[form] = float(np.abs(found - expected).max() * 255)
    # made again, because memory was that of one form at a time
    made = {form: make_form(network, baseline, form, device) for form in forms if form not in failed}
    for predictor in made.values():
        predictor(pictures)
    times: dict[str, list[float]] = {form: [] for form in made}
    end = time.perf_counter() + seconds * len(made)
    while made and (time.perf_counter() < end or min(map(len, times.values())) < 3):
        for form, predictor in made.items():
            started = clock()
            predictor(pictures)
            times[form].append(clock() - started)
    results = []
    for form in forms:
        if form in failed:
            nan = float("nan")
            results.append(Measured(form, nan, {}, 0, nan, failed[form]))
            continue
        points = np.percentile(times[form], (50, 90, 99)) * 1000
        latency = dict(zip(("p50", "p90", "p99"), map(float, points), strict=True))
        rate = len(pictures) / min(times[form])
        results.append(Measured(form, rate, latency, memory[form], apart[form]))
    return results


def make_form(
    network: nn.Module, baseline: Baseline, form: str, device: str
) -> Callable[[npt.NDArray[np.float32]], npt.NDArray[np.float32]]:
    """A predictor of one form: prepared pictures to probabilities."""
    options = dict(FORMS[form])
    if options.pop("whole", False):  # the textbook way: all maps, and the first is taken
        network = _Whole(network)
    return Predictor(network, baseline, device=device, **options)


class _Whole(nn.Module):
    """Hides a network's `final`, so that all its maps are computed."""

    def __init__(self, network: nn.Module) -> None:
        super().__init__()
        self.network = copy.deepcopy(network)

    def forward(self, x: torch.Tensor) -> Any:
        return self.network(x)


class _PeakMemory:
    """The most memory in use inside the block: of the GPU, or of the process where Linux tells."""

    def __init__(self, device: str) -> None:
        self.cuda = torch.device(device).type == "cuda"
        self.bytes = 0

    def __enter__(self) -> "_PeakMemory":
        if self.cuda:
            torch.cuda.reset_peak_memory_stats()
        else:
            with contextlib.suppress(OSError):  # 5 resets the process's high-water mark (proc(5))
                Path("/proc/self/clear_refs").write_text("5")
        return self

    def __exit__(self, *_: object) -> None:
        self.bytes = torch.cuda.max_memory_allocated() if self.cuda else _resident_peak()


def _resident_peak() -> int:
    try:
        for line in Path("/proc/self/status").read_text().splitlines():
            if line.startswith("VmHWM:"):
                return int(line.split()[1]) * 1024
    except OSError:
        pass
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024
