"""The record that is in the place of a new one: as much of it as decides whether it may be replaced."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from sodbench.errors import InputError
from sodbench.json_text import read_json
from sodbench.results.dependencies import Parts, prediction_part_of
from sodbench.results.provenance import names_digest


@dataclass(frozen=True)
class FormerRecord:
    """What is compared of the record in `folder`, whatever version wrote it."""

    folder: Path
    dataset_digest: str
    scored: int
    content: Mapping[str, Any]

    @property
    def provenance(self) -> Mapping[str, Any]:
        """Its provenance as run.json holds it."""
        return _table(self.content.get("provenance"))

    @property
    def predicted(self) -> bool:
        """Whether sodbench predicted its maps."""
        origin = "baseline" if self.provenance.get("baseline") else "maps"
        return bool(self.provenance.get("origin", origin) == "baseline")

    @property
    def made_from(self) -> Parts:
        """What its predicted maps depend on; of an older record only its weights."""
        parts = {name: value for name, value in self._parts.items() if isinstance(value, str)}
        weights = self.content.get("weights_sha256")
        return prediction_part_of(parts) or ({"weights": weights} if isinstance(weights, str) else {})

    @property
    def maps_sha256(self) -> str | None:
        """The digest of its maps, where it has one."""
        digest = self.provenance.get("maps_sha256") or self._parts.get("maps")
        return digest if isinstance(digest, str) else None

    @property
    def scores(self) -> list[str]:
        """The full names of its scores (`maxF@pysodmetrics`)."""
        return [
            f"{metric}@{protocol}"
            for protocol, entry in _table(self.content.get("protocols")).items()
            for metric in _table(_table(entry).get("scores"))
        ]

    @property
    def has_image_curves(self) -> bool:
        """Whether it holds the curves of every image."""
        return "image_curves.parquet" in _table(self.content.get("files"))

    @property
    def _parts(self) -> Mapping[str, Any]:
        return _table(self.provenance.get("depends_on"))

    def images_among(self, images: Sequence[str]) -> list[str] | None:
        """The names of its images, which may be the first of `images`; None where they cannot be read."""
        import pyarrow
        import pyarrow.parquet as parquet

        first = [*images[: self.scored]]
        if self.provenance.get("images_sha256") == names_digest(first):
            return first
        try:
            table = parquet.read_table(self.folder / "scores.parquet", columns=["name"])
            return [str(name) for name in table.column("name").to_pylist()]
        except (OSError, KeyError, pyarrow.ArrowException):
            return None


def former_record(folder: Path) -> FormerRecord | None:
    """The record in a folder that a new one is to take; None where there is none that can be read."""
    try:
        content = read_json(folder / "run.json")
        digest, scored = content["dataset_digest"], content["scored"]
    except (InputError, KeyError, TypeError):
        return None
    if not isinstance(digest, str) or type(scored) is not int:
        return None
    return FormerRecord(folder, digest, scored, content)


def _table(value: object) -> Mapping[str, Any]:
    return value if isinstance(value, Mapping) else {}
