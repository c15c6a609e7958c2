"""The checks of `sodbench baselines check`, which every baseline must pass, a user's own included.

The checks go through `Predictor`, as `sodbench run` does. Each is one function of a `Subject`; it returns
what it saw, or raises `Broken` with what is wrong.
"""

import io
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import numpy.typing as npt
import torch
from torch import nn

from sodbench.errors import InputError
from sodbench.models.baseline import Baseline
from sodbench.models.callables import one_line
from sodbench.models.efficiency import count_parameters
from sodbench.models.inference import Predictor
from sodbench.models.onnx_network import onnx_network
from sodbench.models.outputs import probe
from sodbench.models.weights import load_into

Maps = npt.NDArray[np.float32]


class Broken(Exception):
    """A baseline does not keep the contract; the message says how."""


@dataclass(frozen=True)
class CheckResult:
    """One check's name, whether it passed, and what was seen."""

    check: str
    passed: bool
    detail: str


@dataclass
class Subject:
    """A baseline's network in eval mode and the size (height, width) at which it is checked.

    `random`: the weights are random.
    """

    baseline: Baseline
    network: nn.Module
    size: tuple[int, int]
    random: bool = False
    predictors: dict[str, Predictor] = field(default_factory=dict)

    def maps(self, images: torch.Tensor, precision: str = "fp32") -> Maps:
        """The probabilities that `sodbench run` would make of prepared images, N x h x w."""
        if precision not in self.predictors:
            self.predictors[precision] = Predictor(self.network, self.baseline, precision=precision)
        return self.predictors[precision](images.numpy())


def check_baseline(
    baseline: Baseline, weights: Path | None = None, size: tuple[int, int] | None = None
) -> list[CheckResult]:
    """Runs all checks on a baseline, on the CPU; its weights are random where it has none yet."""
    try:
        network, loaded = baseline.load_or_build(weights)
    except InputError as error:
        return [CheckResult("builds", False, str(error))]
    if loaded is not None:
        baseline = loaded.baseline
    size = size or (baseline.input.height, baseline.input.width)
    if loaded is None:
        origin = "random weights (its own are not available)"
    else:
        origin = f"weights {loaded.weights_path}" if loaded.weights_path else "its own weights"
    count = count_parameters(network)
    results = [CheckResult("builds", True, f"{count:,} parameters, {origin}")]
    subject = Subject(baseline, network, size, random=loaded is None)
    for name, check in CHECKS.items():
        try:
            results.append(CheckResult(name, True, check(subject)))
        except (Broken, InputError) as error:
            results.append(CheckResult(name, False, str(error)))
        except Exception as error:  # a user's network may raise anything
            results.append(CheckResult(name, False, one_line(error)))
    return results


def _shapes(subject: Subject) -> str:
    x = probe(2, subject.size)
    with torch.inference_mode():
        outputs = subject.network(x)
    if not isinstance(outputs, tuple) or not outputs:
        raise Broken(f"returned {type(outputs).__name__}; expected a tuple of maps")
    expected = (2, 1, *subject.size)
    for i, output in enumerate(outputs):
        if tuple(output.shape) != expected:
            raise Broken(f"map {i} has the shape {tuple(output.shape)}; expected {expected}")
        if not torch.isfinite(output).all():
            raise Broken(f"map {i} holds values that are not finite")
    return f"{len(outputs)} map{'s' * (len(outputs) > 1)} of {' x '.join(map(str, expected))}"


def _prediction(subject: Subject) -> str:
    x = probe(1, subject.size)
    plain = Predictor(subject.network, subject.baseline, precision="fp32", fold=False, channels_last=False)
    apart = float(np.abs(subject.maps(x) - plain(x.numpy())).max())
    if not apart <= 1e-3:
        raise Broken(f"optimised against plain form: max. difference {apart:.2g}; expected below 0.001")
    return f"optimised against plain form: max. difference {apart:.1g}"


def _determinism(subject: Subject) -> str:
    x = probe(1, subject.size)
    first, second = subject.maps(x), subject.maps(x)
    if not np.array_equal(first, second):
        raise Broken(f"the same input gave maps that differ by {np.abs(first - second).max():.2g}")
    return "the same input twice: bit-identical maps"


def _batch_independence(subject: Subject) -> str:
    x = probe(3, subject.size)
    alone = np.concatenate([subject.maps(x[i : i + 1]) for i in range(3)])
    apart = float(np.abs(subject.maps(x) - alone).max())
    if apart > 1e-3:
        raise Broken(f"batch of 1 against batch of 3: max. difference {apart:.2g}; expected below 0.001")
    return f"batch of 1 against batch of 3: max. difference {apart:.1g}"


def _odd_sizes(subject: Subject) -> str:
    """A network takes any size, or one only: `run` needs no other, and the TOML may say `fixed = true`."""
    height, width = subject.size
    fixed = f"fixed size {height} x {width}"
    if subject.baseline.input.fixed:
        return fixed
    odd = [(height - 3, width + 5), (height + 1, width - 7)]
    problems = [problem for size in odd if (problem := _problem_at(subject, size))]
    if not problems:
        return ", ".join(f"{h} x {w}" for h, w in odd)
    # multiples of the size: what any network that is not bound to one size takes
    if all(_problem_at(subject, (n * height, m * width)) for n, m in ((1, 2), (2, 1), (2, 2))):
        return f"{fixed}: the network takes no other"
    raise Broken(problems[0])


def _problem_at(subject: Subject, size: tuple[int, int]) -> str | None:
    """What goes wrong at an input of `size`, None where nothing does."""
    try:
        shape = subject.maps(probe(1, size)).shape
    except Exception as error:  # a user's network may raise anything
        return f"an input of {size[0]} x {size[1]}: {one_line(error)}"
    return None if shape == (1, *size) else f"an input of {size[0]} x {size[1]} gave maps of shape {shape}"


def _half_precision(subject: Subject) -> str:
    if onnx_network(subject.network) is not None:
        return "an ONNX network computes in the precision of its file"
    x = probe(1, subject.size)
    full = subject.maps(x)
    details = []
    for precision in ("bf16", "fp16"):
        half = subject.maps(x, precision)
        if not np.isfinite(half).all():
            if subject.random and precision == "fp16":  # untrained, a deep network exceeds fp16's range
                details.append("fp16 needs trained weights to be checked")
                continue
            raise Broken(f"{precision} gives values that are not finite")
        apart = np.abs(full - half)
        # a network that computes in float32 unless asked otherwise may be sensitive; one that is lost may not
        used = precision in (subject.baseline.inference.cpu, subject.baseline.inference.cuda)
        limit = 0.02 if used else 0.1
        if apart.mean() > limit:
            raise Broken(
                f"{precision} against fp32: mean difference {apart.mean():.2g}; expected below {limit:g}"
            )
        details.append(
            f"{precision} against fp32: mean difference {apart.mean():.1g}, max. {apart.max():.1g}"
        )
    return "; ".join(details)


def _round_trip(subject: Subject) -> str:
    if onnx_network(subject.network) is not None:
        return "an ONNX file has no state dict"
    file = io.BytesIO()
    state = subject.network.state_dict()
    torch.save(state, file)
    file.seek(0)
    fresh = subject.baseline.build().eval()
    try:
        load_into(fresh, torch.load(file, weights_only=True), "its own state dict")
    except InputError as error:
        raise Broken(str(error)) from error
    x = probe(1, subject.size)
    with torch.inference_mode():
        again, before = fresh(x)[0], subject.network(x)[0]
    if not torch.equal(again, before):
        raise Broken("a network loaded from the state dict gives other maps: some state is not in it")
    return f"{len(state)} tensors saved and loaded: bit-identical maps"


CHECKS: dict[str, Callable[[Subject], str]] = {
    "shapes": _shapes,
    "prediction": _prediction,
    "determinism": _determinism,
    "batch independence": _batch_independence,
    "odd sizes": _odd_sizes,
    "half precision": _half_precision,
    "state-dict round trip": _round_trip,
}
