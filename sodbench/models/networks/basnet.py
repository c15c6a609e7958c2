"""BASNet: predict, then refine (Qin et al., "BASNet: Boundary-Aware Salient Object Detection", CVPR 2019).

The official names of the state dict are kept, so that the released `basnet.pth` loads strictly. `width`
scales every layer (64 is the paper's, 87,060,360 parameters; 16 is `basnet-tiny`'s, 5,455,080). The paper's
ablation is `supervision` on or off and `refinement` none, lc, ms or ours.

Input N x 3 x H x W, any size from 32 up; the paper's upsampling factors are exact for multiples of 32.
"""

from typing import cast

from torch import Tensor, nn
from torch.nn import functional as F

from sodbench.errors import unknown_names
from sodbench.models.networks.layers import (
    ResidualBlock,
    conv3x3,
    halve,
    initialise_resnet,
    initialise_xavier,
    join,
    residual_stage,
    resize_to,
)
from sodbench.models.networks.refinement import REFINEMENTS


class BASNet(nn.Module):
    """Encoder (ResNet-34 and two more stages), bridge, decoder with side outputs, residual refinement.

    forward: N x 3 x H x W -> logits, N x 1 x H x W each: refined, d1 ... d6, bridge (8 maps). Without
    refinement d1 comes first (7); without supervision only the first is computed and returned.
    `drop` is the encoder's stochastic depth: the probability that a sample skips a block in training.
    """

    def __init__(
        self, width: int = 64, supervision: bool = True, refinement: str = "ours", drop: float = 0.0
    ) -> None:
        super().__init__()
        if refinement != "none" and refinement not in REFINEMENTS:
            raise unknown_names("refinement", [refinement], ["none", *REFINEMENTS])
        w1, w2, w4, w8 = width, 2 * width, 4 * width, 8 * width
        self.supervision = supervision

        self.inconv = conv3x3(3, w1)
        self.inbn = nn.BatchNorm2d(w1)
        self.encoder1 = residual_stage(w1, w1, 3, drop=drop)
        self.encoder2 = residual_stage(w1, w2, 4, stride=2, drop=drop)
        self.encoder3 = residual_stage(w2, w4, 6, stride=2, drop=drop)
        self.encoder4 = residual_stage(w4, w8, 3, stride=2, drop=drop)
        for stage in ("resb5", "resb6"):
            for i in (1, 2, 3):
                self.add_module(f"{stage}_{i}", ResidualBlock(w8, w8, drop=drop))

        # name: channels in, between, out; dilation of the first and of the other two convolutions
        self._add_triple("bg", w8, w8, w8, 2, 2)
        self._add_triple("6d", 2 * w8, w8, w8, 1, 2)
        self._add_triple("5d", 2 * w8, w8, w8)
        self._add_triple("4d", 2 * w8, w8, w4)
        self._add_triple("3d", 2 * w4, w4, w2)
        self._add_triple("2d", 2 * w2, w2, w1)
        self._add_triple("1d", 2 * w1, w1, w1)

        sides = {"b": w8, "6": w8, "5": w8, "4": w4, "3": w2, "2": w1, "1": w1}
        for name, channels in sides.items():
            if supervision or name == "1":
                self.add_module(f"outconv{name}", conv3x3(channels, 1))
        self.refunet = None if refinement == "none" else REFINEMENTS[refinement](width)
        if width == 64:
            self.imagenet = ("resnet34", {f"layer{i}.": f"encoder{i}." for i in (1, 2, 3, 4)})
        self.initialise()

    def initialise(self) -> None:
        """Draws random weights: Xavier, and in the stages that ResNet-34 has as torchvision does."""
        initialise_xavier([self])
        initialise_resnet([self.encoder1, self.encoder2, self.encoder3, self.encoder4])

    def forward(self, x: Tensor) -> tuple[Tensor, ...]:
        bridge, decoded = self._features(x)
        coarse = self._side("1", decoded[-1], x)
        maps = [] if self.refunet is None else [self.refunet(coarse)]
        maps.append(coarse)
        if self.supervision:
            deeper = zip(("2", "3", "4", "5", "6"), reversed(decoded[:-1]), strict=True)
            maps += [self._side(name, y, x) for name, y in deeper]
            maps.append(self._side("b", bridge, x))
        return tuple(maps)

    def final(self, x: Tensor) -> Tensor:
        """Only the first map of `forward`, N x 1 x H x W logits: what inference needs."""
        coarse = self._side("1", self._features(x)[1][-1], x)
        return coarse if self.refunet is None else cast(Tensor, self.refunet(coarse))

    def _features(self, x: Tensor) -> tuple[Tensor, list[Tensor]]:
        """The bridge's features and the decoder's, deepest (6) first."""
        y = F.relu(self.inbn(self.inconv(x)), inplace=True)
        skips = []
        for stage in (self.encoder1, self.encoder2, self.encoder3, self.encoder4):
            y = stage(y)
            skips.append(y)
        for name in ("resb5", "resb6"):
            y = halve(y)
            for i in (1, 2, 3):
                y = self._layer(f"{name}_{i}", y)
            skips.append(y)
        bridge = self._triple("bg", y)
        decoded = [self._triple("6d", join(bridge, skips.pop()))]
        for name in ("5d", "4d", "3d", "2d", "1d"):
            skip = skips.pop()
            decoded.append(self._triple(name, join(resize_to(decoded[-1], skip), skip)))
        return bridge, decoded

    def _add_triple(self, name: str, inputs: int, between: int, outputs: int, *dilations: int) -> None:
        first, rest = dilations or (1, 1)
        for part, cin, cout, dilation in (
            ("1", inputs, between, first),
            ("m", between, between, rest),
            ("2", between, outputs, rest),
        ):
            self.add_module(f"conv{name}_{part}", conv3x3(cin, cout, dilation=dilation))
            self.add_module(f"bn{name}_{part}", nn.BatchNorm2d(cout))

    def _triple(self, name: str, x: Tensor) -> Tensor:
        for part in ("1", "m", "2"):
            x = F.relu(self._layer(f"bn{name}_{part}", self._layer(f"conv{name}_{part}", x)), inplace=True)
        return x

    def _side(self, name: str, features: Tensor, like: Tensor) -> Tensor:
        side = self._layer(f"outconv{name}", features)
        return side if name == "1" else resize_to(side, like)

    def _layer(self, name: str, x: Tensor) -> Tensor:
        return cast(Tensor, cast(nn.Module, getattr(self, name))(x))
