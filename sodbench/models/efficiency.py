"""Efficiency of a network: parameters, FLOPs, images per second, latency and memory, in each form.

Forms are measured in turns, so that other load on the machine affects all of them alike; rates are those of
the fastest pass, latencies are percentiles over all passes, of the batch and of one image. FLOPs are torch's
count for one image, twice the number of multiply-accumulates (MACs).
"""

import contextlib
import sys
import time
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import torch
from torch import nn

from sodbench.errors import unknown_names
from sodbench.models.baseline import Baseline
from sodbench.models.inference import Predictor
from sodbench.models.onnx_network import onnx_network
from sodbench.models.outputs import Logits


@dataclass(frozen=True)
class Form:
    """How a `Predictor` is made.

    `all_maps`: all maps are computed and the first is taken. `onnx`: the network is exported to ONNX.
    """

    precision: str | None = None
    fold: bool = True
    channels_last: bool = True
    compiled: bool = False
    all_maps: bool = False
    onnx: bool = False


# `default` is what prediction uses, `fp32` the plain network
FORMS = {
    "fp32": Form("fp32", fold=False, channels_last=False, all_maps=True),
    "channels-last": Form("fp32", fold=False),
    "folded": Form("fp32"),
    "bf16": Form("bf16"),
    "fp16": Form("fp16"),
    "compiled": Form("fp32", compiled=True),
    "compiled-bf16": Form("bf16", compiled=True),
    "onnx": Form(onnx=True),
    "default": Form(),
}
FLOPS_CONVENTION = "one image, the whole network once; FLOPs = 2 x MACs, counted by torch"


@dataclass(frozen=True)
class Measured:
    """One form's figures; `levels_apart` is the largest difference to the fp32 map, in levels of 255.

    `latency_ms`: percentiles (p50, p90, p95, p99) of the time of one batch; `latency_1_ms`: of a batch of one
    image. `peak_memory_bytes`: on a GPU what torch allocated, else that of the whole process (with one form
    in it); None where the system does not tell (Windows). `parameters` and `flops` are what this form holds
    and does for one image: it may leave out the side maps, and may see several views of the image; None for
    an ONNX network, which does not tell.
    """

    form: str
    images_per_second: float
    latency_ms: dict[str, float]
    peak_memory_bytes: int | None
    levels_apart: float
    remark: str = ""
    latency_1_ms: dict[str, float] = field(default_factory=dict)
    parameters: int | None = None
    flops: int | None = None


def count_parameters(network: nn.Module) -> int:
    """The number of values that training changes; of an ONNX file, real numbers that it holds as weights."""
    if (onnx := onnx_network(network)) is not None:
        return onnx.file.parameters
    return sum(p.numel() for p in network.parameters())


def count_flops(network: nn.Module, size: tuple[int, int]) -> int | None:
    """Operations for one image of `size` (height, width); see FLOPS_CONVENTION. None for an ONNX network."""
    if onnx_network(network) is not None:
        return None
    place = next((p.device for p in network.parameters()), torch.device("cpu"))
    return flops_of(lambda: network(torch.zeros(1, 3, *size, device=place)))


def measure(
    network: nn.Module,
    baseline: Baseline,
    pictures: npt.NDArray[np.float32],
    forms: Sequence[str] = ("fp32", "channels-last", "folded", "bf16", "default"),
    *,
    device: str = "cpu",
    seconds: float = 5.0,
    clock: Callable[[], float] = time.perf_counter,
    report: Callable[[str], None] = lambda line: None,
    random_weights: bool = False,
) -> list[Measured]:
    """Measures forms on prepared `pictures` (N x 3 x h x w, one batch), about `seconds` each.

    `clock` times the passes: `time.process_time` on a machine that others use at the same time. `report` gets
    one line per step. A form that this machine cannot run (no compiler, say) is in the results with the
    reason as `remark` and NaN figures; so is one whose maps are not finite, except with `random_weights`,
    which exceed the range of fp16 in a deep network. Raises InputError where the maps in fp32 are not finite.
    """
    if unknown := [form for form in forms if form not in FORMS]:
        raise unknown_names("form", unknown, FORMS)
    height, width = pictures.shape[2:]
    baseline = replace(baseline, input=replace(baseline.input, height=height, width=width))
    networks: dict[str, nn.Module] = {}
    plain = make_form(network, baseline, "fp32", device)
    expected = plain(pictures)
    if not np.isfinite(expected).all():
        raise plain.not_finite(f"{baseline.name}: random image {np.isfinite(expected).all((1, 2)).argmin()}")
    del plain  # a GPU would hold its weights beside those of each form
    apart: dict[str, float] = {}
    memory: dict[str, int | None] = {}
    failed: dict[str, str] = {}
    for form in forms:
        report(f"preparing {form}")
        try:
            networks[form] = form_network(network, baseline, form)
            with PeakMemory(device) as peak:
                maps = make_form(networks[form], baseline, form, device)(pictures)
        except Exception as error:  # torch.compile raises whatever its backends raise
            failed[form] = next(iter(str(error).splitlines()), type(error).__name__)
            continue
        if not random_weights and not np.isfinite(maps).all():
            failed[form] = "its maps are not finite"
            continue
        memory[form] = peak.bytes
        apart[form] = float(np.abs(maps - expected).max() * 255)
    # made again: memory was measured with one form at a time
    made = {form: make_form(networks[form], baseline, form, device) for form in forms if form not in failed}
    one = pictures[:1]
    for predictor in made.values():
        predictor(pictures)
        predictor(one)
    times: dict[str, list[float]] = {form: [] for form in made}
    times_of_one = times if len(pictures) == 1 else {form: [] for form in made}
    end = time.perf_counter() + seconds * len(made)
    while made and (time.perf_counter() < end or min(map(len, times.values())) < 3):
        for form, predictor in made.items():
            times[form].append(_timed(predictor, pictures, clock))
            if times_of_one is not times:
                times_of_one[form].append(_timed(predictor, one, clock))
    results = []
    for form in forms:
        if form in failed:
            nan = float("nan")
            results.append(Measured(form, nan, {}, None, nan, failed[form]))
            continue
        is_onnx = onnx_network(networks[form]) is not None
        results.append(
            Measured(
                form,
                len(pictures) / min(times[form]),
                _percentiles(times[form]),
                memory[form],
                apart[form],
                latency_1_ms=_percentiles(times_of_one[form]),
                parameters=None if is_onnx else count_parameters(made[form].network),
                flops=None if is_onnx else _flops_of_form(network, baseline, form, device, one),
            )
        )
    return results


def make_form(network: nn.Module, baseline: Baseline, form: str, device: str) -> Predictor:
    """A predictor of one form: prepared images to probabilities."""
    return _made(form_network(network, baseline, form), baseline, device, asdict(FORMS[form]))


def _made(network: nn.Module, baseline: Baseline, device: str, options: dict[str, Any]) -> Predictor:
    options = {key: value for key, value in options.items() if key != "onnx"}
    if options.pop("all_maps"):
        network = Logits(network, "logits")  # which has no `final`
    return Predictor(network, baseline, device=device, **options)


def _timed(predictor: Predictor, pictures: npt.NDArray[np.float32], clock: Callable[[], float]) -> float:
    started = clock()
    predictor(pictures)
    return clock() - started


def _percentiles(seconds: Sequence[float]) -> dict[str, float]:
    """In milliseconds."""
    points = (50, 90, 95, 99)
    values = np.percentile(seconds, points) * 1000
    return {f"p{point}": float(value) for point, value in zip(points, values, strict=True)}


def _flops_of_form(
    network: nn.Module, baseline: Baseline, form: str, device: str, one: npt.NDArray[np.float32]
) -> int:
    """Operations of one form for one prepared image."""
    options = asdict(FORMS[form]) | {"compiled": False}  # which does the same, out of the counter's sight
    predictor = _made(network, baseline, device, options)
    return flops_of(lambda: predictor(one))


def flops_of(call: Callable[[], object]) -> int:
    """The operations of torch that a call does."""
    from torch.utils.flop_counter import FlopCounterMode

    counter = FlopCounterMode(display=False)
    with torch.no_grad(), counter:
        call()
    return int(counter.get_total_flops())


def form_network(network: nn.Module, baseline: Baseline, form: str) -> nn.Module:
    """The network of a form: exported to ONNX where the form says so, else the network itself."""
    if not FORMS[form].onnx or onnx_network(network) is not None:
        return network
    from sodbench.models.onnx_export import as_onnx

    return as_onnx(network, baseline)


class PeakMemory:
    """The most memory in use inside the block: of the GPU, or of the process; None where it is not known."""

    def __init__(self, device: str) -> None:
        self.device = torch.device(device)
        self.cuda = self.device.type == "cuda"
        self.bytes: int | None = None

    def __enter__(self) -> "PeakMemory":
        if self.cuda:
            torch.cuda.reset_peak_memory_stats(self.device)
        else:
            with contextlib.suppress(OSError):  # 5 resets the process's high-water mark (proc(5))
                Path("/proc/self/clear_refs").write_text("5")
        return self

    def __exit__(self, *_: object) -> None:
        self.bytes = torch.cuda.max_memory_allocated(self.device) if self.cuda else _resident_peak()


def _resident_peak() -> int | None:
    """The process's peak memory in bytes: since the last reset on Linux, since its start on macOS."""
    with contextlib.suppress(OSError):
        for line in Path("/proc/self/status").read_text().splitlines():
            if line.startswith("VmHWM:"):
                return int(line.split()[1]) * 1024
    if sys.platform == "win32":
        return None
    import resource

    # in kilobytes, on macOS in bytes (getrusage(2))
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * (1 if sys.platform == "darwin" else 1024)
