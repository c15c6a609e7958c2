"""Quantities that depend on the mask only, computed once and reused for every map scored against it."""

import math
import threading
from collections import OrderedDict
from dataclasses import dataclass
from functools import cache, cached_property
from typing import Any

import numpy as np
from numpy.typing import DTypeLike, NDArray

from sodbench.metrics.kernels import bits, distance, weighting

CACHE_BYTES = 256 * 2**20
MOST_SCRATCH = 64 * 2**20  # bytes of one use that a thread keeps


@dataclass(frozen=True)
class BinaryMask:
    """A mask after its threshold: 0 and 255, the same packed, and the numbers of `bits.position`."""

    truth: NDArray[np.uint8]
    packed: NDArray[np.uint64]
    where: NDArray[np.int64]


def binarise(grey: NDArray[np.uint8], least: int) -> BinaryMask:
    """The object where the mask is at least `least` (256: nowhere)."""
    packed = np.empty((grey.shape[0], words(grey.shape[1])), np.uint64)
    where = np.empty(7, np.int64)
    if 0 < least < 256 and bits.read_binary_mask(grey, packed, where):
        return BinaryMask(grey, packed, where)
    truth = np.empty_like(grey)
    bits.read_mask(grey, least, truth, packed, where)
    return BinaryMask(truth, packed, where)


def words(width: int) -> int:
    """How many 64-bit words hold a row of pixels."""
    return (width + 63) // 64


def padded_width(width: int) -> int:
    """The width of an image with a margin of 3 and its columns up to whole words."""
    return 64 * words(width) + 8


@dataclass(frozen=True)
class Distances:
    """Distances from the background to the object.

    `vertical`: distance within the column, for the columns with object pixels, in multiples of 16 from `left`
    on; `band` and `nearest`: flat indices of the background pixels near the object (in a padded image) and of
    the object pixel nearest to each (in the image itself); `squared`: squared distances, up to whole words,
    valid where `known` (a bit for 4 rows of 16 pixels) says so.
    """

    vertical: NDArray[np.uint16]
    left: int
    band: NDArray[np.int32]
    nearest: NDArray[np.int32]
    squared: NDArray[np.uint16]
    known: NDArray[np.uint8]


class MaskWork:
    """What a binary mask's metrics need of it, each computed when first asked for.

    The kernels of the further metrics are imported where they are used: they take .3 s to load.
    """

    def __init__(self, mask: BinaryMask, use: str | None = None) -> None:
        """Keeps the packed pixels only; with `use`, in memory that the next work of the thread uses again."""
        self._use = use
        self.bits = mask.packed
        self.height, self.width = mask.truth.shape
        self.n = mask.truth.size
        self.where = mask.where
        self.n_object, rows, columns = mask.where[:3].tolist()
        # the object's mean row and column, counted from 0; the middle for an empty mask
        self.mean_row = rows / self.n_object if self.n_object else self.height / 2
        self.mean_column = columns / self.n_object if self.n_object else self.width / 2
        self.lock = threading.Lock()
        self._distances: Distances | None = None
        self._quadrants: dict[tuple[int, int], tuple[NDArray[np.int64], NDArray[np.int64]]] = {}
        self._boundaries: dict[bool, tuple[NDArray[np.uint64], int]] = {}
        self._gaussians: dict[float, NDArray[np.float64]] = {}
        self._windows: dict[tuple[bool, bool, int], NDArray[np.uint64]] = {}

    def centre(self, rounding: str) -> tuple[int, int]:
        """Rows above and columns left of the S-measure's cut: the rounded mean position, plus one."""
        if rounding == "half-even":
            row, column = round(self.mean_row), round(self.mean_column)
        else:
            row, column = int(self.mean_row + 0.5), int(self.mean_column + 0.5)
        return min(row + 1, self.height), min(column + 1, self.width)

    def quadrants(self, row: int, column: int) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
        """The number of pixels and of object pixels in each of the four quadrants cut there."""
        sizes = self._quadrants.get((row, column))
        if sizes is None:
            inside = np.empty(4, np.int64)
            bits.quadrant_sizes(self.bits, row, column, inside)
            below, right = self.height - row, self.width - column
            sizes = (np.array([row * column, row * right, below * column, below * right]), inside)
            self._quadrants[row, column] = sizes
        return sizes

    def distances(self, truth: NDArray[np.uint8]) -> Distances:
        """Distances of the background to the object; `truth` is this mask as 0 and 255, and has an object."""
        if self._distances is None:
            first, last, left, right = self.where[3:].tolist()
            left = left // 16 * 16
            columns = (right - left) // 16 * 16 + 16
            vertical = self._array("vertical", (self.height, columns))
            near = min(last + 5, self.height) - max(first - 4, 0), 64 * words(columns + 8)
            band, nearest = distance.locate(
                truth,
                self.where,
                padded_width(self.width),
                vertical,
                scratch("keys", near, np.uint16),
                scratch("band", (near[0], words(columns + 8)), np.uint64),
            )
            squared = self._array("squared", (self.height, 64 * words(self.width)))
            known = np.zeros(self.bits.shape, np.uint8)
            self._distances = Distances(vertical, left, band, nearest, squared, known)
        return self._distances

    def _array(self, what: str, shape: tuple[int, int]) -> NDArray[np.uint16]:
        if self._use is None:
            return np.empty(shape, np.uint16)
        return scratch(what + self._use, shape, np.uint16)

    def boundary(self, square: bool) -> tuple[NDArray[np.uint64], int]:
        """The object's inner boundary, packed (3 x 3 erosion by a cross or a square), and its length."""
        boundary = self._boundaries.get(square)
        if boundary is None:
            edge = np.empty_like(self.bits)
            boundary = (edge, bits.inner_boundary(self.bits, self.width, square, edge))
            self._boundaries[square] = boundary
        return boundary

    def boundary_window(self, square: bool, disk: bool, radius: int) -> NDArray[np.uint64]:
        """All pixels within the window of a boundary pixel, packed."""
        key = (square, disk, radius)
        window = self._windows.get(key)
        if window is None:
            window = np.empty_like(self.bits)
            bits.spread(self.boundary(square)[0], self.width, disk, radius, window)
            self._windows[key] = window
        return window

    @cached_property
    def edge_grids(self) -> tuple[NDArray[np.uint64], NDArray[np.int64]]:
        """The grids of 1 to 512 pixels whose cells hold an edge of the object, and the cells' numbers."""
        from sodbench.metrics.kernels import grids

        turned = np.empty_like(self.bits)
        grids.turn(self.bits, self.width, turned)
        cells = np.empty(grids.room(self.height, self.width), np.uint64)
        counts = np.empty(grids.SCALES, np.int64)
        grids.edge_grids(turned, self.width, cells, counts)
        return cells, counts

    @cached_property
    def object_boxes(self) -> NDArray[np.int64]:
        """The boxes of the objects of 50 pixels and more, else of the largest ones: K x 4.

        First row, the row after the last, the same for columns. One box, the image, without any object or
        without any background.
        """
        from sodbench.metrics.kernels import objects

        if self.n_object in (0, self.n):
            return np.array([[0, self.height, 0, self.width]])
        found = objects.find(self.bits, self.width)
        areas = found[:, 0]
        return np.ascontiguousarray(found[areas >= min(50, int(areas.max())), 1:])

    @cached_property
    def skeleton(self) -> NDArray[np.uint64]:
        """The object's skeleton, packed."""
        from sodbench.metrics.kernels import thinning

        skeleton = np.empty_like(self.bits)
        thinning.skeleton(self.bits, thinning.removable(), skeleton)
        return skeleton

    def gaussian_window(self, alpha: float) -> NDArray[np.float64]:
        """The Gaussian of the object's shape, of total deviation `alpha`; LinAlgError without any."""
        from sodbench.metrics.gaussian import gaussian_window

        window = self._gaussians.get(alpha)
        if window is None:
            rows, columns = int(self.where[1]), int(self.where[2])
            window = gaussian_window(self.bits, self.n_object, rows, columns, alpha)
            self._gaussians[alpha] = window
        return window

    @property
    def size_in_bytes(self) -> int:
        """The approximate memory of everything that may be asked for."""
        return 11 * 64 * self.bits.size // 2


class MaskCache:
    """The most recently used masks' work, limited in bytes; safe to share between threads."""

    def __init__(self, limit: int = CACHE_BYTES) -> None:
        """`limit` is in bytes; the least recently used work goes first."""
        self._limit = limit
        self._held = 0
        self._works: OrderedDict[tuple[int, ...], MaskWork] = OrderedDict()
        self._lock = threading.Lock()

    def work(self, mask: BinaryMask) -> MaskWork:
        """The work of this mask: that of an earlier mask of the same pixels, or new work."""
        # the extent, a cheap key, nearly always tells masks apart; of two that share it the later one is kept
        key = (*mask.truth.shape, *mask.where.tolist())
        with self._lock:
            known = self._works.get(key)
            if known is not None:
                if np.array_equal(known.bits, mask.packed):
                    self._works.move_to_end(key)
                    return known
                self._held -= self._works.pop(key).size_in_bytes
            work = self._works[key] = MaskWork(mask)
            self._held += work.size_in_bytes
            while self._held > self._limit and len(self._works) > 1:
                _, old = self._works.popitem(last=False)
                self._held -= old.size_in_bytes
        return work


@cache
def shared_masks() -> MaskCache:
    """The cache that scorers use unless they are given another: one for the process."""
    return MaskCache()


class _Scratch(threading.local):
    def __init__(self) -> None:
        self.held: dict[str, NDArray[np.uint64]] = {}
        self.last: dict[str, NDArray[Any]] = {}


_scratch = _Scratch()


def scratch(use: str, shape: tuple[int, ...], dtype: DTypeLike) -> NDArray[Any]:
    """An array of any content for one use; valid until the next call for the same use in this thread.

    Fresh memory has to be mapped page by page, which takes about as long as the kernels that fill it.
    """
    last = _scratch.last.get(use)
    if last is not None and last.shape == shape and last.dtype == dtype:
        return last
    kind = np.dtype(dtype)
    size = math.prod(shape)
    need = (size * kind.itemsize + 7) // 8
    if 8 * need > MOST_SCRATCH:
        return np.empty(shape, dtype)
    held = _scratch.held.get(use)
    if held is None or held.size < need:
        held = _scratch.held[use] = np.empty(need, np.uint64)
    array: NDArray[Any] = held[:need].view(kind)[:size].reshape(shape)
    _scratch.last[use] = array
    return array


@cache
def distance_weight() -> NDArray[np.float64]:
    """exp(ln .5 / 5 d) indexed by the squared distance d^2; 0 in the object and at capped distances."""
    weight = np.exp(np.log(0.5) / 5 * np.sqrt(np.arange(weighting.LIMIT + 1.0)))
    weight[0] = 0.0
    weight[-1] = 0.0
    return np.asarray(weight)
