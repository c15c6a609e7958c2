"""U²-Net, a U-Net of U-Nets (Qin et al., "U²-Net: Going Deeper with Nested U-Structure for Salient Object
Detection", Pattern Recognition 2020).

The official names of the state dict are kept, so that the released `u2net.pth` (44,009,869 parameters) and
`u2netp.pth` (U²-Net†, `small`; 1,131,181 parameters) load strictly. Input N x 3 x H x W, any size from 32 up.
"""

from typing import cast

from torch import Tensor, nn

from sodbench.arguments import instance
from sodbench.models.networks.layers import conv3x3, halve, initialise_xavier, join, resize_to, thin_conv
from sodbench.models.networks.rsu import ResidualUBlock

# of a stage: the levels of its block (0: the flat RSU-4F), its channels in, between and out
Stage = tuple[int, int, int, int]
STAGES: dict[str, Stage] = {
    "1": (7, 3, 32, 64),
    "2": (6, 64, 32, 128),
    "3": (5, 128, 64, 256),
    "4": (4, 256, 128, 512),
    "5": (0, 512, 256, 512),
    "6": (0, 512, 256, 512),
    "5d": (0, 1024, 256, 512),
    "4d": (4, 1024, 128, 256),
    "3d": (5, 512, 64, 128),
    "2d": (6, 256, 32, 64),
    "1d": (7, 128, 16, 64),
}
SMALL_STAGES: dict[str, Stage] = {
    name: (levels, 3 if name == "1" else 128 if name.endswith("d") else 64, 16, 64)
    for name, (levels, *_) in STAGES.items()
}


class NestedUNet(nn.Module):
    """What U²-Net and IS-Net share: six encoder and five decoder stages, and a side output of each level."""

    def add_stages(self, stages: dict[str, Stage]) -> None:
        """Adds the stages and the convolutions of the side outputs."""
        for name, (levels, inputs, between, outputs) in stages.items():
            block = ResidualUBlock(levels or 4, inputs, between, outputs, flat=not levels)
            self.add_module(f"stage{name}", block)
        for level, name in enumerate(("1d", "2d", "3d", "4d", "5d", "6"), 1):
            self.add_module(f"side{level}", conv3x3(stages[name][-1], 1))

    def initialise(self) -> None:
        """Draws random weights: Xavier."""
        initialise_xavier([self])

    def features(self, x: Tensor) -> list[Tensor]:
        """The features that have side outputs: the decoder's, finest first, and the deepest stage's."""
        skips: list[Tensor] = []
        for level in range(1, 7):
            x = self._layer(f"stage{level}", halve(x) if skips else x)
            skips.append(x)
        decoded = [skips.pop()]
        for level in range(5, 0, -1):
            skip = skips.pop()
            decoded.append(self._layer(f"stage{level}d", join(resize_to(decoded[-1], skip), skip)))
        return decoded[::-1]

    def side_conv(self, level: int) -> nn.Conv2d:
        """The convolution of the side output of a level, from 1."""
        return cast(nn.Conv2d, getattr(self, f"side{level}"))

    def _layer(self, name: str, x: Tensor) -> Tensor:
        return cast(Tensor, cast(nn.Module, getattr(self, name))(x))


class U2Net(NestedUNet):
    """forward: N x 3 x H x W -> logits, N x 1 x H x W each: fused, side 1 ... side 6 (7 maps).

    `small` is U²-Net†: every block has 16 channels inside and 64 outside.
    """

    def __init__(self, small: bool = False) -> None:
        super().__init__()
        instance("small", small, bool, "true or false")
        self.add_stages(SMALL_STAGES if small else STAGES)
        self.outconv = nn.Conv2d(6, 1, 1)
        self.initialise()

    def forward(self, x: Tensor) -> tuple[Tensor, ...]:
        sides = [self.side_conv(level)(one) for level, one in enumerate(self.features(x), 1)]
        return self._fused(sides)

    def final(self, x: Tensor) -> Tensor:
        """Only the first map of `forward`, N x 1 x H x W logits: what inference needs."""
        sides = [thin_conv(self.side_conv(level), one) for level, one in enumerate(self.features(x), 1)]
        return self._fused(sides)[0]

    def _fused(self, sides: list[Tensor]) -> tuple[Tensor, ...]:
        """The fused map and the side outputs, all at the size of the first."""
        sides = [sides[0], *(resize_to(side, sides[0]) for side in sides[1:])]
        return (cast(Tensor, self.outconv(join(*sides))), *sides)
