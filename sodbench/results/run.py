"""A run: one method scored on one data set, with everything that its scores depend on."""

import json
from collections.abc import Callable, Iterable, Mapping
from dataclasses import asdict, dataclass, field, is_dataclass
from functools import lru_cache
from pathlib import Path
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any, Protocol

from sodbench.arguments import instances
from sodbench.data.locations import known_roots
from sodbench.data.map_files import maps_now
from sodbench.json_text import to_json
from sodbench.results.provenance import Prediction, Provenance
from sodbench.results.recorded_paths import locate
from sodbench.schema import parse

if TYPE_CHECKING:
    import numpy as np
    import pandas as pd

    from sodbench import metrics


class ScoreTableLike(Protocol):
    """A score table: fresh from the scorer (`metrics.ScoreTable`) or read from files (`RecordedTable`)."""

    @property
    def protocol(self) -> Any:
        """The `metrics.Protocol` under which the scores were made."""

    @property
    def scores(self) -> Mapping[str, float]:
        """Data-set scores by plain metric name (`maxF`)."""

    @property
    def per_image(self) -> "pd.DataFrame":
        """One row per image (index `name`), one column per metric."""

    @property
    def curves(self) -> "pd.DataFrame":
        """The data set's curves: index level, columns precision, recall, F, E."""

    @property
    def image_curves(self) -> "Mapping[str, np.ndarray[Any, Any]] | None":
        """float32 arrays images x levels by name (precision, recall, E), where they were kept."""


def conventions(table: ScoreTableLike) -> SimpleNamespace:
    """The fields of a table's protocol as attributes, as they were recorded.

    Unlike `table.protocol` this reads records of any version: what only describes a number needs no more.
    """
    fields = getattr(table, "fields", None)
    if fields is None:
        protocol = table.protocol
        if is_dataclass(protocol) and not isinstance(protocol, type):
            fields = asdict(protocol)
        else:
            fields = vars(protocol)
    # JSON knows no tuples
    return SimpleNamespace(**{k: tuple(v) if isinstance(v, list) else v for k, v in fields.items()})


def protocol_of(table: ScoreTableLike) -> "metrics.Protocol":
    """The protocol of a table of any version: fields unknown today are passed over, new ones are default.

    Raises InputError for a field that holds what no protocol can.
    """
    return _protocol_of(to_json(vars(conventions(table))))


@lru_cache(maxsize=64)
def _protocol_of(fields: str) -> "metrics.Protocol":
    from sodbench.metrics.protocol import Protocol

    return parse(Protocol, json.loads(fields), "protocol", more=True)


def checked_runs(runs: "Iterable[Run]") -> "list[Run]":
    """The runs as a list; InputError for anything else, such as the name of a run."""
    return instances("runs", runs, Run, "Run objects, as load_runs gives them")


def no_facts() -> "pd.DataFrame":
    """An empty table, for runs that know nothing of their images but the scores."""
    import pandas as pd

    return pd.DataFrame()


def known_facts(facts: "pd.DataFrame") -> "pd.DataFrame":
    """What `image_facts` of a fresh run calls; a lambda could not be pickled."""
    return facts


@dataclass(frozen=True)
class Run:
    """One method on one data set; `tables` holds one score table per protocol, by the protocol's name.

    `scored` of `expected` images have a score. `image_facts()` gives one row per image (index `name`):
    height, width (pixels) and object_share (0..1), and image_file and mask_file relative to the data folder.
    `reports` is the folder below which the run is recorded; recorded paths start there. `data_root` is the
    data root of a run that was made just now, None for one that was read.
    """

    name: str
    dataset: str
    title: str
    expected: int
    scored: int
    dataset_digest: str
    weights_sha256: str | None
    tables: Mapping[str, ScoreTableLike]
    provenance: Provenance = field(default_factory=Provenance)
    image_facts: Callable[[], "pd.DataFrame"] = no_facts
    reports: Path | None = None
    data_root: Path | None = None

    @property
    def count(self) -> str:
        """Images scored of images expected, as tables print it: `201/1000`."""
        return f"{self.scored}/{self.expected}"

    @property
    def images(self) -> list[str]:
        """The names of the images that were scored, in the order of the data set."""
        return [str(image) for image in next(iter(self.tables.values())).per_image.index]

    @property
    def maps_kept(self) -> bool:
        """Whether its maps were in files; not so where they were scored from memory (`run --no-maps`)."""
        return self.provenance.origin == "maps" or self.provenance.maps is not None

    @property
    def scored_on(self) -> str:
        """A key that is equal for runs scored on the same images and masks, so that they may be ranked."""
        return f"{self.dataset_digest}:{self.provenance.images_sha256 or self.scored}"

    @property
    def prediction(self) -> Prediction | None:
        """How the maps were predicted; None where they were made elsewhere."""
        then = self.provenance
        if then.origin == "maps":
            return None
        return Prediction(
            baseline=then.baseline or "",
            weights=then.weights,
            weights_sha256=self.weights_sha256,
            precision=then.precision,
            batch=then.batch,
            limit=then.limit,
            device=then.inference_device or "cpu",
            output_kind=then.output_kind,
            provider=then.provider,
            remote_code=then.remote_code,
        )

    def values(self) -> dict[str, float]:
        """All data-set scores by full metric name (`maxF@pysodmetrics`)."""
        return {
            f"{metric}@{protocol}": float(value)
            for protocol, table in self.tables.items()
            for metric, value in table.scores.items()
        }

    def data_folder(self, data_root: Path | str | None = None) -> Path | None:
        """The folder of the data set's images and masks on this machine; it need not exist."""
        return self.locate(self.provenance.data_folder, data_root)

    def maps_folder(self, data_root: Path | str | None = None) -> Path | None:
        """The folder of the run's saliency maps on this machine; it need not exist."""
        return self.locate(self.provenance.maps, data_root)

    def map_files(self, data_root: Path | str | None = None) -> dict[str, Path]:
        """The files of the run's saliency maps that are on this machine, by the name of the image."""
        return maps_now(self.maps_folder(data_root), self.provenance.map_pattern)

    def locate(self, recorded: str | None, data_root: Path | str | None = None) -> Path | None:
        """The path on this machine of a path in the provenance; see `recorded_paths`."""
        roots = known_roots(self.reports or Path("reports"), data_root or self.data_root)
        return locate(recorded, self.reports, roots)

    def __repr__(self) -> str:
        scores = "  ".join(f"{name} {value:.4f}" for name, value in self.values().items())
        return f"<Run {self.name} on {self.dataset}, {self.count} images: {scores}>"

    def _repr_html_(self) -> str:
        """The run as its table row with confidence intervals, for notebooks."""
        from sodbench.reporting.html_table import run_html

        return run_html(self)
