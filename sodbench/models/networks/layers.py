"""The layers that the BASNet family shares: residual blocks, conv-BN-ReLU, and resizing to a skip's size."""

from collections.abc import Iterable

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from sodbench.errors import InputError


def conv3x3(inputs: int, outputs: int, *, stride: int = 1, dilation: int = 1, bias: bool = True) -> nn.Conv2d:
    """A 3 x 3 convolution that keeps the size at stride 1."""
    return nn.Conv2d(inputs, outputs, 3, stride, padding=dilation, dilation=dilation, bias=bias)


def thin_conv(conv: nn.Conv2d, x: Tensor) -> Tensor:
    """What `conv` gives, a 3 x 3 convolution to one channel: nine products per pixel, added at nine offsets.

    On a CPU this is three times as fast, because convolutions there compute 16 channels at a time.
    """
    height, width = x.shape[2:]
    products = F.conv2d(x, conv.weight[0].flatten(1).t()[:, :, None, None])
    products = F.pad(products, (1, 1, 1, 1))
    parts = [products[:, k : k + 1, k // 3 :, k % 3 :][:, :, :height, :width] for k in range(9)]
    total = parts[0] if conv.bias is None else parts[0] + conv.bias[:, None, None]
    return sum(parts[1:], total)


def resize_to(x: Tensor, like: Tensor) -> Tensor:
    """Bilinear (align_corners false) to the height and width of `like`.

    For sizes that are multiples of 32 this is the papers' upsampling by 2, 4 ... 32; other sizes work, too.
    """
    return F.interpolate(x, size=like.shape[2:], mode="bilinear", align_corners=False)


def halve(x: Tensor) -> Tensor:
    """Max pooling 2 x 2; an odd last row or column is pooled alone."""
    return F.max_pool2d(x, 2, 2, ceil_mode=True)


class ResidualBlock(nn.Module):
    """The basic block of ResNet-18/34, with torchvision's names (He et al., CVPR 2016).

    `drop` is the probability that a sample's residual is left out in training; the others are scaled so that
    the mean is kept (Huang et al., "Deep Networks with Stochastic Depth", ECCV 2016).
    """

    def __init__(
        self, inputs: int, outputs: int, stride: int = 1, dilation: int = 1, drop: float = 0.0
    ) -> None:
        super().__init__()
        if not 0 <= drop < 1:
            raise InputError(f"drop is {drop!r}, expected a probability from 0 (off) to below 1")
        self.drop = drop
        self.conv1 = conv3x3(inputs, outputs, stride=stride, dilation=dilation, bias=False)
        self.bn1 = nn.BatchNorm2d(outputs)
        self.conv2 = conv3x3(outputs, outputs, dilation=dilation, bias=False)
        self.bn2 = nn.BatchNorm2d(outputs)
        self.downsample: nn.Module | None = None
        if stride != 1 or inputs != outputs:
            self.downsample = nn.Sequential(
                nn.Conv2d(inputs, outputs, 1, stride, bias=False), nn.BatchNorm2d(outputs)
            )

    def forward(self, x: Tensor) -> Tensor:
        shortcut = x if self.downsample is None else self.downsample(x)
        y = F.relu(self.bn1(self.conv1(x)), inplace=True)
        y = self.bn2(self.conv2(y))
        if self.training and self.drop:
            kept = torch.empty(len(y), 1, 1, 1, dtype=y.dtype, device=y.device).bernoulli_(1 - self.drop)
            y = y * (kept / (1 - self.drop))
        return F.relu(y + shortcut, inplace=True)


def residual_stage(
    inputs: int, outputs: int, blocks: int, stride: int = 1, drop: float = 0.0
) -> nn.Sequential:
    """One ResNet stage: the first block changes width and size, the rest keep them."""
    first = ResidualBlock(inputs, outputs, stride, drop=drop)
    return nn.Sequential(first, *(ResidualBlock(outputs, outputs, drop=drop) for _ in range(blocks - 1)))


def initialise_xavier(modules: Iterable[nn.Module]) -> None:
    """Xavier-uniform weights, zero biases for all convolutions inside `modules` (Glorot & Bengio, 2010)."""
    for module in modules:
        for layer in module.modules():
            if isinstance(layer, nn.Conv2d):
                nn.init.xavier_uniform_(layer.weight)
                if layer.bias is not None:
                    nn.init.zeros_(layer.bias)


def initialise_resnet(modules: Iterable[nn.Module]) -> None:
    """Kaiming-normal (fan out) weights for all convolutions inside `modules`, as torchvision's ResNet."""
    for module in modules:
        for layer in module.modules():
            if isinstance(layer, nn.Conv2d):
                nn.init.kaiming_normal_(layer.weight, mode="fan_out", nonlinearity="relu")


def join(*maps: Tensor) -> Tensor:
    """Concatenates along the channels."""
    return torch.cat(maps, 1)
