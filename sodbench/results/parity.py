"""What a comparison of two forms of a network, or of two folders of maps, found."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass

from sodbench.text import columns


@dataclass(frozen=True)
class ScoreDifference:
    """One score of both; `image` is the picture's name, empty for the score of the data set."""

    metric: str
    first: float
    second: float
    image: str = ""

    @property
    def difference(self) -> float:
        """How far they are apart; infinite where one of them alone is NaN."""
        apart = abs(self.first - self.second)
        if apart == apart:
            return apart
        return 0.0 if self.first != self.first and self.second != self.second else math.inf

    def __str__(self) -> str:
        return f"{self.metric} {self.difference:.6f} ({self.first:.4f} and {self.second:.4f})"

    def as_json(self) -> dict[str, object]:
        """Plain values."""
        values = {"metric": self.metric, "first": self.first, "second": self.second}
        return {**values, "difference": self.difference, **({"image": self.image} if self.image else {})}


@dataclass(frozen=True, repr=False)
class Parity:
    """What `parity` found.

    shares: the share of pixels (0..1) by the number of levels that they are apart: "0", "1", "2-3", "4-7",
    "8+". largest_levels: the largest difference, in the map of largest_image. scores: the scores of the data
    set. worst_image: the score of one picture that differs most. levels, score: the largest differences that
    are allowed. advice: what such differences usually come from; empty where that is not known.
    """

    first: str
    second: str
    dataset: str
    protocol: str
    images: int
    pixels: int
    shares: Mapping[str, float]
    largest_levels: int
    largest_image: str
    scores: tuple[ScoreDifference, ...]
    worst_image: ScoreDifference
    levels: int
    score: float
    advice: str

    @property
    def largest_score(self) -> ScoreDifference:
        """The score of the data set that differs most."""
        return max(self.scores, key=lambda one: one.difference)

    @property
    def holds(self) -> bool:
        """Whether no pixel and no score of the data set is further apart than is allowed."""
        return not self.problems

    @property
    def problems(self) -> list[str]:
        """What is further apart than is allowed, in words."""
        found = []
        if self.largest_levels > self.levels:
            found.append(f"{_levels(self.largest_levels)}, at most {self.levels} allowed")
        largest = self.largest_score
        if largest.difference > self.score:
            found.append(f"{largest.metric} by {largest.difference:.6f}, at most {self.score:g} is allowed")
        return found

    def as_json(self) -> dict[str, object]:
        """Plain values, as `sodbench compare --parity --json` prints them."""
        return {
            "first": self.first,
            "second": self.second,
            "dataset": self.dataset,
            "protocol": self.protocol,
            "images": self.images,
            "pixels": self.pixels,
            "differing": 1 - self.shares["0"],
            "shares": dict(self.shares),
            "largest_levels": self.largest_levels,
            "largest_image": self.largest_image,
            "scores": [one.as_json() for one in self.scores],
            "largest_score": self.largest_score.as_json(),
            "worst_image": self.worst_image.as_json(),
            "allowed": {"levels": self.levels, "score": self.score},
            "holds": self.holds,
            "advice": self.advice,
        }

    def __str__(self) -> str:
        shares = [f"{100 * share:.4f} %" for share in self.shares.values()]
        table = columns([("levels apart", *self.shares), ("pixels", *shares)], right=range(1, 6))
        lines = [
            f"{self.first} and {self.second} on {self.dataset}: {self.images} images, {self.pixels:,} pixels",
            *table,
            *self._extremes(),
            "parity holds" if self.holds else f"parity does not hold: {'; '.join(self.problems)}",
        ]
        return "\n".join([*lines, *([self.advice] if self.advice and not self.holds else [])])

    __repr__ = __str__

    def _extremes(self) -> list[str]:
        """The largest differences of a pixel, of a score of the data set, of a score of an image."""
        if not self.largest_levels:
            return ["the maps are equal"]
        return [
            f"largest difference: {_levels(self.largest_levels)}, in {self.largest_image}",
            f"largest difference of a score of the data set: {self.largest_score} under {self.protocol}",
            f"worst image: {self.worst_image.image}, {self.worst_image}",
        ]


def _levels(count: int) -> str:
    return f"{count} level{'s' * (count != 1)}"
