"""What a set is like, in numbers: objects' size, count, place, border contact and contrast.

Masks count as object where > 128. Contrast is the distance of the mean colours of object and of a band
around it (an eighth of the object's extent wide), in units of 255; 0 is camouflage.
"""

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from sodbench.data.auditing.fingerprint import in_threads
from sodbench.data.folder import DataSet, Sample
from sodbench.data.images import read_image, read_mask

MAP = 48  # cells a side of the map of places
SMALLEST = 0.001  # parts below this share of the picture are crumbs of annotation, and not counted


@dataclass(frozen=True)
class Statistics:
    """One value a sample, in the order of the samples, and the mean mask."""

    name: str
    title: str
    expected: int
    height: NDArray[np.int64]
    width: NDArray[np.int64]
    share: NDArray[np.float64]  # of object pixels, 0 to 1
    parts: NDArray[np.int64]  # connected objects
    border: NDArray[np.bool_]  # the object touches the picture's border
    contrast: NDArray[np.float64]  # 0 to sqrt(3); NaN without object or surroundings
    places: NDArray[np.float64]  # MAP x MAP: how often a place is object

    def summary(self) -> dict[str, Any]:
        """The figure's contents in a few numbers."""
        contrast = self.contrast[~np.isnan(self.contrast)]
        return {
            "pictures": len(self.share),
            "expected": self.expected,
            "object share, median": round(float(np.median(self.share)), 4),
            "objects a picture, mean": round(float(self.parts.mean()), 2),
            "several objects": round(float((self.parts > 1).mean()), 4),
            "touch the border": round(float(self.border.mean()), 4),
            "no object": round(float((self.share == 0).mean()), 4),
            "contrast, median": round(float(np.median(contrast)), 4) if contrast.size else None,
            "height, median": int(np.median(self.height)),
            "width, median": int(np.median(self.width)),
        }


def statistics(dataset: DataSet, workers: int | None = None) -> Statistics:
    """Reads every picture and mask of a set once."""
    rows = in_threads(_one, dataset.samples, workers)
    places = np.mean([row[-1] for row in rows], axis=0)
    height, width, share, parts, border, contrast = (
        np.array([row[index] for row in rows]) for index in range(6)
    )
    return Statistics(
        dataset.name, dataset.title, dataset.expected, height, width, share, parts, border, contrast, places
    )


def _one(sample: Sample) -> tuple[int, int, float, int, bool, float, NDArray[np.float64]]:
    from scipy import ndimage

    if sample.mask is None:
        raise ValueError(f"{sample.name} has no mask")
    inside = read_mask(sample.mask) > 128
    height, width = inside.shape
    labels, count = ndimage.label(inside, structure=np.ones((3, 3)))
    sizes = np.bincount(labels.ravel(), minlength=count + 1)[1:]
    parts = int((sizes >= SMALLEST * inside.size).sum())
    border = bool(inside[0].any() or inside[-1].any() or inside[:, 0].any() or inside[:, -1].any())
    contrast = float("nan") if sample.image is None else _contrast(read_image(sample.image), inside)
    rows, columns = (np.arange(MAP) * size // MAP for size in (height, width))
    places = inside[np.ix_(rows, columns)].astype(np.float64)
    return height, width, float(inside.mean()), parts, border, contrast, places


def _contrast(picture: NDArray[np.uint8], inside: NDArray[np.bool_]) -> float:
    from scipy import ndimage

    if inside.shape != picture.shape[:2] or not inside.any() or inside.all():
        return float("nan")
    rows, columns = np.flatnonzero(inside.any(axis=1)), np.flatnonzero(inside.any(axis=0))
    reach = max(3, int(max(rows[-1] - rows[0], columns[-1] - columns[0]) / 8))
    near = ndimage.uniform_filter(inside.astype(np.float32), 2 * reach + 1, mode="constant") > 1e-6
    around = near & ~inside
    gap = picture[inside].mean(axis=0) - picture[around].mean(axis=0)
    return float(np.sqrt((gap * gap).sum()) / 255)
