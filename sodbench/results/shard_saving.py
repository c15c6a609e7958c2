"""Writes the record of a shard, whole or not at all: the files that `shard_records` describes and reads."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, replace
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from sodbench.files import sha256_of
from sodbench.json_text import to_json
from sodbench.results.provenance import names_digest
from sodbench.results.replacement import refuse_foreign_files
from sodbench.results.run import Run, conventions, known_facts
from sodbench.results.saving import (
    identity,
    put_in_place,
    sizes_and_digests,
    write_image_curves,
    write_scores,
)
from sodbench.results.shard_records import FILES, SCHEMA, shard_folder
from sodbench.shard import Shard

if TYPE_CHECKING:
    import pandas as pd

    from sodbench.data.folder import Sample
    from sodbench.metrics import ScoreTable


def save_shard(
    reports: Path | str,
    run: Run,
    tables: "Mapping[str, ScoreTable]",
    pairs: "Sequence[tuple[Sample, Path | None]]",
    shard: Shard,
    names: Sequence[str],
    *,
    metrics: Mapping[str, Sequence[str]],
    image_curves: bool,
    allow_constant: bool,
) -> Path:
    """Writes the record of a shard and returns its folder; a former record of the same shard is replaced.

    run: a run of the images of this shard (`new_run`), `tables` and `pairs` what it was made of. names: those
    of all images that are shared out. metrics: the metric families by protocol.
    """
    content = {
        "schema": SCHEMA,
        "shard": str(shard),
        "images": len(names),
        "images_sha256": names_digest(names),
        "image_curves": image_curves,
        "allow_constant": allow_constant,
        **identity(run),
        "protocols": {
            name: {"fields": vars(conventions(table)), "metrics": list(metrics[name])}
            for name, table in tables.items()
        },
        "provenance": asdict(run.provenance),
    }
    facts = _with_digests(run.image_facts(), tables, pairs, run.provenance.origin == "baseline")

    def write(folder: Path) -> None:
        write_scores(folder / "scores.parquet", replace(run, image_facts=partial(known_facts, facts)))
        write_image_curves(folder / "image_curves.parquet", run)
        _write_sums(folder / "curve_sums.parquet", tables)
        whole = {**content, "files": sizes_and_digests(folder)}
        (folder / "shard.json").write_text(to_json(whole, indent=1) + "\n", encoding="utf-8")

    final = shard_folder(reports, run.name, run.dataset, shard)
    put_in_place(final, write, lambda: refuse_foreign_files(final, FILES))
    return final


def _with_digests(
    facts: "pd.DataFrame",
    tables: "Mapping[str, ScoreTable]",
    pairs: "Sequence[tuple[Sample, Path | None]]",
    images_count: bool,
) -> "pd.DataFrame":
    """The facts with the SHA-256 of each map, its mask, and the image that it was made from."""
    constant = set(next(iter(tables.values())).constant_maps)
    files: dict[str, list[Path | None]] = {
        "image_sha256": [sample.image if images_count else None for sample, _ in pairs],
        "mask_sha256": [sample.mask for sample, _ in pairs],
        "map_sha256": [path for _, path in pairs],
    }
    facts = facts.copy()
    for column, paths in files.items():
        facts[column] = [None if path is None or not path.is_file() else sha256_of(path) for path in paths]
    facts["constant"] = [sample.name in constant for sample, _ in pairs]
    return facts


def _write_sums(path: Path, tables: "Mapping[str, ScoreTable]") -> None:
    import pyarrow
    import pyarrow.parquet as parquet

    rows = [
        {"protocol": protocol, "curve": curve, "sums": sums}
        for protocol, table in tables.items()
        for curve, parts in table.curve_sums.items()
        for sums in parts
    ]
    schema = pyarrow.schema(
        [
            ("protocol", pyarrow.string()),
            ("curve", pyarrow.string()),
            ("sums", pyarrow.list_(pyarrow.float64())),
        ]
    )
    parquet.write_table(pyarrow.Table.from_pylist(rows, schema), path, compression="zstd")
