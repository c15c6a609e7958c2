"""The errors of a saliency map as a picture."""

import numpy as np
from numpy.typing import NDArray

Pixels = NDArray[np.uint8]
# Okabe and Ito's blue and vermilion: they differ for every kind of colour vision, and in lightness
FALSE_POSITIVE = (0, 114, 178)
FALSE_NEGATIVE = (230, 110, 0)


def error_overlay(picture: Pixels | None, mask: Pixels, saliency: Pixels) -> Pixels:
    """The errors of a map over the darkened grey picture; H x W x 3, uint8.

    False positives (object in the map only) are blue and false negatives (object in the mask only) orange,
    in proportion to the error. What is object in both is light; the boundary of the mask is a white line.
    `picture` is H x W x 3 or None, `mask` and `saliency` are H x W, all uint8.
    """
    truth = mask.astype(np.float32)[..., None] / 255
    predicted = saliency.astype(np.float32)[..., None] / 255
    ground = np.zeros((*mask.shape, 1), np.float32)
    if picture is not None:
        ground = picture.astype(np.float32).mean(axis=2, keepdims=True)
    false_positive, false_negative = predicted * (1 - truth), truth * (1 - predicted)
    agreed = truth * predicted
    colour = 0.35 * ground * (1 - agreed) + (90 + 0.6 * ground) * agreed
    colour = colour * (1 - 0.75 * (false_positive + false_negative))
    colour = colour + 0.75 * (
        false_positive * np.array(FALSE_POSITIVE, np.float32)
        + false_negative * np.array(FALSE_NEGATIVE, np.float32)
    )
    colour = np.where(boundary(mask)[..., None], 255, colour)
    return np.clip(colour + 0.5, 0, 255).astype(np.uint8)


def boundary(mask: Pixels) -> NDArray[np.bool_]:
    """The object's pixels with a background pixel among their 4 neighbours, H x W.

    Outside the picture there is no background: an object that touches the edge has no boundary there.
    """
    inside = np.pad(mask > 127, 1, mode="edge")
    core = inside[:-2, 1:-1] & inside[2:, 1:-1] & inside[1:-1, :-2] & inside[1:-1, 2:]
    return np.asarray(inside[1:-1, 1:-1] & ~core)
