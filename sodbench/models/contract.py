"""What every baseline must do, a user's own included: the checks of `sodbench baselines check`.

Each check is one function of a `Subject`; it returns what it saw, or raises `Broken` with what is wrong.
"""

import io
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import torch
from torch import Tensor, nn

from sodbench.errors import InputError
from sodbench.models.registry import Baseline
from sodbench.models.weights import load_into


class Broken(Exception):
    """A baseline does not keep the contract; the message says how."""


@dataclass(frozen=True)
class Outcome:
    """One check's name, whether it passed, and what was seen."""

    check: str
    passed: bool
    said: str


@dataclass(frozen=True)
class Subject:
    """A baseline's network in eval mode and the size (height, width) at which it is checked."""

    baseline: Baseline
    network: nn.Module
    size: tuple[int, int]

    def picture(self, count: int = 1, size: tuple[int, int] | None = None) -> Tensor:
        """Smooth random input, about as bright as a normalised picture."""
        height, width = size or self.size
        coarse = torch.rand(count, 3, 8, 8, generator=torch.Generator().manual_seed(count))
        full = nn.functional.interpolate(coarse, size=(height, width), mode="bicubic", align_corners=False)
        return (full - 0.45) / 0.225

    def maps(self, x: Tensor) -> tuple[Tensor, ...]:
        """The network's logits."""
        with torch.inference_mode():
            outputs: tuple[Tensor, ...] = self.network(x)
        return outputs


def check_baseline(
    baseline: Baseline, weights: Path | None = None, size: tuple[int, int] | None = None
) -> list[Outcome]:
    """Puts a baseline through all checks, with its weights where they are at hand, else with random ones."""
    size = size or (baseline.input.height, baseline.input.width)
    try:
        if weights is not None or baseline.weights_path().is_file():
            loaded = baseline.load(weights)
            network, said = loaded.network, f"weights {loaded.weights_path}"
        else:
            network, said = _random(baseline), "random weights (its own are not here)"
    except InputError as error:
        return [Outcome("builds", False, str(error))]
    count = sum(p.numel() for p in network.parameters())
    outcomes = [Outcome("builds", True, f"{count:,} parameters, {said}")]
    subject = Subject(baseline, network, size)
    for name, check in CHECKS.items():
        try:
            outcomes.append(Outcome(name, True, check(subject)))
        except Broken as error:
            outcomes.append(Outcome(name, False, str(error)))
        except Exception as error:  # a user's network may raise anything
            first = (str(error).splitlines() or [""])[0]
            outcomes.append(Outcome(name, False, f"{type(error).__name__}: {first}"))
    return outcomes


def _random(baseline: Baseline) -> nn.Module:
    """A fresh network that always comes out the same, the global random state left alone."""
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(0)
        return baseline.build().eval()


def _shapes(subject: Subject) -> str:
    x = subject.picture(2)
    outputs = subject.maps(x)
    if not isinstance(outputs, tuple) or not outputs:
        raise Broken(f"returned {type(outputs).__name__}; expected a tuple of maps")
    expected = (2, 1, *subject.size)
    for i, output in enumerate(outputs):
        if tuple(output.shape) != expected:
            raise Broken(f"map {i} has the shape {tuple(output.shape)}; expected {expected}")
        if not torch.isfinite(output).all():
            raise Broken(f"map {i} holds values that are not finite")
    return f"{len(outputs)} map{'s' * (len(outputs) > 1)} of {' x '.join(map(str, expected))}"


def _determinism(subject: Subject) -> str:
    x = subject.picture()
    first, second = subject.maps(x), subject.maps(x)
    if not all(torch.equal(a, b) for a, b in zip(first, second, strict=True)):
        raise Broken(f"the same input gave maps that differ by {_apart(first[0], second[0]):.2g}")
    return "the same input gives the same bits"


def _batch_independence(subject: Subject) -> str:
    x = subject.picture(3)
    together = subject.maps(x)[0]
    alone = torch.cat([subject.maps(x[i : i + 1])[0] for i in range(3)])
    apart = _apart(together, alone)
    if apart > 1e-3:
        raise Broken(f"a map changes by {apart:.2g} with its neighbours in the batch; expected below 0.001")
    return f"alone or in a batch: {apart:.1g} apart"


def _odd_sizes(subject: Subject) -> str:
    height, width = subject.size
    sizes = [(height - 3, width + 5), (height + 1, width - 7)]
    for size in sizes:
        shape = tuple(subject.maps(subject.picture(1, size))[0].shape)
        if shape != (1, 1, *size):
            raise Broken(f"an input of {size} gave a map of shape {shape}")
    return ", ".join(f"{h} x {w}" for h, w in sizes)


def _half_precision(subject: Subject) -> str:
    x = subject.picture()
    full = subject.maps(x)[0]
    with torch.autocast("cpu", torch.bfloat16):
        half = subject.maps(x)[0]
    if not torch.isfinite(half).all():
        raise Broken("bf16 gives values that are not finite")
    apart = torch.sigmoid(full.float()) - torch.sigmoid(half.float())
    mean, most = float(apart.abs().mean()), float(apart.abs().max())
    if mean > 0.02:
        raise Broken(f"bf16 moves the map by {mean:.2g} on average; expected below 0.02")
    return f"bf16 autocast: {mean:.1g} apart on average, {most:.1g} at most"


def _round_trip(subject: Subject) -> str:
    file = io.BytesIO()
    state = subject.network.state_dict()
    torch.save(state, file)
    file.seek(0)
    fresh = subject.baseline.build().eval()
    try:
        load_into(fresh, torch.load(file, weights_only=True), "its own state dict")
    except InputError as error:
        raise Broken(str(error)) from error
    x = subject.picture()
    with torch.inference_mode():
        again = fresh(x)[0]
    if not torch.equal(again, subject.maps(x)[0]):
        raise Broken("a network loaded from the state dict gives other maps: some state is not in it")
    return f"{len(state)} tensors saved and loaded, the same maps"


CHECKS: dict[str, Callable[[Subject], str]] = {
    "shapes": _shapes,
    "determinism": _determinism,
    "batch independence": _batch_independence,
    "odd sizes": _odd_sizes,
    "half precision": _half_precision,
    "state-dict round trip": _round_trip,
}


def _apart(a: Tensor, b: Tensor) -> float:
    return float((torch.sigmoid(a.float()) - torch.sigmoid(b.float())).abs().max())
