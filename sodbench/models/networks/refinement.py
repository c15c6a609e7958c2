"""Refinement heads of BASNet's ablation: each maps coarse logits N x 1 x H x W to refined ones.

`ours` is the paper's residual refinement module (RRM), a U-Net on the coarse map. The paper compares it with
two shallow heads that it names but does not describe. They are read here, at the same width, as:

- `lc` (local context, after the boundary refinement block of Peng et al., "Large Kernel Matters", CVPR 2017):
  two 3 x 3 convolutions of 64 channels and one back to a residual of one channel.
- `ms` (multi-scale context): four parallel convolutions of different kernel sizes and dilations (3 x 3 at
  dilation 1, 2 and 4, and 5 x 5), a quarter of the channels each, concatenated and mapped to a residual.

Neither pools; all three add their residual to the coarse map.
"""

from collections.abc import Callable
from typing import cast

from torch import Tensor, nn
from torch.nn import functional as F

from sodbench.models.networks.layers import conv3x3, halve, join, resize_to


class ResidualRefinement(nn.Module):
    """The paper's RRM: four conv-BN-ReLU-pool stages, a bridge, four decoder stages, a residual."""

    def __init__(self, width: int = 64) -> None:
        super().__init__()
        self.conv0 = conv3x3(1, width)
        for i in (1, 2, 3, 4, 5):
            self.add_module(f"conv{i}", conv3x3(width, width))
            self.add_module(f"bn{i}", nn.BatchNorm2d(width))
        for i in (4, 3, 2, 1):
            self.add_module(f"conv_d{i}", conv3x3(2 * width, width))
            self.add_module(f"bn_d{i}", nn.BatchNorm2d(width))
        self.conv_d0 = conv3x3(width, 1)

    def forward(self, coarse: Tensor) -> Tensor:
        y = self.conv0(coarse)
        skips = []
        for i in (1, 2, 3, 4):
            skips.append(self._unit(f"{i}", y))
            y = halve(skips[-1])
        y = self._unit("5", y)
        for i in (4, 3, 2, 1):
            skip = skips.pop()
            y = self._unit(f"_d{i}", join(resize_to(y, skip), skip))
        return coarse + cast(Tensor, self.conv_d0(y))

    def _unit(self, name: str, x: Tensor) -> Tensor:
        conv, bn = cast(nn.Module, getattr(self, f"conv{name}")), cast(nn.Module, getattr(self, f"bn{name}"))
        return F.relu(bn(conv(x)), inplace=True)


class LocalContext(nn.Module):
    """The `lc` head: 1 -> width -> width -> 1, all 3 x 3."""

    def __init__(self, width: int = 64) -> None:
        super().__init__()
        self.residual = nn.Sequential(
            conv3x3(1, width),
            nn.BatchNorm2d(width),
            nn.ReLU(inplace=True),
            conv3x3(width, width),
            nn.BatchNorm2d(width),
            nn.ReLU(inplace=True),
            conv3x3(width, 1),
        )

    def forward(self, coarse: Tensor) -> Tensor:
        return coarse + cast(Tensor, self.residual(coarse))


class MultiScaleContext(nn.Module):
    """The `ms` head: a 3 x 3 stem, four parallel branches of width / 4, a 3 x 3 map to the residual."""

    def __init__(self, width: int = 64) -> None:
        super().__init__()
        quarter = width // 4
        self.stem = nn.Sequential(conv3x3(1, width), nn.BatchNorm2d(width), nn.ReLU(inplace=True))
        self.branches = nn.ModuleList(
            [
                conv3x3(width, quarter),
                conv3x3(width, quarter, dilation=2),
                conv3x3(width, quarter, dilation=4),
                nn.Conv2d(width, quarter, 5, padding=2),
            ]
        )
        self.bn = nn.BatchNorm2d(4 * quarter)
        self.out = conv3x3(4 * quarter, 1)

    def forward(self, coarse: Tensor) -> Tensor:
        y = self.stem(coarse)
        y = F.relu(self.bn(join(*(branch(y) for branch in self.branches))), inplace=True)
        return coarse + cast(Tensor, self.out(y))


REFINEMENTS: dict[str, Callable[[int], nn.Module]] = {
    "lc": LocalContext,
    "ms": MultiScaleContext,
    "ours": ResidualRefinement,
}
