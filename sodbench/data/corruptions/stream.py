"""Random numbers of a corruption, determined by the image's name, the kind and the severity alone.

The bits are those of Philox (Salmon et al., SC 2011), a counter-based generator of fixed definition, whose
raw stream numpy guarantees. Distributions are tables of quantiles made with correctly rounded decimals, so
that no function of the system's mathematical library takes part.
"""

import hashlib
from decimal import Decimal
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from sodbench.data.synthetic.numbers import RandomStream

UNIT = 256  # `normals` are whole numbers of 1/256 standard deviation
_TAIL = 5  # standard deviations that the table of the normal distribution covers
_COUNTS_BITS = 12  # a Poisson distribution is cut into 4096 equally likely parts


class Stream(RandomStream):
    """An endless stream of random numbers for one image, one kind of corruption and one severity."""

    def __init__(self, image: str, kind: str, severity: int) -> None:
        words = f"sodbench corruption\0{image}\0{kind}\0{severity}"
        key = np.frombuffer(hashlib.sha256(words.encode()).digest()[:16], "<u8").astype(np.uint64)
        self._bits: np.random.BitGenerator = np.random.Philox(key=key)

    def words(self, *shape: int) -> NDArray[np.uint16]:
        """An array of whole numbers, 0..65535, all equally likely."""
        count = int(np.prod(shape))
        raw = np.asarray(self._bits.random_raw(-(-count // 4)), np.uint64)
        return raw.astype("<u8").view("<u2")[:count].astype(np.uint16).reshape(shape)

    def normals(self, *shape: int) -> NDArray[np.int64]:
        """Normal numbers of mean 0 in whole numbers of 1/256 standard deviation, at most 4.3 of them."""
        return np.asarray(_normal_quantiles()[self.words(*shape)])

    def counts(self, levels: NDArray[np.uint8], photons: int) -> NDArray[np.int64]:
        """Poisson numbers whose means are `photons` at level 255 and fewer in proportion below."""
        parts = self.words(*levels.shape) >> (16 - _COUNTS_BITS)
        return np.asarray(_poisson_quantiles(photons)[levels, parts], np.int64)


@lru_cache(maxsize=1)
def _normal_quantiles() -> NDArray[np.int64]:
    """The middles of 65536 equally likely parts of the normal distribution."""
    steps = range(-_TAIL * UNIT, _TAIL * UNIT + 1)
    density = [_whole((Decimal(-k * k) / (2 * UNIT * UNIT)).exp() * 2**40) for k in steps]
    below = np.cumsum(np.array(density, np.int64))
    middles = (2 * np.arange(65536, dtype=np.int64) + 1) * (int(below[-1]) >> 17)
    return np.searchsorted(below, middles).astype(np.int64) - _TAIL * UNIT


@lru_cache(maxsize=8)
def _poisson_quantiles(photons: int) -> NDArray[np.uint8]:
    """256 x 4096: the middles of the equally likely parts at each level of 0..255."""
    middles = (2 * np.arange(2**_COUNTS_BITS, dtype=np.int64) + 1) << (39 - _COUNTS_BITS)
    table = np.empty((256, middles.size), np.uint8)
    for level in range(256):
        mean = Decimal(photons * level) / 255
        part = (-mean).exp()
        below, total = [], Decimal(0)
        for count in range(4 * photons + 10):
            total += part
            below.append(_whole(total * 2**40))
            part *= mean / (count + 1)
        table[level] = np.searchsorted(np.array(below, np.int64), middles)
    return table


def _whole(number: Decimal) -> int:
    return int(number.to_integral_value())
