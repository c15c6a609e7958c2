"""The size of a published page, its limit, and what to leave out of a page that is too large."""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from sodbench.errors import InputError, shown
from sodbench.reporting.page_parts import FOLDER as PARTS
from sodbench.results.run import Run
from sodbench.text import size_text

UNITS = {"": 1, "b": 1, "kb": 10**3, "mb": 10**6, "gb": 10**9, "kib": 2**10, "mib": 2**20, "gib": 2**30}
_SIZE = re.compile(r"\s*([0-9]{1,12}(?:\.[0-9]{1,6})?)\s*([a-z]*)\s*", re.IGNORECASE)


def size_in_bytes(size: str | int, name: str = "max_size") -> int:
    """A size such as "5MB", "800 kB", "2MiB" or a number, in bytes.

    Raises InputError, which calls it `name`, for anything else.

    >>> size_in_bytes("5MB"), size_in_bytes("1.5 KiB")
    (5000000, 1536)
    """
    match = _SIZE.fullmatch(str(size)) if isinstance(size, str | int) and not isinstance(size, bool) else None
    unit = UNITS.get(match[2].lower()) if match else None
    number = round(float(match[1]) * unit) if match and unit else 0
    if number < 1:
        raise InputError(f"{name} is {shown(size)}, expected a size such as 5MB, 800kB or 2MiB")
    return number


@dataclass(frozen=True)
class PageSize:
    """What a reader loads, in bytes: index.html at once, the rest when it comes into view.

    `parts` are the scores of images in files of their own (`reporting.page_parts`); no limit counts them.
    """

    page: int
    thumbnails: int
    count: int  # of thumbnails
    images: int  # with thumbnails, in the data set with most of them
    parts: int = 0

    @property
    def total(self) -> int:
        """Page and thumbnails together."""
        return self.page + self.thumbnails

    def __str__(self) -> str:
        files = f"{self.count} thumbnails {size_text(self.thumbnails)}" if self.count else "no thumbnails"
        return f"index.html {size_text(self.page)}, {files}"


def page_size(folder: Path) -> PageSize:
    """The size of the page in a folder."""
    files = [path for path in (folder / "gallery").glob("*/*") if path.is_file()]
    parts = [path for path in (folder / PARTS).glob("*/*") if path.is_file()]
    images: dict[Path, set[str]] = {}
    for path in files:
        images.setdefault(path.parent, set()).add(path.name.partition("-")[0])
    return PageSize(
        (folder / "index.html").stat().st_size,
        sum(path.stat().st_size for path in files),
        len(files),
        max(map(len, images.values()), default=0),
        sum(path.stat().st_size for path in parts),
    )


def refuse_too_large(size: PageSize, most: int, gallery: int, runs: Sequence[Run]) -> None:
    """Raises InputError for a page and thumbnails above `most` bytes, with what to leave out."""
    if size.total <= most:
        return
    start = f"the page would take {size_text(size.total)} ({size}), more than {size_text(most)}: "
    larger = f"or allow more, --max-size {-(-size.total // 100_000) / 10:g}MB; nothing was written"
    room = most - size.page
    if room > 0:
        # each of the three groups of the gallery has up to `gallery` images
        now = min(gallery, -(-size.images // 3))
        fewer = min(now - 1, now * room // size.thumbnails)
        kind = f"--gallery {fewer}" if fewer else "all thumbnails, --gallery 0,"
        expected = size.page + size.thumbnails * fewer // max(now, 1)
        keep = f"{kind} makes it about {size_text(expected)}" if fewer else f"leave out {kind}"
        raise InputError(f"{start}{keep}, {larger}")
    largest = max(runs, key=lambda run: run.scored)
    methods = sum(run.dataset == largest.dataset for run in runs)
    raise InputError(
        f"{start}leave out data sets, methods or metrics (--datasets, --methods, --metrics; {largest.dataset}"
        f" takes the most, {methods} methods on {largest.scored} images), {larger}"
    )
