"""A network made ready to predict: in eval mode, on its device, in its fastest faithful form."""

from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt
import torch
from torch import nn

from sodbench.errors import InputError, unknown_names
from sodbench.models.schema import PRECISIONS

if TYPE_CHECKING:
    from sodbench.models.registry import Baseline


class Predictor:
    """Calls the network on prepared pictures: N x 3 x h x w float32 -> N x h x w probabilities."""

    def __init__(
        self, network: nn.Module, baseline: "Baseline", device: str = "cpu", precision: str | None = None
    ) -> None:
        kind = torch.device(device).type
        chosen = precision or str(getattr(baseline.inference, kind, "fp32"))
        if chosen not in PRECISIONS:
            raise unknown_names("precision", [chosen], PRECISIONS)
        if kind == "cuda" and not torch.cuda.is_available():
            raise InputError(f"device {device!r}: no CUDA device is available here; use --device cpu")
        self.device = torch.device(device)
        self.network = network.eval().to(self.device)
        self.precision = chosen

    def __call__(self, batch: npt.NDArray[np.float32]) -> npt.NDArray[np.float32]:
        with torch.inference_mode(), self._autocast():
            x = torch.from_numpy(batch).to(self.device)
            final: Any = getattr(self.network, "final", None)
            logits = final(x) if final is not None else self.network(x)[0]
            probability = torch.sigmoid(logits.float())
        result: npt.NDArray[np.float32] = probability[:, 0].cpu().numpy()
        return result

    def _autocast(self) -> torch.autocast:
        kind = self.device.type
        if self.precision == "fp32":
            return torch.autocast(kind, enabled=False)
        return torch.autocast(kind, torch.bfloat16 if self.precision == "bf16" else torch.float16)
