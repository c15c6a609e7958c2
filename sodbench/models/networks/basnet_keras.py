"""The Keras variant of BASNet (keras-io example "Highly accurate boundaries segmentation", 2023; 288 x 288).

It differs from the official network: no BN or ReLU after the input convolution; the skips are each ResNet
stage's last addition, before its ReLU; every decoder stage has 512 filters and no dilation; TensorFlow's
padding and BN constants. 108,886,792 values, of which 51,840 are BN statistics.

Names follow the official network's where a part has the same role. `models/keras_weights.py` converts the
authors' `basnet_weights.h5`.
"""

from typing import cast

from torch import Tensor, nn
from torch.nn import functional as F

from sodbench.models.networks.layers import conv3x3, halve, initialise_xavier, join, resize_to

# BN constants: Keras' defaults, and those of KerasCV's ResNet
_EPSILON, _RESNET_EPSILON = 1e-3, 1.001e-5


class BASNetKeras(nn.Module):
    """forward: N x 3 x H x W -> 8 maps of logits, N x 1 x H x W: refined, d1 ... d6, bridge."""

    def __init__(self, width: int = 64) -> None:
        super().__init__()
        w1, w2, w4, w8 = width, 2 * width, 4 * width, 8 * width
        self.inconv = conv3x3(3, w1)
        self.encoder1 = _stage(w1, w1, 3, stride=1)
        self.encoder2 = _stage(w1, w2, 4, stride=2)
        self.encoder3 = _stage(w2, w4, 6, stride=2)
        self.encoder4 = _stage(w4, w8, 3, stride=2)
        self.encoder5 = _stage(w8, w8, 3, stride=1, epsilon=_EPSILON)
        self.encoder6 = _stage(w8, w8, 3, stride=1, epsilon=_EPSILON)
        self.bridge = nn.Sequential(*(_unit(w8, w8, dilation=2) for _ in range(3)))
        skips = (w1, w2, w4, w8, w8, w8)
        self.decoder = nn.ModuleList(
            nn.Sequential(_unit(skip + w8, w8), _unit(w8, w8), _unit(w8, w8)) for skip in skips
        )
        self.side = nn.ModuleList(conv3x3(w8, 1) for _ in range(7))
        self.refine = _Refinement(width)
        self.initialise()

    def initialise(self) -> None:
        """Draws random weights: Xavier-uniform, as Keras does by default."""
        initialise_xavier([self])

    def forward(self, x: Tensor) -> tuple[Tensor, ...]:
        features = self._features(x)
        maps = [resize_to(side(y), x) for side, y in zip(self.side, features, strict=True)]
        return (cast(Tensor, self.refine(maps[0])), *maps)

    def final(self, x: Tensor) -> Tensor:
        """Only the refined map, N x 1 x H x W logits."""
        return cast(Tensor, self.refine(self.side[0](self._features(x)[0])))

    def _features(self, x: Tensor) -> list[Tensor]:
        """The decoder's features 1 ... 6 and the bridge's."""
        skips = []
        y = self.inconv(x)
        for stage in (self.encoder1, self.encoder2, self.encoder3, self.encoder4):
            skips.append(stage(y))
            y = F.relu(skips[-1])
        for stage in (self.encoder5, self.encoder6):
            y = F.relu(stage(halve(y)))
            skips.append(y)
        y = self.bridge(y)
        features = [y]
        for skip, decode in zip(reversed(skips), reversed(self.decoder), strict=True):
            y = decode(join(skip, resize_to(y, skip)))
            features.append(y)
        return features[::-1]


class _Block(nn.Module):
    """A basic residual block that ends with the addition; the ReLU after it belongs to the next part."""

    def __init__(self, inputs: int, outputs: int, stride: int, epsilon: float, first: bool = True) -> None:
        super().__init__()
        self.stride, self.first = stride, first
        self.conv1 = nn.Conv2d(inputs, outputs, 3, stride, padding=0, bias=False)
        self.bn1 = _norm(outputs, epsilon)
        self.conv2 = conv3x3(outputs, outputs, bias=False)
        self.bn2 = _norm(outputs, epsilon)
        self.downsample: nn.Module | None = None
        if stride != 1:
            self.downsample = nn.Sequential(
                nn.Conv2d(inputs, outputs, 1, stride, bias=False), _norm(outputs, epsilon)
            )

    def forward(self, x: Tensor) -> Tensor:
        if not self.first:
            x = F.relu(x)
        shortcut = x if self.downsample is None else self.downsample(x)
        y = F.relu(self.bn1(self.conv1(_pad_same(x, self.stride))), inplace=True)
        return cast(Tensor, self.bn2(self.conv2(y))) + shortcut


class _Refinement(nn.Module):
    """The residual refinement module: as the official one, with Keras' constants."""

    def __init__(self, width: int) -> None:
        super().__init__()
        self.conv0 = conv3x3(1, width)
        self.encoder = nn.ModuleList(_unit(width, width) for _ in range(4))
        self.bridge = _unit(width, width)
        self.decoder = nn.ModuleList(_unit(2 * width, width) for _ in range(4))
        self.out = conv3x3(width, 1)

    def forward(self, coarse: Tensor) -> Tensor:
        y = self.conv0(coarse)
        skips = []
        for encode in self.encoder:
            skips.append(encode(y))
            y = halve(skips[-1])
        y = self.bridge(y)
        for decode in self.decoder:
            skip = skips.pop()
            y = decode(join(skip, resize_to(y, skip)))
        return coarse + cast(Tensor, self.out(y))


def _stage(
    inputs: int, outputs: int, blocks: int, stride: int, epsilon: float = _RESNET_EPSILON
) -> nn.Sequential:
    rest = (_Block(outputs, outputs, 1, epsilon, first=False) for _ in range(blocks - 1))
    return nn.Sequential(_Block(inputs, outputs, stride, epsilon), *rest)


def _unit(inputs: int, outputs: int, dilation: int = 1) -> nn.Sequential:
    conv = conv3x3(inputs, outputs, dilation=dilation)
    return nn.Sequential(conv, _norm(outputs, _EPSILON), nn.ReLU(inplace=True))


def _norm(channels: int, epsilon: float) -> nn.BatchNorm2d:
    return nn.BatchNorm2d(channels, eps=epsilon, momentum=0.01)


def _pad_same(x: Tensor, stride: int) -> Tensor:
    """TensorFlow's SAME padding of a 3 x 3 window: at stride 2 an even size is padded only after its end."""
    before, after = [], []
    for size in x.shape[2:]:
        total = max((-(-size // stride) - 1) * stride + 3 - size, 0)
        before.append(total // 2)
        after.append(total - total // 2)
    return F.pad(x, (before[1], after[1], before[0], after[0]))
