"""The residual U-block: a small U-Net as one block of a larger one (Qin et al., U²-Net, 2020)."""

from typing import cast

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from sodbench.models.networks.layers import conv3x3, halve, join, resize_to


class ConvNormReLU(nn.Module):
    """3 x 3 convolution with bias, batch normalisation, ReLU; under the official names."""

    def __init__(self, inputs: int, outputs: int, dilation: int = 1) -> None:
        super().__init__()
        self.conv_s1 = conv3x3(inputs, outputs, dilation=dilation)
        self.bn_s1 = nn.BatchNorm2d(outputs)

    def forward(self, x: Tensor) -> Tensor:
        return F.relu(self.bn_s1(self.conv_s1(x)), inplace=True)


class ResidualUBlock(nn.Module):
    """RSU-L(inputs, between, outputs), L = `levels`: N x inputs x H x W -> N x outputs x H x W, any size.

    One convolution brings the channels to `outputs`; a U-Net of L levels and `between` channels follows, and
    the two are added. Max pooling halves the size between the levels; the deepest keeps the size of the one
    above and is dilated by 2. `flat` is the paper's RSU-4F: every level keeps the size, and the dilation
    doubles from level to level instead.
    """

    def __init__(self, levels: int, inputs: int, between: int, outputs: int, flat: bool = False) -> None:
        super().__init__()
        self.levels, self.flat = levels, flat
        dilations = [2**level if flat else 1 for level in range(levels)]
        if not flat:
            dilations[-1] = 2
        self.rebnconvin = ConvNormReLU(inputs, outputs)
        for level, dilation in enumerate(dilations, 1):
            layer = ConvNormReLU(outputs if level == 1 else between, between, dilation)
            self.add_module(f"rebnconv{level}", layer)
        for level in range(levels - 1, 0, -1):
            layer = ConvNormReLU(2 * between, between if level > 1 else outputs, dilations[level - 1])
            self.add_module(f"rebnconv{level}d", layer)

    def forward(self, x: Tensor) -> Tensor:
        residual: Tensor = self.rebnconvin(x)
        y = self._layer("1", residual)
        skips = [y]
        for level in range(2, self.levels):
            y = self._layer(f"{level}", y if self.flat else halve(y))
            skips.append(y)
        y = self._layer(f"{self.levels}", y)
        for level in range(self.levels - 1, 0, -1):
            skip = skips.pop()
            if level < self.levels - 1 and not self.flat:
                y = resize_to(y, skip)
            y = self._layer(f"{level}d", join(y, skip))
        # autograd needs both as they are
        return y + residual if torch.is_grad_enabled() else y.add_(residual)

    def _layer(self, name: str, x: Tensor) -> Tensor:
        return cast(Tensor, cast(nn.Module, getattr(self, f"rebnconv{name}"))(x))
