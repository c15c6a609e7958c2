"""IS-Net, U²-Net on features of half the image's size (Qin et al., "Highly Accurate Dichotomous Image
Segmentation", ECCV 2022).

The official names of the state dict are kept, so that the released `isnet-general-use.pth` and `isnet.pth`
(44,046,790 parameters) load strictly. The paper's intermediate supervision, a second network that encodes the
masks and whose features training imitates, is not part of this one. Input N x 3 x H x W, any size from 64 up.
"""

from torch import Tensor

from sodbench.models.networks.layers import conv3x3, resize_to, thin_conv
from sodbench.models.networks.u2net import STAGES, NestedUNet


class ISNet(NestedUNet):
    """forward: N x 3 x H x W -> logits, N x 1 x H x W each: side 1 (the final map) ... side 6 (6 maps)."""

    def __init__(self) -> None:
        super().__init__()
        self.conv_in = conv3x3(3, 64, stride=2)
        self.add_stages({**STAGES, "1": (7, 64, 32, 64)})
        self.initialise()

    def forward(self, x: Tensor) -> tuple[Tensor, ...]:
        features = self.features(self.conv_in(x))
        return tuple(resize_to(self.side_conv(level)(one), x) for level, one in enumerate(features, 1))

    def final(self, x: Tensor) -> Tensor:
        """Only the first map of `forward`, N x 1 x H x W logits: what inference needs."""
        finest = self.features(self.conv_in(x))[0]
        return resize_to(thin_conv(self.side_conv(1), finest), x)
