"""A bound on the memory of work that several threads do at once, whatever the sizes of the pictures."""

from collections.abc import Iterator
from contextlib import contextmanager
from threading import Condition

# of pictures in work; a picture of 4000 x 3000 takes about a tenth
MOST_BYTES = 2**31
# what a picture takes while it is decoded and prepared, or its map while it is written and scored
BYTES_PER_PIXEL = 16


class WorkingMemory:
    """Lets a piece of work begin while all that is under way takes at most `most` bytes.

    A piece that is larger than that is done alone. Safe to use from several threads; a thread must not ask
    again for what it holds.
    """

    def __init__(self, most: int = MOST_BYTES) -> None:
        self._most = most
        self._taken = 0
        self._changed = Condition()

    @contextmanager
    def holding(self, pixels: int) -> Iterator[None]:
        """Waits until there is room for a picture of so many pixels, and holds it."""
        size = pixels * BYTES_PER_PIXEL
        with self._changed:
            self._changed.wait_for(lambda: not self._taken or self._taken + size <= self._most)
            self._taken += size
        try:
            yield
        finally:
            with self._changed:
                self._taken -= size
                self._changed.notify_all()
