"""DeepLabV3 (Chen et al., 2017) with its own head, ASPP, or pyramid atrous convolution (PAC; Yu, POSTECH).

One saliency channel replaces the classes, and binary cross entropy the two-class one. All convolutions pad
with zeros to keep the size; upsampling is bilinear with aligned corners.
"""

from collections.abc import Sequence
from typing import cast

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from sodbench.errors import InputError, unknown_names
from sodbench.models.networks.layers import initialise_resnet, join
from sodbench.models.networks.resnet import ResNet

ASPP_RATES = (6, 12, 18)
PAC_RATES = (1, 3, 5, 7, 9)


class DeepLabV3(nn.Module):
    """ResNet encoder, ASPP or PAC head, one map. forward: N x 3 x H x W -> (logits N x 1 x H x W,).

    At output stride 8 ASPP's rates are doubled, as in the paper. `channels` is the head's width (256 at the
    encoder's full width). `bn_momentum` is torch's: the published BN decay .9997 is a momentum of .0003.
    """

    def __init__(
        self,
        depth: int = 101,
        width: int = 64,
        output_stride: int = 16,
        *,
        multi_grid: Sequence[int] = (1, 2, 4),
        head: str = "aspp",
        rates: Sequence[int] | None = None,
        merge: str = "sum",
        dropout: float = 0.1,
        bn_momentum: float = 0.0003,
    ) -> None:
        super().__init__()
        channels = 4 * width
        self.backbone = ResNet(depth, width, output_stride, tuple(multi_grid))
        inputs = self.backbone.channels
        if head == "aspp":
            scale = 2 if output_stride == 8 else 1
            self.head: nn.Module = ASPP(inputs, channels, rates or [scale * r for r in ASPP_RATES])
        elif head == "pac":
            self.head = PACHead(inputs, channels, rates or PAC_RATES, merge)
        else:
            raise unknown_names("head", [head], ["aspp", "pac"])
        self.dropout = nn.Dropout(dropout)
        self.classifier = nn.Conv2d(channels, 1, 1)
        for module in self.modules():
            if isinstance(module, nn.BatchNorm2d):
                module.momentum = bn_momentum
        if width == 64:
            parts = ("conv1.", "bn1.", "layer1.", "layer2.", "layer3.", "layer4.")
            self.imagenet = (f"resnet{depth}", {part: f"backbone.{part}" for part in parts})
        self.initialise()

    def initialise(self) -> None:
        """Draws random weights: Kaiming-normal (fan out), as torchvision's ResNet."""
        initialise_resnet([self])
        nn.init.zeros_(cast(Tensor, self.classifier.bias))

    def forward(self, x: Tensor) -> tuple[Tensor, ...]:
        y = self.classifier(self.dropout(self.head(self.backbone(x))))
        return (F.interpolate(y, size=x.shape[2:], mode="bilinear", align_corners=True),)


class ASPP(nn.Module):
    """Atrous spatial pyramid pooling: 1 x 1, 3 x 3 at each rate and image pooling, joined by 1 x 1."""

    def __init__(self, inputs: int, channels: int, rates: Sequence[int]) -> None:
        super().__init__()
        self.point = _unit(nn.Conv2d(inputs, channels, 1, bias=False))
        self.atrous = nn.ModuleList(
            _unit(nn.Conv2d(inputs, channels, 3, padding=rate, dilation=rate, bias=False)) for rate in rates
        )
        self.pool = ImagePooling(inputs, channels)
        self.project = _unit(nn.Conv2d((2 + len(rates)) * channels, channels, 1, bias=False))

    def forward(self, x: Tensor) -> Tensor:
        branches = [self.point(x), *(atrous(x) for atrous in self.atrous), self.pool(x)]
        return cast(Tensor, self.project(join(*branches)))


class PACHead(nn.Module):
    """A 1 x 1 convolution, PAC and image pooling in parallel, each with BN and ReLU; joined by 1 x 1."""

    def __init__(self, inputs: int, channels: int, rates: Sequence[int], merge: str) -> None:
        super().__init__()
        self.point = _unit(nn.Conv2d(inputs, channels, 1, bias=False))
        pac = PyramidAtrousConv(inputs, channels, rates, merge)
        self.pac = nn.Sequential(pac, nn.BatchNorm2d(channels), nn.ReLU(inplace=True))
        self.pool = ImagePooling(inputs, channels)
        self.project = _unit(nn.Conv2d(3 * channels, channels, 1, bias=False))

    def forward(self, x: Tensor) -> Tensor:
        return cast(Tensor, self.project(join(self.point(x), self.pac(x), self.pool(x))))


class PyramidAtrousConv(nn.Module):
    """One 3 x 3 filter applied at several rates; the results are summed, or concatenated and mapped by 1 x 1.

    The filter is shared, so its nine products with the input are the same at every rate, shifted differently:
    they are computed once (one 1 x 1 convolution) and added at their shifts. The result equals the sum of the
    atrous convolutions up to rounding, with a fifth of the multiplications for five rates.
    """

    def __init__(self, inputs: int, channels: int, rates: Sequence[int], merge: str = "sum") -> None:
        super().__init__()
        if merge not in ("sum", "concat"):
            raise unknown_names("merge", [merge], ["sum", "concat"])
        if not rates or any(not isinstance(r, int) or r < 1 for r in rates):
            raise InputError(f"rates: expected whole numbers from 1 up, found {list(rates)!r}")
        self.rates = tuple(rates)
        self.filter = nn.Conv2d(inputs, channels, 3, padding=1, bias=False)
        self.merge: nn.Module | None = None
        if merge == "concat":
            self.merge = nn.Conv2d(len(rates) * channels, channels, 1, bias=False)

    def forward(self, x: Tensor) -> Tensor:
        weight = self.filter.weight
        channels, inputs = weight.shape[:2]
        taps = weight.permute(2, 3, 0, 1).reshape(9 * channels, inputs, 1, 1)
        reach = max(self.rates)
        # beyond the border the input is zero, and so are its products
        products = F.pad(F.conv2d(x, taps), (reach, reach, reach, reach))
        height, width = x.shape[2:]

        def at(rate: int) -> list[Tensor]:
            return [
                products[:, tap * channels :, top : top + height, left : left + width][:, :channels]
                for tap in range(9)
                for top, left in [(reach + (tap // 3 - 1) * rate, reach + (tap % 3 - 1) * rate)]
            ]

        if self.merge is None:
            return _sum([part for rate in self.rates for part in at(rate)])
        return cast(Tensor, self.merge(join(*(_sum(at(rate)) for rate in self.rates))))


class ImagePooling(nn.Module):
    """The mean over the image, a 1 x 1 convolution, BN and ReLU, repeated at every position."""

    def __init__(self, inputs: int, channels: int) -> None:
        super().__init__()
        self.unit = _unit(nn.Conv2d(inputs, channels, 1, bias=False))

    def forward(self, x: Tensor) -> Tensor:
        pooled: Tensor = self.unit(x.mean((2, 3), keepdim=True))
        return pooled.expand(-1, -1, *x.shape[2:])


def _unit(conv: nn.Conv2d) -> nn.Sequential:
    return nn.Sequential(conv, nn.BatchNorm2d(conv.out_channels), nn.ReLU(inplace=True))


def _sum(parts: list[Tensor]) -> Tensor:
    total = parts[0].clone(memory_format=torch.preserve_format)
    for part in parts[1:]:
        total = total + part
    return total
