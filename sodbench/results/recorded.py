"""A score table read back from a record; its parquet files are opened only when somebody asks for them."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

from sodbench.errors import InputError

if TYPE_CHECKING:
    import numpy as np
    import pandas as pd


@dataclass(frozen=True)
class RecordedTable:
    """The scores of one protocol in the record `folder`, with the attributes of `metrics.ScoreTable`."""

    name: str
    fields: Mapping[str, Any]
    scores: Mapping[str, float]
    folder: Path

    @cached_property
    def protocol(self) -> Any:
        """The `metrics.Protocol` as it was when the record was made."""
        from sodbench.metrics.protocol import Protocol

        try:
            return Protocol(**self.fields)
        except (TypeError, ValueError) as error:
            raise InputError(
                f"{self.folder / 'run.json'}: protocol {self.name!r} was written by another version of"
                f" sodbench ({error}); score the maps again"
            ) from error

    @cached_property
    def per_image(self) -> "pd.DataFrame":
        """One row an image (index `name`), a column a metric."""
        import pandas as pd

        ending = f"@{self.name}"
        with readable(self.folder / "scores.parquet"):
            columns = [c for c in parquet_columns(self.folder / "scores.parquet") if c.endswith(ending)]
            frame = pd.read_parquet(self.folder / "scores.parquet", columns=columns)
        return frame.rename(columns=lambda column: column.removesuffix(ending))

    @cached_property
    def curves(self) -> "pd.DataFrame":
        """The data set's curves: index level, columns precision, recall, F, E."""
        import pandas as pd

        with readable(self.folder / "curves.parquet"):
            frame = pd.read_parquet(self.folder / "curves.parquet", filters=[("protocol", "==", self.name)])
        frame = frame.drop(columns="protocol").set_index("level")
        return frame.dropna(axis="columns", how="all")

    @cached_property
    def image_curves(self) -> "Mapping[str, np.ndarray[Any, Any]] | None":
        """float32 arrays images x levels (precision, recall, E), or None where the record has none."""
        import numpy as np
        import pyarrow.parquet as parquet

        path = self.folder / "image_curves.parquet"
        if not path.exists():
            return None
        with readable(path):
            table = parquet.read_table(path, filters=[("protocol", "==", self.name)])
        if table.num_rows == 0:
            return None
        found = {}
        for column in table.column_names:
            values = table.column(column).combine_chunks()
            if column in ("protocol", "name") or values.null_count:
                continue
            found[column] = np.asarray(values.flatten(), dtype=np.float32).reshape(table.num_rows, -1)
        return found


def image_facts(folder: Path) -> "pd.DataFrame":
    """The columns of scores.parquet that are no metrics: sizes, object shares, files."""
    import pandas as pd

    path = folder / "scores.parquet"
    with readable(path):
        return pd.read_parquet(
            path, columns=[c for c in parquet_columns(path) if "@" not in c and c != "name"]
        )


def parquet_columns(path: Path) -> list[str]:
    """The column names of a parquet file, without reading its data."""
    import pyarrow.parquet as parquet

    return list(parquet.read_schema(path).names)


@contextmanager
def readable(path: Path) -> Iterator[None]:
    """Turns what a missing or damaged parquet file raises into one line that names it."""
    import pyarrow

    try:
        yield
    except (OSError, pyarrow.ArrowException, KeyError) as error:
        reason = "is missing" if isinstance(error, FileNotFoundError) else f"cannot be read ({error})"
        raise InputError(
            f"{path} {reason}; score the maps again, or delete the folder {path.parent}"
        ) from error
