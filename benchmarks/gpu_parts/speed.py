"""How fast the network is in each form: from a prepared batch in memory to its maps in memory."""

import copy
import time
from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
import numpy.typing as npt
import torch
from torch import nn

from gpu_parts.part import Cells, Part
from gpu_parts.setting import Setting
from sodbench.models import Baseline
from sodbench.models.efficiency import PeakMemory, make_form
from sodbench.models.efficiency import measure as measure_forms
from sodbench.models.inference import Predictor

Batch = npt.NDArray[np.float32]
Call = Callable[[Batch], object]

BATCHES = (1, 8, 32)
_PLAIN = "fp32, eager, as published"
_TF32 = "the same in TF32, torch's default on a GPU"
# rows that `sodbench bench` measures: the form's name there
_FORMS = {
    _PLAIN: "fp32",
    "fp32, channels-last": "channels-last",
    "fp32, channels-last, folded": "folded",
    "bf16": "bf16",
    "fp16": "fp16",
}
_COMPILED = {"fp32, compiled": "fp32", "bf16, compiled": "bf16"}
_REDUCED, _GRAPHS = "bf16, compiled, reduce-overhead", "bf16, CUDA graphs"
_GIGABYTES = 8.0  # of basnet in fp32 at the largest batch, beside a second form


def measure(setting: Setting, row: str, done: Mapping[str, Cells]) -> Cells:
    baseline = setting.main_baseline
    setting.need_memory(_GIGABYTES)
    if row in (_GRAPHS, _TF32):
        setting.need_cuda()
    elif row not in _FORMS:
        setting.not_tiny()
        setting.need_compiler()
    if "network" not in setting.kept:
        setting.kept["network"] = baseline.load(setting.weights(baseline)).network
    network = setting.kept["network"]
    cells: Cells = {}
    batches = _batches(row, setting.tiny)
    for batch in batches:
        random = np.random.default_rng(0)
        size = (baseline.input.height, baseline.input.width)
        pictures = random.standard_normal((batch, 3, *size)).astype(np.float32)
        seconds = 0.05 if setting.tiny else 1.5
        if row in _FORMS:
            (found,) = measure_forms(
                network,
                baseline,
                pictures,
                [_FORMS[row]],
                device=setting.device,
                seconds=seconds,
                random_weights=True,
            )
            if found.remark:
                raise RuntimeError(found.remark)
            rate, memory, latency = found.images_per_second, found.peak_memory_bytes, found.latency_ms
        else:
            with PeakMemory(setting.device) as peak:
                call = _made(row, network, baseline, setting.device, pictures)
                with torch.inference_mode():
                    call(pictures)
            with torch.inference_mode():
                rate, latency = _timed(call, pictures, seconds)
            memory = peak.bytes
        cells[_rate(batch)] = rate
        if batch == 1:
            cells |= {"p50, ms": latency["p50"], "p95, ms": latency["p95"]}
        if batch == batches[-1] and memory is not None:
            cells["memory, GB"] = memory / 1e9
    plain = cells if row == _PLAIN else done.get(_PLAIN, {})
    if reference := plain.get(_rate(batches[-1])):
        cells["times as published"] = float(cells[_rate(batches[-1])]) / float(reference)
    return cells


def _batches(row: str, tiny: bool) -> tuple[int, ...]:
    """Compiling takes a minute for each size."""
    if tiny:
        return BATCHES[:1]
    return BATCHES[-1:] if row in _COMPILED else (BATCHES[0], BATCHES[-1]) if row == _REDUCED else BATCHES


def _rate(batch: int) -> str:
    return f"images/s at batch {batch}"


def _made(row: str, network: nn.Module, baseline: Baseline, device: str, pictures: Batch) -> Call:
    if row == _TF32:
        plain = copy.deepcopy(network).to(device).eval()
        return lambda batch: plain(torch.from_numpy(batch).to(device))[0].sigmoid().cpu().numpy()
    if row == _GRAPHS:
        return graphed(make_form(network, baseline, "bf16", device), pictures)
    torch._dynamo.reset()  # or the second batch size is compiled for any size
    if row == _REDUCED:
        predictor = make_form(network, baseline, "bf16", device)
        changed: Any = predictor
        changed._final = torch.compile(predictor._first_map, mode="reduce-overhead")
        return predictor
    return Predictor(network, baseline, device, _COMPILED[row], compiled=True)


def graphed(predictor: Predictor, pictures: Batch) -> Call:
    """The predictor's forward pass as one CUDA graph, for batches of this size."""
    x = torch.from_numpy(pictures).to(predictor.device)
    stream = torch.cuda.Stream()
    stream.wait_stream(torch.cuda.current_stream())
    with torch.inference_mode(), torch.cuda.stream(stream):
        for _ in range(3):  # what is done at a first call, such as choosing kernels, cannot be captured
            predictor.probability(x)
    torch.cuda.current_stream().wait_stream(stream)
    graph = torch.cuda.CUDAGraph()
    with torch.inference_mode(), torch.cuda.graph(graph):
        result = predictor.probability(x)
    expected = torch.from_numpy(predictor(pictures))

    def call(batch: Batch) -> Batch:
        with torch.inference_mode():
            x.copy_(torch.from_numpy(batch).pin_memory(), non_blocking=True)
            graph.replay()
            maps: Batch = result[:, 0].cpu().numpy()
        return maps

    apart = float(torch.nan_to_num(torch.from_numpy(call(pictures)) - expected).abs().max())
    if apart > 1 / 255:
        raise RuntimeError(f"the graph's maps are {apart * 255:.1f} levels away from those without it")
    return call


def _timed(call: Call, pictures: Batch, seconds: float) -> tuple[float, dict[str, float]]:
    """Images per second of the fastest pass; percentiles of all, in milliseconds."""
    times = []
    end = time.perf_counter() + seconds
    while len(times) < 5 or time.perf_counter() < end:
        began = time.perf_counter()
        call(pictures)
        times.append(time.perf_counter() - began)
    p50, p95 = np.percentile(times, (50, 95)) * 1000
    return len(pictures) / min(times), {"p50": float(p50), "p95": float(p95)}


PART = Part(
    name="speed",
    title="Speed of the network: basnet at 256 x 256",
    columns=(*map(_rate, BATCHES), "times as published", "p50, ms", "p95, ms", "memory, GB"),
    rows=(_PLAIN, _TF32, *(row for row in _FORMS if row != _PLAIN), _GRAPHS, *_COMPILED, _REDUCED),
    share=0.3,
    measure=measure,
)
