"""What a run record holds: one method on one data set, with everything its scores depend on."""

from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass, field, is_dataclass
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any, Protocol

if TYPE_CHECKING:
    import numpy as np
    import pandas as pd

# raised when what is written changes; load.MIGRATIONS says how older records are read
SCHEMA = 1


class ScoreTableLike(Protocol):
    """A score table, fresh from the scorer (`metrics.ScoreTable`) or read back (`recorded.RecordedTable`)."""

    @property
    def protocol(self) -> Any:
        """The `metrics.Protocol` under which the scores were made."""

    @property
    def scores(self) -> Mapping[str, float]:
        """Data-set values by plain metric name (`maxF`)."""

    @property
    def per_image(self) -> "pd.DataFrame":
        """One row an image (index `name`), a column a metric."""

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


def no_facts() -> "pd.DataFrame":
    """An empty table, for records that know nothing about their images but the scores."""
    import pandas as pd

    return pd.DataFrame()


@dataclass(frozen=True)
class Run:
    """One method on one data set; `tables` holds a score table a protocol.

    `image_facts()` gives one row an image (index `name`): height, width and object_share where the scorer
    counted them, image_file and mask_file relative to `provenance["data_folder"]`.
    """

    schema: int
    name: str
    dataset: str
    title: str
    expected: int
    scored: int
    dataset_digest: str
    weights_sha256: str | None
    tables: Mapping[str, ScoreTableLike]
    provenance: dict[str, Any] = field(default_factory=dict)
    efficiency: dict[str, Any] | None = None
    image_facts: Callable[[], "pd.DataFrame"] = no_facts

    @property
    def count(self) -> str:
        """Images scored of images expected, as tables print it: `201/1000`."""
        return f"{self.scored}/{self.expected}"

    @property
    def scored_on(self) -> str:
        """Equal for runs that were scored on the same images and masks, whose scores may be ranked."""
        return f"{self.dataset_digest}:{self.provenance.get('images_sha256', self.scored)}"

    def values(self) -> dict[str, float]:
        """All data-set values by full metric name (`maxF@pysodmetrics`)."""
        return {
            f"{metric}@{protocol}": float(value)
            for protocol, table in self.tables.items()
            for metric, value in table.scores.items()
        }
