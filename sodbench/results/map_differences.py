"""How far two sets of saliency maps of the same images are apart, in levels of 255."""

from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt

Map = npt.NDArray[np.uint8]
# the first difference of each class, in levels; the last class has no end
CLASSES = {"0": 0, "1": 1, "2-3": 2, "4-7": 4, "8+": 8}
# an edge: a pixel of which a neighbour is this many levels away
_EDGE = 8
_FAR, _SLIGHT = 8, 2


@dataclass
class MapDifferences:
    """Collects the absolute differences of pairs of maps, pixel by pixel.

    counts: number of pixels by their difference, 0..255 levels. largest: the largest difference of an image,
    with its name. at_edges: number of pixels 2 levels or more apart at an edge of either map; edges: the
    number of pixels there.
    """

    counts: npt.NDArray[np.int64] = field(default_factory=lambda: np.zeros(256, np.int64))
    largest: tuple[int, str] = (0, "")
    at_edges: int = 0
    edges: int = 0

    def add(self, name: str, first: Map, second: Map) -> None:
        """Adds the two maps of one image, H x W uint8 of the same size."""
        apart = np.maximum(first, second) - np.minimum(first, second)
        self.counts += np.bincount(apart.ravel(), minlength=256)
        if not self.largest[1] or int(apart.max()) > self.largest[0]:
            self.largest = int(apart.max()), name
        edge = _edges(first) | _edges(second)
        self.edges += int(edge.sum())
        self.at_edges += int((edge & (apart >= _SLIGHT)).sum())

    @property
    def pixels(self) -> int:
        """The number of pixels of all maps."""
        return int(self.counts.sum())

    def share(self, least: int, below: int = 256) -> float:
        """The share of pixels, 0..1, that are at least `least` and fewer than `below` levels apart."""
        return float(self.counts[least:below].sum() / max(1, self.pixels))

    @property
    def shares(self) -> dict[str, float]:
        """The share of pixels of each class of differences."""
        starts = [*CLASSES.values(), 256]
        return {name: self.share(starts[i], starts[i + 1]) for i, name in enumerate(CLASSES)}

    @property
    def advice(self) -> str:
        """What differences of this kind usually come from; empty where they are of no such kind.

        The bounds follow from eight pictures of SOD by `basnet-tiny` (docs/reports.md).
        """
        far = self.share(_FAR)
        slight = int(self.counts[_SLIGHT:].sum())
        if not slight:
            return "no pixel is more than 1 level apart: rounding" if self.share(1) else ""
        if far < 0.005 and self.largest[0] <= 32:
            return "differences of this size are those of another precision (bf16, fp16, TF32)"
        if far >= 0.005 and self.at_edges > 0.6 * slight:
            return "most differences lie at edges: check the resampling of the map to the image's size"
        if far >= 0.02:
            return (
                "whole regions are apart: check the normalisation (mean, std, scaling, order of channels), "
                "the size and the resampling of the input, and that both have the same weights"
            )
        return ""


def _edges(levels: Map) -> npt.NDArray[np.bool_]:
    """The pixels of which a neighbour above, below, left or right is `_EDGE` levels away or more."""
    edge = np.zeros(levels.shape, bool)
    signed = levels.astype(np.int16)
    down = np.abs(np.diff(signed, axis=0)) >= _EDGE
    across = np.abs(np.diff(signed, axis=1)) >= _EDGE
    edge[1:] |= down
    edge[:-1] |= down
    edge[:, 1:] |= across
    edge[:, :-1] |= across
    return edge
