"""What the scores of a cell - one method on one data set - depend on, and the key that follows from it.

The parts have names that a reader knows (`weights`, `precision`, `protocol basnet2019`), so that a difference
can be said in words. Two cells with equal parts have equal scores: the second need not be computed. How fast
they are computed (batch size, threads, device) is no part, and neither is what only describes (titles).
"""

from __future__ import annotations

import hashlib
import inspect
import json
from collections.abc import Iterable, Mapping, Sequence
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

from sodbench.json_text import to_json
from sodbench.metrics.protocol import convention_fields
from sodbench.results.dependencies import Parts
from sodbench.results.environment import versions
from sodbench.results.provenance import digest_of

if TYPE_CHECKING:
    from torch import nn

    from sodbench.data.folder import Sample
    from sodbench.metrics import Protocol
    from sodbench.models import LoadedNetwork

# the modules through which every map goes, besides the network's own
PREDICTION_CODE = (
    "data/images.py",
    "data/picture_files.py",
    "data/preprocessing.py",
    "data/resizing.py",
    "models/folding.py",
    "models/inference.py",
    "models/outputs.py",
    "models/tf32.py",
)
PREDICTION_PACKAGES = ("torch", "torchvision", "numpy", "pillow", "libjpeg_turbo")
SCORING_PACKAGES = ("numpy", "scipy", "pillow")


def prediction_parts(
    loaded: LoadedNetwork,
    samples: Sequence[Sample],
    precision: str | None = None,
    device: str = "cpu",
    *,
    images: str | None = None,
) -> Parts:
    """What the predicted maps of `samples` depend on.

    precision: "fp32", "bf16" or "fp16"; None: the baseline's for the kind of device.
    images: the digest of the samples' images (`images_digest`) where it is known already.
    """
    baseline = loaded.baseline
    inference = {"scales": baseline.inference.scales, "mirror": baseline.inference.mirror}
    parts = {
        "network": network_digest(loaded.network, baseline.options),
        "weights": loaded.weights_sha256,
        "input": to_json(baseline.input),
        "output": to_json({**_fields(baseline.output), "kind": loaded.output_kind}),
        "inference": to_json(inference),
        "precision": precision or str(getattr(baseline.inference, device.partition(":")[0], "fp32")),
        "images": images or images_digest(samples),
        "prediction code": _prediction_code(),
    }
    packages = [*PREDICTION_PACKAGES]
    if baseline.is_onnx:
        packages += ["onnxruntime", "onnxruntime-gpu"]
        parts["precision"] = "of the ONNX file"
    if baseline.network == "transformers":
        packages += ["transformers"]
    return parts | _packages(packages)


def images_digest(samples: Iterable[Sample]) -> str:
    """One SHA-256 over the names and bytes of the samples' images."""
    return files_digest((sample.name, sample.image) for sample in samples)


def map_parts(pairs: Iterable[tuple[Sample, Path]]) -> Parts:
    """What maps that were made elsewhere are: their names and bytes."""
    return {"maps": files_digest((sample.name, path) for sample, path in pairs)}


def scoring_parts(
    samples: Sequence[Sample],
    protocols: Sequence[Protocol],
    metrics: Sequence[str] | None,
    resize: str | None = None,
) -> Parts:
    """What the scores depend on besides the maps: masks, protocols and the metric families of each.

    resize: the filter for maps of another size than their masks, where one was chosen.
    """
    from sodbench.metrics.scorer import scorers_for

    parts = {"masks": files_digest((sample.name, sample.mask) for sample in samples)}
    for scorer in scorers_for(protocols, metrics):
        protocol = scorer.protocol
        fields = {name: getattr(protocol, name) for name in ("version", *convention_fields())}
        parts[f"protocol {protocol.name}"] = _digest(to_json(fields))
        parts[f"metrics {protocol.name}"] = " ".join(family.name for family in scorer.families)
    if resize is not None:
        parts["resize"] = resize
    return parts | _packages(SCORING_PACKAGES)


def joined(prediction: Mapping[str, str], scoring: Mapping[str, str]) -> Parts:
    """The parts of maps and of their scoring; says so where the two saw other versions of a package."""
    both = {
        name: f"{scoring[name]}, maps made with {value}"
        for name, value in prediction.items()
        if scoring.get(name, value) != value
    }
    return {**prediction, **scoring, **both}


def key_of(parts: Mapping[str, str]) -> str:
    """The key of a cell: the SHA-256 of its parts, whatever their order."""
    return _digest(json.dumps(dict(parts), sort_keys=True))


def network_digest(network: nn.Module, options: Mapping[str, Any]) -> str:
    """The digest of the source files of a network's modules, torch's left out, and of its options.

    A class without a source file, as of a notebook, counts by its name.
    """
    from sodbench.models.outputs import unwrapped

    classes: set[Any] = {type(module) for module in unwrapped(network).modules()}
    own = [one for one in classes if one.__module__.partition(".")[0] not in ("torch", "torchvision")]
    sources = sorted({_source_digest(one) for one in own})
    return _digest(to_json([sources, options]))


def files_digest(files: Iterable[tuple[str, Path | None]]) -> str:
    """One SHA-256 over names and contents; a file that is not there (None) counts by its name."""
    named = list(files)
    missing = [name for name, path in named if path is None]
    there = digest_of((name, path) for name, path in named if path is not None)
    return _digest(to_json([there, missing])) if missing else there


@cache
def _source_digest(of: Any) -> str:
    try:
        path = inspect.getsourcefile(of)
    except TypeError:  # defined in `__main__` of a notebook
        path = None
    if path is None or not Path(path).is_file():
        return f"{of.__module__}.{of.__qualname__}"
    return text_digest(Path(path))


@cache
def _prediction_code() -> str:
    package = Path(__file__).parent
    return _digest("".join(text_digest(package / name) for name in PREDICTION_CODE))


def text_digest(path: Path) -> str:
    """The digest of a source file, the same for both ends of lines."""
    return hashlib.sha256(path.read_bytes().replace(b"\r\n", b"\n")).hexdigest()


def _packages(names: Iterable[str]) -> Parts:
    installed = versions()
    return {f"package {name}": installed[name] for name in names if name in installed}


def _fields(value: Any) -> dict[str, Any]:
    return dict(vars(value))


def _digest(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()
