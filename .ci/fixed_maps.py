"""Writes a saliency map for every mask of the sample, the same pixels everywhere.

    python .ci/fixed_maps.py DIR

The drift gate scores them, so that a metric that moves is seen apart from a network that moves. They are
soft, misplaced and noisy, so that every metric has something to measure; integer arithmetic only.
"""

import sys
from pathlib import Path

import numpy as np
from PIL import Image

from sodbench.data.folder import open_dataset


def blurred(values: np.ndarray, radius: int) -> np.ndarray:
    """Box mean along both axes, rounded down."""
    for axis in (0, 1):
        pad = [(radius + 1, radius) if a == axis else (0, 0) for a in (0, 1)]
        total = np.cumsum(np.pad(values, pad, mode="edge"), axis=axis)
        count = values.shape[axis]
        width = 2 * radius + 1
        values = (
            np.take(total, range(width, width + count), axis) - np.take(total, range(count), axis)
        ) // width
    return values


def main() -> None:
    """One map a sample."""
    folder = Path(sys.argv[1])
    folder.mkdir(parents=True, exist_ok=True)
    for number, sample in enumerate(open_dataset("sample").samples):
        mask = np.asarray(Image.open(sample.mask).convert("L"), np.int64)
        y, x = np.mgrid[: mask.shape[0], : mask.shape[1]]
        shifted = np.roll(mask, (number % 7 - 3, number % 5 - 2), (0, 1))
        soft = blurred(shifted, 2 + number % 9)
        noise = ((x * 73 + y * 151 + number * 31) * 2654435761 >> 16) % 64
        levels = np.clip(soft * 3 // 4 + noise - 8, 0, 255).astype(np.uint8)
        Image.fromarray(levels).save(folder / f"{sample.name}.png")


if __name__ == "__main__":
    main()
