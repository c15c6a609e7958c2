"""Everything that follows from a mask alone, computed once and used for every map scored against it."""

import threading
from collections import OrderedDict
from functools import cache, cached_property

import numpy as np
from numpy.typing import NDArray

from sodbench.metrics.kernels import boundary, distance

CACHE_BYTES = 256 * 2**20


class MaskWork:
    """A binary mask with its centre, distances and boundaries, each computed when first asked for."""

    def __init__(self, binary: NDArray[np.uint8]) -> None:
        """Takes the mask as uint8 zeros and ones, H x W, C order."""
        self.binary = binary
        self.height, self.width = binary.shape
        self.n = binary.size
        self.n_object = int(np.count_nonzero(binary))
        self._spread: dict[tuple[bool, bool, int], NDArray[np.uint8]] = {}

    @cached_property
    def mean_position(self) -> tuple[float, float]:
        """The object's mean row and column, counted from 0; the middle for an empty mask."""
        if self.n_object == 0:
            return self.height / 2, self.width / 2
        rows = np.einsum("ij->i", self.binary, dtype=np.int64)
        columns = np.einsum("ij->j", self.binary, dtype=np.int64)
        row = int(rows @ np.arange(self.height)) / self.n_object
        column = int(columns @ np.arange(self.width)) / self.n_object
        return row, column

    def centre(self, rounding: str) -> tuple[int, int]:
        """Rows above and columns left of the S-measure's cut: the rounded mean position, plus one."""
        row, column = self.mean_position
        if rounding == "half-even":
            return min(round(row) + 1, self.height), min(round(column) + 1, self.width)
        return min(int(row + 0.5) + 1, self.height), min(int(column + 0.5) + 1, self.width)

    @cached_property
    def distances(self) -> tuple[NDArray[np.uint16], NDArray[np.int32], NDArray[np.int32]]:
        """Squared distances of the background; the band's pixels and the object pixel nearest to each."""
        vertical = np.empty((self.height, self.width), np.uint16)
        distance.vertical_distance(self.binary, vertical)
        squared = np.empty((self.height, self.width), np.uint16)
        distance.squared_distance(self.binary, vertical, _half_reciprocal(self.width), squared)
        room = 4096
        while True:
            pixels = np.empty(room, np.int32)
            nearest = np.empty(room, np.int32)
            found = distance.nearest_in_band(self.binary, vertical, pixels, nearest)
            if found <= room:
                return squared, pixels[:found].copy(), nearest[:found].copy()
            room = found

    @cached_property
    def weight_sum(self) -> float:
        """The sum of the distance weights over the background."""
        return float(distance_weight()[self.distances[0]].sum())

    def boundary(self, square: bool) -> tuple[NDArray[np.uint8], int]:
        """The object's inner boundary (3 x 3 erosion by a cross or a square) and its length in pixels."""
        return self._boundaries[square]

    @cached_property
    def _boundaries(self) -> dict[bool, tuple[NDArray[np.uint8], int]]:
        found = {}
        for square in (False, True):
            edge = np.empty_like(self.binary)
            found[square] = (edge, boundary.inner_boundary(self.binary, square, edge))
        return found

    def boundary_window(self, square: bool, disk: bool, radius: int) -> NDArray[np.uint8]:
        """All pixels within the window of a boundary pixel."""
        key = (square, disk, radius)
        if key not in self._spread:
            out = np.empty_like(self.binary)
            boundary.spread(self.boundary(square)[0], disk, radius, out)
            self._spread[key] = out
        return self._spread[key]

    @property
    def bytes(self) -> int:
        """About how much memory this takes once everything has been asked for."""
        return 6 * self.n


class MaskCache:
    """The most recently used masks' work, limited in bytes; safe to share between threads."""

    def __init__(self, limit: int = CACHE_BYTES) -> None:
        """`limit` is in bytes; the least recently used work goes first."""
        self._limit = limit
        self._held = 0
        self._works: OrderedDict[tuple[int, tuple[int, ...]], MaskWork] = OrderedDict()
        self._lock = threading.Lock()

    def work(self, binary: NDArray[np.uint8]) -> MaskWork:
        """The work of this mask (uint8 zeros and ones): the one at hand if its pixels were seen before."""
        key = (hash(binary.tobytes()), binary.shape)
        with self._lock:
            known = self._works.get(key)
            if known is not None:
                self._works.move_to_end(key)
        if known is not None and np.array_equal(known.binary, binary):
            return known
        work = MaskWork(binary)
        with self._lock:
            former = self._works.pop(key, None)
            if former is not None:
                self._held -= former.bytes
            self._works[key] = work
            self._held += work.bytes
            while self._held > self._limit and len(self._works) > 1:
                _, old = self._works.popitem(last=False)
                self._held -= old.bytes
        return work


@cache
def _half_reciprocal(width: int) -> NDArray[np.float64]:
    table = np.zeros(width + 1)
    table[1:] = 0.5 / np.arange(1, width + 1)
    return table


@cache
def distance_weight() -> NDArray[np.float64]:
    """exp(ln .5 / 5 d) by the squared distance d^2; 0 for the object itself and for capped distances."""
    weight = np.exp(np.log(0.5) / 5 * np.sqrt(np.arange(distance.LIMIT + 1.0)))
    weight[0] = 0.0
    weight[-1] = 0.0  # below 1e-15
    return np.asarray(weight)
