"""Calibration of the map as a probability, pixel by pixel from the definitions."""

import numpy as np
from numpy.typing import NDArray

from sodbench.metrics.family import Columns, Curves
from sodbench.metrics.plain.picture import Picture
from sodbench.metrics.protocol import Protocol

BINS = 15  # of 17 grey values each; 0 belongs to the first (Guo et al. 2017)


def calibration(picture: Picture, protocol: Protocol) -> tuple[Columns, Curves]:
    """The shares of pixels, of their probabilities and of object, bin by bin, and the squared error."""
    probability, truth = picture.map / 255, picture.truth(protocol)
    shares = np.zeros((3, BINS))
    for number in range(BINS):
        here = (picture.map > 17 * number) & (picture.map <= 17 * (number + 1))
        if number == 0:
            here |= picture.map == 0
        shares[0, number] = here.mean()
        shares[1, number] = probability[here].sum() / here.size
        shares[2, number] = truth[here].sum() / here.size
    columns = calibration_errors(shares) | {"Brier": float(((probability - truth) ** 2).mean())}
    return columns, {"binPixels": shares[0], "binProbability": shares[1], "binObject": shares[2]}


def calibration_errors(shares: NDArray[np.float64]) -> Columns:
    """ECE and MCE of 3 x 15 shares of the pixels: all, their probabilities, the object's."""
    expected, largest = 0.0, 0.0
    for pixels, probability, objects in shares.T:
        if pixels:
            error = abs(probability / pixels - objects / pixels)
            expected += pixels * error
            largest = max(largest, error)
    return {"ECE": float(expected), "MCE": float(largest)}
