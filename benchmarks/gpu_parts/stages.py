"""From JPEG files to scores: each stage alone, all of them together, and six test sets by that rate."""

import argparse
import time
from collections.abc import Callable, Mapping
from typing import Any

from pipeline import make_pictures, pipeline, stages, timed

from gpu_parts.part import Cells, Part
from gpu_parts.setting import NotMeasured, Setting
from sodbench import evaluate
from sodbench.data.folder import DataSet, Sample, open_folders

_STAGES = {
    "read and prepare": "read",
    "network, bf16": "network",
    "resize back": "resize",
    "resize back and write": "write",
    "score": "score",
}
_TOGETHER, _MAPS = "all stages, maps not kept", "all stages, maps kept"
_PLAIN = "all stages in fp32, maps not kept"
_RUN = "sodbench run, with its record"
_LIMIT = "the stage that limits it"
_SIX = "six test sets by the rate of `sodbench run`"
SIX_TEST_SETS = 16_800  # pictures: SOD, ECSSD, DUT-OMRON, PASCAL-S, HKU-IS, DUTS-TE
_RATE = "pictures/s"


def measure(setting: Setting, row: str, done: Mapping[str, Cells]) -> Cells:
    if row == _LIMIT:
        return _limit(done)
    if row == _SIX:
        if _RUN not in done:
            raise NotMeasured("follows from the row above")
        return {"seconds": SIX_TEST_SETS / float(done[_RUN][_RATE])}
    setting.need_memory(4.0)
    samples = _samples(setting)
    calls = _calls(setting, samples)
    call = calls[row]
    if row in _STAGES or row in (_TOGETHER, _MAPS, _PLAIN):
        call()  # compiles the kernels of numba, chooses those of cuDNN
    took = timed(call)
    return {_RATE: len(samples) / took.wall, "seconds": took.wall, "processor seconds": took.busy}


def _samples(setting: Setting) -> list[Sample]:
    """Photograph-like JPEGs of the usual 400 x 300, the same on every machine."""
    if "samples" not in setting.kept:
        folder = setting.scratch / f"pictures-{time.monotonic_ns()}"
        width, height, count = (96, 72, 4) if setting.tiny else (400, 300, 640)
        setting.kept["samples"] = [_moved(one) for one in make_pictures(folder, width, height, count)]
    found: list[Sample] = setting.kept["samples"]
    return found


def _moved(sample: Sample) -> Sample:
    """The pair in images/ and masks/, where a data set looks for them."""
    assert sample.image is not None and sample.mask is not None
    folder = sample.image.parent
    places = folder / "images" / f"{sample.name}.jpg", folder / "masks" / f"{sample.name}.png"
    for path, place in zip((sample.image, sample.mask), places, strict=True):
        place.parent.mkdir(exist_ok=True)
        path.rename(place)
    return Sample(sample.name, *places)


def _calls(setting: Setting, samples: list[Sample]) -> dict[str, Callable[[], object]]:
    if "calls" in setting.kept:
        calls: dict[str, Callable[[], object]] = setting.kept["calls"]
        return calls
    baseline = setting.main_baseline
    weights = setting.weights(baseline)
    loaded = baseline.load(weights)
    low, plain = setting.with_precision(baseline, "bf16"), setting.with_precision(baseline, "fp32")
    batch = 2 if setting.tiny else 32
    args: Any = argparse.Namespace(batch=batch, device=setting.device, protocols=["pysodmetrics"])
    maps = setting.scratch / "maps"
    maps.mkdir(parents=True, exist_ok=True)
    of_stages = stages(loaded.network, low, samples, maps, args)

    def run() -> object:
        folder = setting.scratch / f"run-{time.monotonic_ns()}"
        return evaluate(
            loaded,
            _data_set(samples),
            device=setting.device,
            precision="bf16",
            batch=batch,
            reports=folder / "reports",
            keep_maps=False,
            allow_constant=True,
        )

    setting.kept["calls"] = {
        **{row: of_stages[stage] for row, stage in _STAGES.items()},
        _TOGETHER: lambda: pipeline(loaded.network, low, samples, None, args),
        _MAPS: lambda: pipeline(loaded.network, low, samples, maps, args),
        _PLAIN: lambda: pipeline(loaded.network, plain, samples, None, args),
        _RUN: run,
    }
    return _calls(setting, samples)


def _data_set(samples: list[Sample]) -> DataSet:
    image, mask = samples[0].image, samples[0].mask
    assert image is not None and mask is not None
    return open_folders("jpeg-pictures", mask.parent, image.parent)


def _limit(done: Mapping[str, Cells]) -> Cells:
    """The slowest stage where the maps are not kept."""
    of_run = [row for row in _STAGES if row != "resize back and write"]
    if missing := [row for row in of_run if row not in done]:
        raise NotMeasured(f"{missing[0]!r} is missing")
    slowest = min(of_run, key=lambda row: float(done[row][_RATE]))
    return {_RATE: done[slowest][_RATE], "stage": slowest}


PART = Part(
    name="stages",
    title="From JPEG to scores: basnet at 256 x 256 on pictures of 400 x 300",
    columns=(_RATE, "seconds", "processor seconds", "stage"),
    rows=(*_STAGES, _TOGETHER, _MAPS, _PLAIN, _RUN, _LIMIT, _SIX),
    share=0.1,
    measure=measure,
)
