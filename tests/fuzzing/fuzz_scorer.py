"""The scorer against pysodmetrics: one map and one mask, of any accepted type and up to 64 x 64 pixels.

The first byte chooses the type of the map, the second how map and mask are made of the rest: byte 2 and 3
are height and width less one, the others the values, half for the map, half for the mask.
"""

import contextlib
from typing import Any

import numpy as np
from numpy.typing import NDArray

from sodbench.errors import InputError
from sodbench.metrics import Scorer
from sodbench.metrics.plain.package import s_is_left_to_chance, standard_five

TOLERANCE = 1e-6
TYPES = ("uint8", "bool", "float64", "float32", "float16", "uint16", "int64", "complex128")
REFUSED = ("uint16", "int64", "complex128")
SCORER = Scorer("pysodmetrics", ["MAE", "F", "E", "S", "wF"])


def one_input(data: bytes) -> None:
    """Asserts that both give the same scores and curves to 1e-6, or that the scorer refuses the input."""
    if len(data) < 5:
        return
    kind = TYPES[data[0] % len(TYPES)]
    saliency_map, mask = pair_of(kind, data[1], data[2:])
    if kind in REFUSED or (mask.dtype == np.uint8 and mask.max() == 1):
        with contextlib.suppress(InputError):
            SCORER.measure(saliency_map, mask, "image")
            raise AssertionError(f"a map of {kind} and a mask up to {mask.max()} were not refused")
        return
    found = SCORER.measure(saliency_map, mask, "image")
    columns, curves = expected(saliency_map, mask)
    differences = {name: abs(found.columns[name] - value) for name, value in columns.items()}
    differences |= {name: float(np.abs(found.curves[name] - line).max()) for name, line in curves.items()}
    tolerance = TOLERANCE + rounding(saliency_map)
    wrong = {name: value for name, value in differences.items() if not value <= tolerance}
    assert not wrong, f"{kind} {saliency_map.shape}: {', '.join(wrong)} differ by {max(wrong.values())}"


def rounding(saliency_map: NDArray[Any]) -> float:
    """What the package's stretching of a map of a narrow range leaves of a value's precision."""
    low, high = float(saliency_map.min()), float(saliency_map.max())
    if saliency_map.dtype.kind != "f" or high == low:
        return 0.0
    return float(np.finfo(saliency_map.dtype).eps) * high / (high - low)


def pair_of(kind: str, style: int, data: bytes) -> tuple[NDArray[Any], NDArray[Any]]:
    """A map of a type and a mask, uint8 or bool, in pixels or in blocks of them."""
    shape = 1 + data[0] % 64, 1 + data[1] % 64
    values = np.frombuffer(data[2:], np.uint8)
    half = (len(values) + 1) // 2
    block = (1, 2, 3, 7)[style % 4]
    grey = spread(values[:half], shape, block)
    mask: NDArray[Any] = spread(values[half:] if half < len(values) else values[:half], shape, block)
    if style & 4:
        mask = mask > 128
    elif style & 8:
        mask = np.where(mask > 128, 255, 0).astype(np.uint8)
    if kind == "bool":
        return grey > 128, mask
    if kind.startswith("float"):
        # levels of 8 bits, or values between them
        fine = grey * 256.0 + np.roll(grey, 1) if style & 16 else grey * 257.0
        return (fine / 65535).astype(kind), mask
    return grey.astype(kind), mask


def spread(values: NDArray[np.uint8], shape: tuple[int, int], block: int) -> NDArray[np.uint8]:
    """The bytes, repeated as needed, as blocks of pixels."""
    cells = np.resize(values, (-(-shape[0] // block), -(-shape[1] // block)))
    return np.ascontiguousarray(np.kron(cells, np.ones((block, block), np.uint8))[: shape[0], : shape[1]])


def expected(saliency_map: NDArray[Any], mask: NDArray[Any]) -> tuple[dict[str, float], dict[str, Any]]:
    """What the package finds, without what it leaves to chance.

    The package takes every map for 0..255. A float map is given to it as it is, since both are stretched;
    a constant one, which cannot be, as x itself. Its levels are those of the precision of the values, its
    means and deviations are taken in double precision: in single precision they hold six digits.
    """
    if saliency_map.dtype == np.bool_:
        saliency_map = saliency_map.astype(np.uint8) * np.uint8(255)
    truth = mask if mask.dtype == np.bool_ else mask > 128
    if saliency_map.dtype == np.uint8:
        columns, curves = standard_five(saliency_map, truth * np.uint8(255))
    else:
        double = saliency_map.astype(np.float64)
        own = double.astype(np.float32)
        own = own if np.array_equal(own, double) else double
        constant = double.min() == double.max()
        given = truth if constant else truth * np.uint8(255)
        columns, curves = standard_five(own, given, not constant)
        precise, _ = standard_five(double, given, not constant)
        columns |= {name: precise[name] for name in ("MAE", "S", "wF")}
        saliency_map = double
    if s_is_left_to_chance(saliency_map, truth):
        del columns["S"]
    if saliency_map.size == 1:
        columns = {name: value for name, value in columns.items() if not name.endswith("E") or name == "MAE"}
        del curves["E"]
    return columns, curves


def seeds() -> list[bytes]:
    """Every type, as pixels and as blocks, with masks of every kind; empty, full and constant ones."""
    ramp = bytes(range(0, 256, 3)) + bytes(255 - value for value in range(0, 256, 3))
    bodies = (ramp, bytes(40), bytes(20) + b"\xff" * 20, b"\xff" * 20 + bytes(20), b"\x4d" * 20 + ramp[:20])
    return [
        bytes((kind, style, 16 + kind, 20 + style % 9)) + body
        for kind in range(len(TYPES))
        for style in (0, 5, 10, 19, 27)
        for body in bodies
    ] + [bytes((kind, 8, 0, 0)) + b"\x4d\xff" for kind in range(5)]
