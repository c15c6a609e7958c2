"""The vector registers of the kernels, compiled, against numpy: wrapping round, order of bits, both ends."""

from typing import Any

import numba
import numpy as np
import pytest

from sodbench.metrics import lanes, real_lanes

pytestmark = pytest.mark.skipif(bool(numba.config.DISABLE_JIT), reason="numba compiles nothing")
DRAW = np.random.default_rng(0)


def numbers(kind: type, size: int) -> np.ndarray:
    """Random numbers, some equal, with the smallest and the largest of their type."""
    info = np.iinfo(kind)
    values = DRAW.integers(0, info.max, size, dtype=kind, endpoint=True)
    values[:4] = 0, info.max, 1, info.max - 1
    values[4 : size // 2] = values[size // 2 : size - 4]
    return DRAW.permutation(values)


def compiled(load: Any, operation: Any) -> Any:
    """Reads from the second place on, so that nothing is aligned, and writes the result there."""
    store = lanes.store

    @numba.njit
    def run(a: Any, b: Any, out: Any) -> None:
        store(out, 1, operation(load(a, 1), load(b, 1)))

    return run


@pytest.mark.parametrize(
    ("load", "kind", "size"),
    [("load_bytes", np.uint8, 64), ("load_wide", np.uint16, 64), ("load", np.uint16, 16)],
)
@pytest.mark.parametrize(
    ("operation", "expected"),
    [
        ("add", np.add),
        ("subtract", np.subtract),
        ("multiply", np.multiply),
        ("either", np.bitwise_or),
        ("lower", np.minimum),
        ("higher", np.maximum),
    ],
)
def test_arithmetic_wraps_round_as_numpys(
    load: str, kind: type, size: int, operation: str, expected: Any
) -> None:
    a, b = numbers(kind, size + 2), numbers(kind, size + 2)
    out = np.full(size + 2, 7, kind)
    compiled(getattr(lanes, load), getattr(lanes, operation))(a, b, out)
    assert np.array_equal(out[1:-1], expected(a, b)[1:-1])
    assert out[0] == out[-1] == 7  # nothing beside it is written


@pytest.mark.parametrize(("operation", "expected"), [("below", np.less), ("differ", np.not_equal)])
@pytest.mark.parametrize(("load", "kind"), [("load_bytes", np.uint8), ("load_wide", np.uint16)])
def test_bit_i_of_a_word_is_that_of_pixel_i(load: str, kind: type, operation: str, expected: Any) -> None:
    read, compare = getattr(lanes, load), getattr(lanes, operation)

    @numba.njit
    def run(a: Any, b: Any) -> Any:
        return compare(read(a, 0), read(b, 0))

    a, b = numbers(kind, 64), numbers(kind, 64)
    b[::3] = a[::3]
    flags = expected(a, b)
    assert flags.any() and not flags.all()
    assert int(run(a, b)) == sum(1 << i for i in range(64) if flags[i])


def test_the_smallest_and_the_largest_of_all() -> None:
    load, smallest, largest = lanes.load, lanes.smallest, lanes.largest

    @numba.njit
    def run(a: Any) -> Any:
        return smallest(load(a, 0)), largest(load(a, 0))

    for _ in range(20):
        a = DRAW.integers(0, 65_536, 16, dtype=np.uint16)
        assert run(a) == (a.min(), a.max())


@pytest.mark.parametrize(
    ("operation", "expected"),
    [
        ("add_reals", np.add),
        ("subtract_reals", np.subtract),
        ("multiply_reals", np.multiply),
        ("lower_reals", np.minimum),
    ],
)
def test_double_precision_is_rounded_as_numpys(operation: str, expected: Any) -> None:
    a, b = DRAW.normal(0, 1e6, 10), DRAW.normal(0, 1e-6, 10)
    out = np.zeros(10)
    compiled(real_lanes.load_reals, getattr(real_lanes, operation))(a, b, out)
    assert np.array_equal(out[1:-1], expected(a, b)[1:-1])


def test_one_value_in_all_places() -> None:
    store, splat, wide, narrow = lanes.store, lanes.splat, lanes.splat_wide, lanes.splat_bytes

    @numba.njit
    def run(a: Any, b: Any, c: Any) -> None:
        store(a, 0, splat(np.uint16(65_535)))
        store(b, 0, wide(np.uint16(258)))
        store(c, 0, narrow(np.uint8(255)))

    a, b, c = np.zeros(16, np.uint16), np.zeros(64, np.uint16), np.zeros(64, np.uint8)
    run(a, b, c)
    assert (a == 65_535).all() and (b == 258).all() and (c == 255).all()


@pytest.mark.parametrize("kind", [np.uint8, np.float64])
def test_pixels_become_double_precision(kind: type) -> None:
    one, two, store = real_lanes.load_as_reals, real_lanes.load_sums_as_reals, lanes.store

    @numba.njit
    def run(a: Any, b: Any, out: Any) -> None:
        store(out[0], 0, one(a, 1))
        store(out[1], 0, two(a, b, 1))

    a, b = (numbers(np.uint8, 10).astype(kind) for _ in range(2))
    b[1] = a[1] = 255
    out = np.zeros((2, 8))
    run(a, b, out)
    assert np.array_equal(out[0], a[1:9])
    assert np.array_equal(out[1], a[1:9].astype(float) + b[1:9])  # 510 does not wrap round


def test_a_word_chooses_numbers_and_knows_its_first_and_last_bit() -> None:
    load, chosen, total = real_lanes.load_reals, real_lanes.chosen, real_lanes.sum_reals
    splat, first, last = real_lanes.splat_reals, lanes.first_set, lanes.last_set

    @numba.njit
    def run(a: Any, word: Any) -> Any:
        return total(chosen(load(a, 0), word)), total(splat(0.5)), first(word), last(word)

    a = np.array([1.0, 2.0, 4.0, 8.0, 16.0, 32.0, 64.0, np.nan])
    assert run(a, np.uint64(0b0110_1001)) == (1 + 8 + 32 + 64, 4.0, 0, 6)
    assert run(a, np.uint64(1 << 63 | 0b0100)) == (4.0, 4.0, 2, 63)  # bits beyond the eighth choose nothing
