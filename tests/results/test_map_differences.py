"""The statistics of differences between maps, and what they are taken for."""

import numpy as np
import pytest

from sodbench.results.map_differences import MapDifferences


def disc(radius: float = 20, soft: float = 1.0) -> np.ndarray:
    """A disc of 255 on 0, 100 x 100, with a border `soft` pixels wide."""
    y, x = np.mgrid[:100, :100]
    inside = (radius - np.hypot(y - 50, x - 50)) / soft
    return (np.clip(inside + 0.5, 0, 1) * 255).astype(np.uint8)


def of(first: np.ndarray, second: np.ndarray) -> MapDifferences:
    differences = MapDifferences()
    differences.add("a", first, second)
    return differences


def test_shares_by_levels_and_the_largest() -> None:
    first = np.zeros((2, 10), np.uint8)
    second = np.array([[0, 0, 1, 2, 3, 4, 7, 8, 100, 255], [0] * 10], np.uint8)
    differences = of(second, first)  # differences have no sign
    assert differences.pixels == 20
    expected = {"0": 12 / 20, "1": 1 / 20, "2-3": 2 / 20, "4-7": 2 / 20, "8+": 3 / 20}
    assert differences.shares == pytest.approx(expected)
    assert sum(differences.shares.values()) == pytest.approx(1)
    differences.add("b", first, first)
    assert differences.largest == (255, "a") and differences.pixels == 40
    assert differences.shares["8+"] == pytest.approx(3 / 40)


def test_equal_maps_need_no_advice() -> None:
    differences = of(disc(), disc())
    assert differences.largest == (0, "a") and differences.advice == ""


def test_rounding() -> None:
    second = disc()
    second[::3] = np.where(second[::3] == 0, 1, second[::3])
    assert "at most 1 level" in of(disc(), second).advice or "1 level apart" in of(disc(), second).advice


def test_precision() -> None:
    noise = np.random.default_rng(0).integers(0, 6, (100, 100)).astype(np.uint8)
    assert "precision" in of(disc() // 2 + 6, disc() // 2 + noise + 3).advice


def test_edges() -> None:
    assert "lie at edges" in of(disc(soft=6), disc(soft=8)).advice


def test_regions() -> None:
    second = disc()
    second[10:30, 10:60] = 90
    assert "check the normalisation" in of(disc(), second).advice


def test_a_few_pixels_far_apart_are_taken_for_nothing() -> None:
    second = disc()
    second[:5, :4] = 200
    assert of(disc(), second).advice == ""
