"""A shard: every n-th image of a data set, so that n processes share the work of one run.

Shards are counted from 1. Shard 3/16 of a data set holds its images 3, 19, 35 and so on; the shards of a data
set are disjoint, cover it, and differ by one image at most. With more shards than images some are empty.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TypeVar

from sodbench.arguments import SHARDS
from sodbench.errors import InputError, shown

T = TypeVar("T")

MOST = SHARDS.most  # shards of one data set


@dataclass(frozen=True, order=True)
class Shard:
    """Shard `number` of `count`, counted from 1."""

    number: int
    count: int

    def __post_init__(self) -> None:
        """Raises InputError for a number that is not within 1 and the count."""
        whole = all(type(value) is int for value in (self.number, self.count))
        if not whole or not 1 <= self.number <= self.count <= MOST:
            raise _no_shard(f"{self.number}/{self.count}")

    @classmethod
    def parse(cls, text: str | Shard) -> Shard:
        """The shard that "3/16" names; raises InputError for anything else."""
        if isinstance(text, Shard):
            return text
        found = re.fullmatch(r"([0-9]{1,7})/([0-9]{1,7})", text) if isinstance(text, str) else None
        if found is None:
            raise _no_shard(text)
        return cls(int(found[1]), int(found[2]))

    def of(self, samples: Sequence[T]) -> list[T]:
        """The samples of this shard, in their order."""
        return list(samples[self.number - 1 :: self.count])

    def __str__(self) -> str:
        """`3/16`, as `parse` reads it."""
        return f"{self.number}/{self.count}"

    @property
    def folder(self) -> str:
        """The name of the shard's folder: `3-of-16`."""
        return f"{self.number}-of-{self.count}"


def _no_shard(found: object) -> InputError:
    return InputError(
        f"shard {shown(found)}: expected NUMBER/COUNT with a number from 1 to the count, such as 3/16;"
        f" at most {MOST} shards"
    )
