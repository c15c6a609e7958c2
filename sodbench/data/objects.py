"""Quantities of the objects in one mask, and of their contrast in the image.

`inside` is H x W bool, true on the objects' pixels (mask > 128). Lengths are in pixels.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Inside = NDArray[np.bool_]
SMALLEST = 0.001  # components below this share of the image are annotation noise and not counted
BINS = 8  # per colour channel, in the histograms of the contrast


@dataclass(frozen=True)
class Components:
    """The 8-connected components of a mask: H x W labels from 1, the pixels of each, and how many count."""

    labels: NDArray[np.int32]
    sizes: NDArray[np.int64]
    counted: int

    def largest(self) -> Inside:
        """The largest component, cut out with a border of one background pixel."""
        from scipy import ndimage

        label = int(self.sizes.argmax()) + 1
        box = ndimage.find_objects(self.labels)[label - 1]
        return np.pad(self.labels[box] == label, 1)


def components_of(inside: Inside) -> Components:
    """The components; those of at least SMALLEST of the image are counted."""
    from scipy import ndimage

    labels, count = ndimage.label(inside, structure=np.ones((3, 3)))
    sizes = np.bincount(labels.ravel(), minlength=count + 1)[1:]
    return Components(labels, sizes, int((sizes >= SMALLEST * inside.size).sum()))


def touches_border(inside: Inside) -> bool:
    """Whether a pixel of an object lies in the image's first or last row or column."""
    return bool(inside[0].any() or inside[-1].any() or inside[:, 0].any() or inside[:, -1].any())


def surroundings(inside: Inside) -> Inside:
    """The band around the objects: an eighth of their extent wide, at least 3 pixels."""
    from scipy import ndimage

    rows, columns = np.flatnonzero(inside.any(axis=1)), np.flatnonzero(inside.any(axis=0))
    reach = max(3, int(max(rows[-1] - rows[0], columns[-1] - columns[0]) / 8))
    near = ndimage.uniform_filter(inside.astype(np.float32), 2 * reach + 1, mode="constant") > 1e-6
    return np.asarray(near & ~inside)


def axis_ratio(shape: Inside) -> float:
    """Minor over major principal axis of one object, 0 to 1.

    The axes are those of the ellipse with the object's second central moments; each pixel is a unit square
    and adds 1/12. A disc or a square has 1.
    """
    rows, columns = np.nonzero(shape)
    moments = np.cov(np.stack([rows, columns]), bias=True) + np.eye(2) / 12
    minor, major = np.linalg.eigvalsh(moments)
    return float(np.sqrt(minor / major))


def width_to_length(shape: Inside) -> float:
    """Mean width over length of one object, straight or bent: 16 m^2 / A.

    A is the area and m the mean distance of its pixels to the boundary. A strip of width w and length l has
    m = w / 4 and A = w l, hence w / l; a disc has 0.57, a square 0.44. `shape` has a border of background.

    After elongatedness, area over the square of the largest width (Sonka, Hlavac and Boyle, Image
    Processing, Analysis and Machine Vision, section on region description), with the mean width instead.
    """
    from scipy import ndimage

    # centre to centre less half a pixel: the distance to the edge between two pixels
    distance = ndimage.distance_transform_edt(shape)[shape] - 0.5
    return float(16 * distance.mean() ** 2 / len(distance))


def colour_contrast(picture: NDArray[np.uint8], inside: Inside) -> float:
    """Chi-squared distance of the RGB histograms of objects and surroundings, 0 (alike) to 1; or NaN.

    sum (p - q)^2 / (p + q) / 2 over BINS^3 bins. NaN where the mask has no object or no background, or
    another size than the picture. After the colour contrast of Alexe, Deselaers and Ferrari (What is an
    object?, CVPR 2010), with the mask in place of a window and RGB in place of Lab.
    """
    if inside.shape != picture.shape[:2] or not inside.any() or inside.all():
        return float("nan")
    codes = (picture // (256 // BINS)).astype(np.int64) @ np.array([BINS * BINS, BINS, 1])
    p, q = (
        np.bincount(codes[region], minlength=BINS**3) / region.sum()
        for region in (inside, surroundings(inside))
    )
    total = p + q
    return float(((p - q) ** 2 / np.where(total > 0, total, 1)).sum() / 2)
