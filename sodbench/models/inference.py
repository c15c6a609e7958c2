"""Inference: a network in eval mode, on its device, in its fastest form that keeps the maps.

Channels-last layout, batch normalisation folded into the convolutions, and only the final map computed where
the network can do so: together these change a probability by about 1e-6. Half precision is the baseline's
choice (`[inference]` in its TOML), because it changes saved maps by more than one level of 255: on
photographs the maps of a trained `basnet-tiny` changed by up to 66 levels in bf16 and 9 in fp16
(`benchmarks/inference.py --images`).
"""

import copy
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor, nn
from torch.nn import functional as F

from sodbench.arguments import instance
from sodbench.errors import InputError, unknown_names
from sodbench.models.callables import one_line
from sodbench.models.folding import fold_batch_norms
from sodbench.models.onnx_network import onnx_network
from sodbench.models.outputs import Logits, fails_at, is_own
from sodbench.models.settings import PRECISIONS
from sodbench.models.tf32 import without_tf32

if TYPE_CHECKING:
    from sodbench.models.baseline import Baseline

_DTYPES = {"bf16": torch.bfloat16, "fp16": torch.float16}


class Predictor:
    """Calls a network on prepared images: N x 3 x h x w float32 -> N x h x w probabilities, float32.

    A probability is NaN where the network's logit is not finite; `not_finite` is the error for such a map.
    Works on a copy of `network`, which stays as it is. `precision` is fp32, bf16 or fp16 (None: the
    baseline's for this kind of device); `fold`, `channels_last` and `compiled` choose the form. An ONNX
    network has one form, that of its file. Raises InputError for a device that is not there, for a user's
    network that fails at the input size, and for another precision than that of an ONNX file.
    """

    def __init__(
        self,
        network: nn.Module,
        baseline: "Baseline",
        device: str | None = "cpu",
        precision: str | None = None,
        *,
        fold: bool = True,
        channels_last: bool = True,
        compiled: bool = False,
    ) -> None:
        self.device = torch.device(choose_device(device))
        self.precision = precision or str(getattr(baseline.inference, self.device.type, "fp32"))
        if self.precision not in PRECISIONS:
            raise unknown_names("precision", [self.precision], PRECISIONS)
        own = is_own(network)
        onnx = onnx_network(network)
        if onnx is not None:
            _check_form(baseline, precision, compiled)
            fold = channels_last = False
        ready = copy.deepcopy(network).eval().to(self.device)
        if fold:
            ready = self._fold(ready, baseline, own)
        # networks of this package compute in the lower precision throughout, which saves casting the weights
        # at each call; a user's, which may make tensors of its own, does so under autocast
        self.dtype = _DTYPES[self.precision] if own and self.precision in _DTYPES else torch.float32
        ready = ready.to(self.dtype)
        self.layout = torch.contiguous_format
        if channels_last and not _breaks_channels_last(ready, self.device):
            self.layout = torch.channels_last
            ready = ready.to(memory_format=torch.channels_last)
        self.network = ready
        self.gain = baseline.output.gain
        self.scales, self.mirror = baseline.inference.scales, baseline.inference.mirror
        # the map of an ONNX file bit for bit, where nothing is to be done with its logits
        plain = onnx is not None and self.gain == 1 and self.scales == (1.0,) and not self.mirror
        self._as_returned = plain and isinstance(ready, Logits) and ready.kind == "probability"
        self._final = torch.compile(self._first_map) if compiled else self._first_map

    def __call__(self, batch: npt.NDArray[np.float32]) -> npt.NDArray[np.float32]:
        x = torch.from_numpy(batch)
        if self.device.type == "cuda":
            x = x.pin_memory()
        with torch.inference_mode():
            try:
                probability = self.probability(x.to(self.device, non_blocking=True))
            except SystemExit as error:  # a user's network may raise anything
                raise InputError(f"the network ended the program ({one_line(error)})") from error
            result: npt.NDArray[np.float32] = probability[:, 0].cpu().numpy()
        return result

    def probability(self, x: Tensor) -> Tensor:
        """N x 3 x h x w -> N x 1 x h x w on the predictor's device; call it under inference_mode."""
        x = x.to(self.dtype).contiguous(memory_format=self.layout)
        if self._as_returned and isinstance(self.network, Logits):
            maps = self.network.as_returned(x)[0]
            return maps.masked_fill(~torch.isfinite(maps), torch.nan)
        with without_tf32(), self._autocast():
            views = [self._logits(x, scale) for scale in self.scales]
        logits = sum(views[1:], views[0]) * (self.gain / len(views))
        # the sigmoid of an infinite logit would pass for a map
        return torch.sigmoid(logits.masked_fill(~torch.isfinite(logits), torch.nan))

    def not_finite(self, image: str) -> InputError:
        """The error for a map with NaN, of the image of this name."""
        lower = self.precision in _DTYPES
        advice = "try fp32 (--precision fp32), or" if lower else "the weights are broken, or it divides by 0:"
        return InputError(
            f"{image}: the network's map holds values that are not finite, in {self.precision}; {advice} "
            "use other weights"
        )

    def _logits(self, x: Tensor, scale: float) -> Tensor:
        """Float32 logits of x at another scale, with those of its mirror image if asked, at x's own size."""
        size = x.shape[2:]
        if scale != 1:
            scaled = [max(1, round(side * scale)) for side in size]
            # in float32, which is what averaging while shrinking is written for on every device
            x = F.interpolate(x.float(), scaled, mode="bilinear", antialias=True).to(self.dtype)
            x = x.contiguous(memory_format=self.layout)
        logits = self._final(x).float()
        if self.mirror:
            logits = (logits + self._final(x.flip(3)).float().flip(3)) / 2
        return F.interpolate(logits, size, mode="bilinear") if scale != 1 else logits

    def _first_map(self, x: Tensor) -> Tensor:
        final: Any = getattr(self.network, "final", None)
        logits: Tensor = final(x) if final is not None else self.network(x)[0]
        return logits

    def _fold(self, network: nn.Module, baseline: "Baseline", own: bool) -> nn.Module:
        """Folds on a small example where any size will do, else on one of the network's own size."""
        size = (64, 64) if own else (baseline.input.height, baseline.input.width)
        example = torch.rand(1, 3, *size, device=self.device)
        try:
            return fold_batch_norms(network, example)
        except (InputError, torch.OutOfMemoryError):
            raise
        except (Exception, SystemExit) as error:  # a user's network may raise anything
            if own:
                raise
            raise InputError(fails_at(baseline.name, size, error)) from error

    def _autocast(self) -> torch.autocast:
        lower = _DTYPES.get(self.precision, torch.bfloat16)
        enabled = self.precision in _DTYPES and self.dtype == torch.float32
        return torch.autocast(self.device.type, lower, enabled=enabled)


def _check_form(baseline: "Baseline", precision: str | None, compiled: bool) -> None:
    if compiled:
        raise InputError(f"{baseline.name}: an ONNX network is not compiled by torch")
    if precision not in (None, "fp32", baseline.inference.cpu):
        raise InputError(
            f"{baseline.name}: precision {precision}: an ONNX network computes in the precision of its file; "
            "leave the option out"
        )


def choose_device(name: str | None = None) -> str:
    """The device `name`, or for None a GPU if there is one; InputError for a device that is not there."""
    if name is None:
        return "cuda" if torch.cuda.is_available() else "cpu"
    instance("device", name, str, "cpu, cuda or cuda:N")
    try:
        device = torch.device(name)
    except RuntimeError as error:
        raise InputError(f"device {name}: not a device; expected cpu, cuda or cuda:N") from error
    if device.type not in ("cpu", "cuda"):
        raise InputError(f"device {name}: not supported; expected cpu, cuda or cuda:N")
    if device.type == "cuda" and (device.index or 0) >= torch.cuda.device_count():
        count = torch.cuda.device_count()
        devices = "no CUDA device" if not count else f"{count} CUDA device{'s' * (count > 1)}"
        raise InputError(f"device {name}: torch finds {devices}; use cpu{', cuda' * (count > 0)}")
    return name


def _breaks_channels_last(network: nn.Module, device: torch.device) -> bool:
    """On the CPU torch 2.15 writes out of bounds in strided 1 x 1 convolutions of few channels."""
    return device.type == "cpu" and any(
        isinstance(m, nn.Conv2d) and m.kernel_size == (1, 1) and m.stride != (1, 1) and m.in_channels < 16
        for m in network.modules()
    )
