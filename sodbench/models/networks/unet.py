"""A plain U-Net, the first row of BASNet's ablation (Ronneberger et al., MICCAI 2015).

The paper calls its baseline "U-Net" without details. It is read here as: five levels of two 3 x 3
conv-BN-ReLU each (64 to 1024 channels), max pooling, bilinear upsampling with a 3 x 3 convolution that halves
the channels, zero padding so that the map has the input's size, one output.
"""

from typing import cast

from torch import Tensor, nn

from sodbench.models.networks.layers import conv3x3, halve, initialise_xavier, join, resize_to


class UNet(nn.Module):
    """forward: N x 3 x H x W -> (logits N x 1 x H x W,)."""

    def __init__(self, width: int = 64) -> None:
        super().__init__()
        widths = [width * 2**level for level in range(5)]
        self.encoder = nn.ModuleList(
            _double(inputs, outputs) for inputs, outputs in zip([3, *widths], widths, strict=False)
        )
        self.up = nn.ModuleList(_single(2 * w, w) for w in reversed(widths[:-1]))
        self.decoder = nn.ModuleList(_double(2 * w, w) for w in reversed(widths[:-1]))
        self.out = conv3x3(width, 1)
        self.initialise()

    def initialise(self) -> None:
        """Draws random weights: Xavier."""
        initialise_xavier([self])

    def forward(self, x: Tensor) -> tuple[Tensor, ...]:
        skips: list[Tensor] = []
        y = x
        for encode in self.encoder:
            y = encode(halve(y) if skips else y)
            skips.append(y)
        skips.pop()
        for up, decode in zip(self.up, self.decoder, strict=True):
            skip = skips.pop()
            y = decode(join(up(resize_to(y, skip)), skip))
        return (cast(Tensor, self.out(y)),)


def _single(inputs: int, outputs: int) -> nn.Sequential:
    return nn.Sequential(conv3x3(inputs, outputs), nn.BatchNorm2d(outputs), nn.ReLU(inplace=True))


def _double(inputs: int, outputs: int) -> nn.Sequential:
    return nn.Sequential(*_single(inputs, outputs), *_single(outputs, outputs))
