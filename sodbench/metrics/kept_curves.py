"""The curves of every image of a data set: in memory while they are few, in a temporary file beyond that."""

import errno
import tempfile
from collections.abc import Iterator, Mapping
from typing import IO, Any

import numpy as np
from numpy.typing import NDArray

from sodbench.errors import InputError

Rows = NDArray[np.float32]

BLOCK = 1024  # rows that are put together, which takes less memory than single arrays
IN_MEMORY = 32 * 2**20  # bytes of all curves together; a set of 10,000 images stays in memory


class KeptCurves(Mapping[str, Rows]):
    """Curves by name, each images x levels, float32, added image by image.

    Beyond `in_memory` bytes the rows lie in a file without a name, which goes with the object; such curves
    are mapped, not read, where they are asked for. Raises InputError where the temporary folder is full.
    """

    def __init__(self, in_memory: int = IN_MEMORY) -> None:
        """`in_memory` is how many bytes of curves, of all names together, are held in memory."""
        self._limit = in_memory
        self._columns: dict[str, _Column] = {}

    @classmethod
    def of(cls, curves: Mapping[str, Rows]) -> "KeptCurves":
        """Curves that are there already, images x levels each."""
        kept = cls()
        for name, rows in curves.items():
            for curve in rows:
                kept.add(name, curve)
        return kept

    def add(self, name: str, curve: NDArray[Any]) -> None:
        """Adds the curve of one more image."""
        column = self._columns.setdefault(name, _Column())
        column.add(curve.astype(np.float32))
        if sum(one.held for one in self._columns.values()) > self._limit:
            for one in self._columns.values():
                one.to_file()

    def extend(self, other: "KeptCurves") -> None:
        """Adds all images of another, which is not changed."""
        for name in other:
            for rows in other._columns[name].pieces(BLOCK):
                for curve in rows:
                    self.add(name, curve)

    def so_far(self) -> "KeptCurves":
        """The curves added until now; what is added later does not change them."""
        copy = KeptCurves(self._limit)
        copy._columns = {name: column.so_far() for name, column in self._columns.items()}
        return copy

    def pieces(self, rows: int) -> Iterator[dict[str, Rows]]:
        """The curves of `rows` images at a time, in order."""
        parts = [column.pieces(rows) for column in self._columns.values()]
        for piece in zip(*parts, strict=True):
            yield dict(zip(self._columns, piece, strict=True))

    def __getitem__(self, name: str) -> Rows:
        return self._columns[name].whole()

    def __iter__(self) -> Iterator[str]:
        return iter(self._columns)

    def __len__(self) -> int:
        return len(self._columns)

    def __getstate__(self) -> dict[str, Any]:
        """The arrays themselves: a file cannot be sent to another process."""
        return {"limit": self._limit, "curves": {name: np.asarray(self[name]) for name in self}}

    def __setstate__(self, state: dict[str, Any]) -> None:
        self.__init__(state["limit"])  # type: ignore[misc]
        for name, rows in state["curves"].items():
            for curve in rows:
                self.add(name, curve)


def in_pieces(curves: Mapping[str, Rows], rows: int) -> Iterator[dict[str, Rows]]:
    """The curves of `rows` images at a time, in order, without reading those of a file as a whole."""
    if isinstance(curves, KeptCurves):
        yield from curves.pieces(rows)
        return
    count = max(map(len, curves.values()), default=0)
    for first in range(0, count, rows):
        yield {name: values[first : first + rows] for name, values in curves.items()}


class _Column:
    """The rows of one curve: those in the file, then blocks, then single rows."""

    def __init__(self) -> None:
        self.levels = 0
        self.file: IO[bytes] | None = None
        self.filed = 0  # rows in the file
        self.blocks: list[Rows] = []
        self.single: list[Rows] = []
        self.held = 0  # bytes in memory

    def add(self, curve: Rows) -> None:
        self.levels = curve.size
        self.held += curve.nbytes
        self.single.append(curve)
        if len(self.single) == BLOCK:
            self.blocks.append(np.stack(self.single))
            self.single = []

    def to_file(self) -> None:
        """Moves everything that is in memory to the end of the file.

        A copy of `so_far` has the same file: it writes the same rows to the same place.
        """
        try:
            if self.file is None:
                self.file = tempfile.TemporaryFile(prefix="sodbench-curves-")  # noqa: SIM115
            self.file.seek(4 * self.levels * self.filed)
            for rows in self._in_memory():
                self.file.write(rows.tobytes())
                self.filed += len(rows)
            self.file.flush()
        except OSError as error:
            if error.errno not in (errno.ENOSPC, errno.EDQUOT):
                raise
            raise InputError(
                f"{tempfile.gettempdir()}: no space left for the curves of the images; make room, name "
                "another folder by the variable TMPDIR, or score with --no-image-curves"
            ) from error
        self.blocks, self.single, self.held = [], [], 0

    def so_far(self) -> "_Column":
        copy = _Column()
        copy.levels, copy.file, copy.filed = self.levels, self.file, self.filed
        copy.blocks, copy.held = list(self._in_memory()), self.held
        return copy

    def pieces(self, rows: int) -> Iterator[Rows]:
        start = 0
        waiting: list[Rows] = []
        for part in self._parts():
            while len(part):
                taken, part = part[: rows - start], part[rows - start :]
                waiting.append(taken)
                start += len(taken)
                if start == rows:
                    yield np.concatenate(waiting)
                    waiting, start = [], 0
        if waiting:
            yield np.concatenate(waiting)

    def whole(self) -> Rows:
        if self.file is None:
            held = list(self._in_memory())
            self.blocks, self.single = [held[0] if len(held) == 1 else np.concatenate(held)], []
            return self.blocks[0]
        if self.held:
            self.to_file()
        shape = (self.filed, self.levels)
        return np.memmap(self.file, dtype=np.float32, mode="r", shape=shape)

    def _parts(self) -> Iterator[Rows]:
        """All rows, those of the file read block by block: mapped ones would stay in memory."""
        for first in range(0, self.filed, BLOCK):
            count = min(BLOCK, self.filed - first)
            assert self.file is not None  # nosec B101 # for the type checker
            self.file.seek(4 * self.levels * first)
            content = self.file.read(4 * self.levels * count)
            yield np.frombuffer(content, dtype=np.float32).reshape(count, self.levels)
        yield from self._in_memory()

    def _in_memory(self) -> Iterator[Rows]:
        yield from self.blocks
        if self.single:
            yield np.stack(self.single)
