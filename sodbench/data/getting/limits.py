"""How much an archive or a download may hold: far above every known set, far below what fills a disk.

The largest sets of pictures measure 1 to 2 MB per pair (UHRSD, 5,920 pairs of 4K pictures), the largest
number of pairs is DUTS-TR's 10,553. An archive may hold several sets.
"""

from dataclasses import dataclass
from pathlib import Path

from sodbench.data.card import Card
from sodbench.data.image_files import printable
from sodbench.errors import InputError

MB, GB = 1 << 20, 1 << 30
RATIO = 200  # unpacked bytes per packed byte; masks stored as BMP reach about 80
PATH, PART, DEPTH = 1000, 255, 32  # bytes of a member's path and of one part of it, number of parts
HEADER = 64 << 10  # bytes of one extended tar header, of which tarfile keeps a copy in memory


@dataclass(frozen=True)
class Limits:
    """What one archive may hold: members, bytes of one of them, and bytes of all, packed or unpacked."""

    members: int = 300_000
    member: int = 2 * GB
    total: int = 128 * GB
    free: int = 256 * MB  # below this no ratio is asked for

    def unpacked(self, packed: int) -> int:
        """The bytes that an archive of `packed` bytes may hold."""
        return min(self.total, max(self.free, RATIO * packed))


def limits_of(card: Card) -> Limits:
    """The limits of a set's archives, by its number of pairs."""
    return Limits(members=100_000 + 20 * card.expected, total=8 * GB + 16 * MB * card.expected)


def refused(archive: Path, name: str, why: str) -> InputError:
    """The error for an archive that holds what it should not; a name that is too long is cut."""
    short = name if len(name) <= 200 else f"{name[:200]}..."
    return InputError(f"{archive}: refused, it holds {why}: '{printable(short)}'; nothing was unpacked")
