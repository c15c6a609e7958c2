"""What came of scoring a tree of maps: the runs, the folders that failed, what was left out."""

from __future__ import annotations

from dataclasses import dataclass
from html import escape
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from sodbench.results.run import Run


@dataclass(frozen=True)
class FailedFolder:
    """A folder of maps that could not be scored: its method, its data set, and why."""

    name: str
    dataset: str
    folder: Path
    problem: str

    def __str__(self) -> str:
        return f"{self.name} on {self.dataset} was not scored: {self.problem}"


@dataclass(frozen=True)
class LeftOutFolder:
    """A folder that fits the layout, of a data set that no card knows or that is not on this disk."""

    folder: Path
    reason: str


@dataclass(frozen=True)
class ExtraMaps:
    """The maps of a folder that belong to no image of its data set, by the names of their images."""

    folder: Path
    names: tuple[str, ...]


@dataclass(frozen=True, repr=False)
class TreeScores:
    """What came of a tree of maps: the recorded runs, by method and data set, and what was not scored."""

    runs: tuple[Run, ...]
    failed: tuple[FailedFolder, ...] = ()
    left_out: tuple[LeftOutFolder, ...] = ()
    extra_maps: tuple[ExtraMaps, ...] = ()

    @property
    def summary(self) -> str:
        """How many folders were scored, how many failed, how many were left out."""
        parts = [f"{len(self.runs)} of {len(self.runs) + len(self.failed)} folders of maps were scored"]
        parts += [f"{len(self.left_out)} were left out"] if self.left_out else []
        return "; ".join(parts)

    def __repr__(self) -> str:
        return "\n".join([*map(repr, self.runs), *map(str, self.failed), self.summary])

    def _repr_html_(self) -> str:
        failed = "".join(f"<li>{escape(str(one))}</li>" for one in self.failed)
        runs = "".join(run._repr_html_() for run in self.runs)
        return f"{runs}<p>{escape(self.summary)}</p><ul>{failed}</ul>"
