"""ResNet as the encoder of a segmentation network: dilated instead of strided, with torchvision's names.

He et al., "Deep Residual Learning", CVPR 2016; dilation and multi-grid as DeepLabV3 (Chen et al., 2017). At
width 64 torchvision's ImageNet weights fit (conv1 ... layer4).
"""

from typing import cast

from torch import Tensor, nn
from torch.nn import functional as F

from sodbench.errors import InputError
from sodbench.models.networks.layers import ResidualBlock, conv3x3

# depth: blocks of the four stages, and whether a block is a bottleneck
DEPTHS = {18: ((2, 2, 2, 2), False), 34: ((3, 4, 6, 3), False), 50: ((3, 4, 6, 3), True),
          101: ((3, 4, 23, 3), True)}  # fmt: skip


class Bottleneck(nn.Module):
    """1 x 1, 3 x 3 (stride and dilation here, as torchvision), 1 x 1 to four times the width; added to x."""

    def __init__(self, inputs: int, width: int, stride: int, dilation: int) -> None:
        super().__init__()
        outputs = 4 * width
        self.conv1 = nn.Conv2d(inputs, width, 1, bias=False)
        self.bn1 = nn.BatchNorm2d(width)
        self.conv2 = conv3x3(width, width, stride=stride, dilation=dilation, bias=False)
        self.bn2 = nn.BatchNorm2d(width)
        self.conv3 = nn.Conv2d(width, outputs, 1, bias=False)
        self.bn3 = nn.BatchNorm2d(outputs)
        self.downsample: nn.Module | None = None
        if stride != 1 or inputs != outputs:
            self.downsample = nn.Sequential(
                nn.Conv2d(inputs, outputs, 1, stride, bias=False), nn.BatchNorm2d(outputs)
            )

    def forward(self, x: Tensor) -> Tensor:
        shortcut = x if self.downsample is None else self.downsample(x)
        y = F.relu(self.bn1(self.conv1(x)), inplace=True)
        y = F.relu(self.bn2(self.conv2(y)), inplace=True)
        return F.relu(self.bn3(self.conv3(y)) + shortcut, inplace=True)


class ResNet(nn.Module):
    """forward: N x 3 x H x W -> N x channels x H/stride x W/stride, the last stage's features.

    `output_stride` 32, 16 or 8: the stages beyond it keep the size and dilate instead. `multi_grid`
    multiplies the dilations of the last stage's first three blocks.
    """

    def __init__(
        self,
        depth: int = 101,
        width: int = 64,
        output_stride: int = 16,
        multi_grid: tuple[int, ...] = (1, 2, 4),
    ) -> None:
        super().__init__()
        if depth not in DEPTHS:
            raise InputError(f"depth: expected {' or '.join(map(str, DEPTHS))}, found {depth!r}")
        if output_stride not in (8, 16, 32):
            raise InputError(f"output_stride: expected 8, 16 or 32, found {output_stride!r}")
        blocks, bottleneck = DEPTHS[depth]
        self.conv1 = nn.Conv2d(3, width, 7, 2, padding=3, bias=False)
        self.bn1 = nn.BatchNorm2d(width)
        self.maxpool = nn.MaxPool2d(3, 2, padding=1)
        channels, reached, dilation = width, 4, 1
        for i, count in enumerate(blocks):
            stride = 1 if i == 0 else 2
            if reached * stride > output_stride:
                dilation, stride = dilation * stride, 1
            reached *= stride
            grid = multi_grid if i == 3 else ()
            rates = [dilation * (grid[b] if b < len(grid) else 1) for b in range(count)]
            stage_width = width * 2**i
            stage: list[nn.Module] = []
            for b, rate in enumerate(rates):
                step = stride if b == 0 else 1
                if bottleneck:
                    stage.append(Bottleneck(channels, stage_width, step, rate))
                else:
                    stage.append(ResidualBlock(channels, stage_width, step, rate))
                channels = stage_width * (4 if bottleneck else 1)
            self.add_module(f"layer{i + 1}", nn.Sequential(*stage))
        self.channels = channels

    def forward(self, x: Tensor) -> Tensor:
        x = self.maxpool(F.relu(self.bn1(self.conv1(x)), inplace=True))
        for i in (1, 2, 3, 4):
            x = cast(nn.Module, getattr(self, f"layer{i}"))(x)
        return x
