"""The metrics in a training loop: `SaliencyMetrics`, a `torchmetrics.Metric`.

Without torchmetrics (extra `sodbench[torchmetrics]`) it is a `torch.nn.Module` with the same methods.
docs/loop.md shows it in a plain loop, under torchrun and in Lightning.
"""

from sodbench.torch_metrics.saliency_metrics import SaliencyMetrics

__all__ = ["SaliencyMetrics"]
