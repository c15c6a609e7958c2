"""Copy-paste augmentation: another sample's object on this picture, which makes new scenes of few pictures.

Ghiasi et al., "Simple Copy-Paste is a Strong Data Augmentation Method for Instance Segmentation", CVPR 2021,
for salient objects: the pasted object is salient, and what it leaves of the picture's own object stays so.
"""

import numpy as np
from PIL import Image

from sodbench.data.training_pairs import Pixels

_SCALES = (0.5, 1.25)  # of the object
_SHARES = (0.01, 0.5)  # of its own picture that an object may fill: dots and whole scenes are left alone


def paste_object(
    image: Pixels, mask: Pixels, other: Pixels, other_mask: Pixels, random: np.random.Generator
) -> tuple[Pixels, Pixels]:
    """The pair with the other pair's object, mirrored, scaled, placed at random; draws from `random` alone.

    Pictures are H x W x 3 and masks H x W, uint8; the two pairs may differ in size. Where the other mask
    has no fitting object the pair itself is returned.
    """
    flipped, scale = random.random() < 0.5, random.uniform(*_SCALES)
    across, down = random.random(), random.random()
    found = other_mask > 127
    if not _SHARES[0] <= found.mean() <= _SHARES[1]:
        return image, mask
    rows, columns = np.flatnonzero(found.any(axis=1)), np.flatnonzero(found.any(axis=0))
    box = np.s_[rows[0] : rows[-1] + 1, columns[0] : columns[-1] + 1]
    # as large as drawn, and no larger than the picture
    height, width = other_mask[box].shape
    scale = min(scale, mask.shape[0] / height, mask.shape[1] / width)
    height, width = max(1, int(scale * height)), max(1, int(scale * width))
    size = (width, height)
    thing = np.asarray(Image.fromarray(other[box]).resize(size, Image.Resampling.BILINEAR))
    shape = np.asarray(Image.fromarray(other_mask[box]).resize(size, Image.Resampling.BILINEAR))
    if flipped:
        thing, shape = thing[:, ::-1], shape[:, ::-1]
    top, left = int(down * (mask.shape[0] - height + 1)), int(across * (mask.shape[1] - width + 1))
    place = np.s_[top : top + height, left : left + width]
    image, mask = image.copy(), mask.copy()
    # the resized mask is soft at the edge, and so is the seam
    cover = shape[:, :, None].astype(np.float32) / 255
    image[place] = np.rint(image[place] * (1 - cover) + thing * cover).astype(np.uint8)
    mask[place] = np.maximum(mask[place], np.where(shape > 127, np.uint8(255), np.uint8(0)))
    return image, mask
