"""Shards to runs: all shards of a run become its record, as one process would have written it.

The images of the shards are put in the order of the data set, the exact sums of their curves are added, and
the digests of whole folders are made of those of the files. No image, mask or map is read.
"""

from __future__ import annotations

import shutil
from collections.abc import Iterable, Sequence
from contextlib import suppress
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

from sodbench.errors import InputError
from sodbench.paths import real_path, user_path
from sodbench.results.environment import command_line
from sodbench.results.provenance import Provenance, SelfCheck, ShardOrigin, digest_of_digests, names_digest
from sodbench.results.recorded_paths import locate, portable
from sodbench.results.run import Run
from sodbench.results.shard_records import ShardRecord, read_shard, shard_folder, shard_folders
from sodbench.shard import Shard
from sodbench.shard_agreement import FILE_PARTS, complete

if TYPE_CHECKING:
    import pandas as pd

    from sodbench.metrics import ScoreTable
    from sodbench.results.replacement import Replace


def merge(
    reports: Path | str | Sequence[Path | str],
    out: Path | str,
    *,
    replace: Replace = False,
    allow_constant: bool = False,
) -> list[Run]:
    """Joins the shards in reports folders to runs and records these in the reports folder `out`.

    reports: one or several folders that hold `shards/<name>/<dataset>/<3-of-16>`.
    replace: whether a record of other masks, weights or maps, or of more images, may be replaced; see
        `evaluate`.
    allow_constant: record a run even if every map has one value only. Not needed where all shards were scored
        with it.

    The scores, curves and digests of each run are bit-identical to those of one process that scored all
    images. The shard records stay where they are. Raises InputError, before anything is recorded, for
    missing, damaged and differing shards of any run.
    """
    folders = [reports] if isinstance(reports, str | Path) else list(reports)
    records = find_shards([user_path(folder) for folder in folders])
    return merge_shards(records, user_path(out), replace=replace, allow_constant=allow_constant)


def find_shards(reports: Sequence[Path]) -> list[ShardRecord]:
    """The shard records of all reports folders; InputError for a folder without any, and a damaged record."""
    found: dict[Path, ShardRecord] = {}
    for top in reports:
        if not top.is_dir():
            problem = "it is a file" if top.exists() else "there is none"
            raise InputError(f"{top}: expected a reports folder that holds shards, {problem}")
        folders = list(shard_folders(top))
        if not folders:
            raise InputError(
                f"{top}: no shards in {top / 'shards'}; make them with 'sodbench run' or 'sodbench score' and"
                " --shard, and name their --reports folder"
            )
        for folder in folders:
            if real_path(folder) not in found:
                found[real_path(folder)] = read_shard(folder, top)
    return list(found.values())


def merge_shards(
    records: Iterable[ShardRecord], out: Path, *, replace: Replace = False, allow_constant: bool = False
) -> list[Run]:
    """What `merge` does with shard records that were read."""
    from sodbench.results.saving import save_run

    cells: dict[tuple[str, str], list[ShardRecord]] = {}
    for record in records:
        cells.setdefault((record.said.name, record.said.dataset), []).append(record)
    all_shards = [complete(cells[key]) for key in sorted(cells)]
    runs = []
    for shards in all_shards:
        run = _joined(shards, out, allow_constant)
        save_run(out, run, replace=replace)
        _remember_roots(shards, out)
        runs.append(run)
    return runs


def merge_and_remove(
    of: Sequence[tuple[str, str]],
    count: int,
    reports: Path,
    *,
    replace: Replace = False,
    allow_constant: bool = False,
) -> list[Run]:
    """Joins shards of one run of sodbench, which have served when its records are there.

    of: names of methods and data sets, of which `count` shards each are in `reports`. The runs are in their
    order. Raises InputError as `merge`.
    """
    folders = [
        shard_folder(reports, name, dataset, Shard(number, count))
        for name, dataset in of
        for number in range(1, count + 1)
    ]
    records = [read_shard(folder, reports) for folder in folders]
    runs = merge_shards(records, reports, replace=replace, allow_constant=allow_constant)
    for folder in folders:
        shutil.rmtree(folder, ignore_errors=True)
        with suppress(OSError):  # others hold something
            for parent in (folder.parent, folder.parent.parent, reports / "shards"):
                parent.rmdir()
    order = {key: place for place, key in enumerate(of)}
    return sorted(runs, key=lambda run: order[run.name, run.dataset])


def _joined(shards: Sequence[ShardRecord], out: Path, allow_constant: bool) -> Run:
    """The run of all images of its shards; not recorded yet."""
    from sodbench.constant_maps import check_not_constant
    from sodbench.results.run import known_facts

    first = shards[0].said
    what = f"{first.name} on {first.dataset}"
    names = _in_order([record.names for record in shards], first.images)
    if len(set(names)) < len(names) or names_digest(names) != first.images_sha256:
        raise InputError(
            f"{what}: the images of its shards are not those that were shared out; run the shards again"
        )
    tables = {name: _table(name, shards, names) for name in first.protocols}
    maps = first.provenance.maps or "the maps"
    allowed = allow_constant or all(record.said.allow_constant for record in shards)
    check_not_constant(next(iter(tables.values())), Path(maps), allowed)
    return Run(
        name=first.name,
        dataset=first.dataset,
        title=first.title,
        expected=first.expected,
        scored=len(names),
        dataset_digest=first.dataset_digest,
        weights_sha256=first.weights_sha256,
        tables=tables,
        provenance=_provenance(shards, names, out),
        image_facts=partial(known_facts, _facts(shards, next(iter(tables.values())), names)),
        reports=out,
    )


def _in_order(parts: Sequence[Sequence[Any]], total: int) -> list[Any]:
    """What the shards hold, one item per image, in the order of the whole."""
    whole: list[Any] = [None] * total
    for index, part in enumerate(parts):
        whole[index :: len(parts)] = part
    return whole


def _table(protocol: str, shards: Sequence[ShardRecord], names: Sequence[str]) -> ScoreTable:
    from sodbench.metrics import Scorer

    said = shards[0].said
    scorer = Scorer(
        shards[0].protocol(protocol), said.protocols[protocol].metrics, keep_curves=said.image_curves
    )
    for record in shards:
        if record.said.scored:
            scorer.add_table(record.table(protocol))
    return scorer.result().ordered(names)


def _facts(shards: Sequence[ShardRecord], table: ScoreTable, names: Sequence[str]) -> pd.DataFrame:
    """What is known of the images besides the scores, as `run.new_run` collects it."""
    facts = table.image_facts.copy()
    for column in ("image_file", "mask_file"):
        if column in shards[0].facts:
            facts[column] = _column(shards, column, len(names))
    return facts


def _column(shards: Sequence[ShardRecord], column: str, total: int) -> list[Any]:
    parts = [record.facts[column].tolist() if record.said.scored else [] for record in shards]
    return _in_order(parts, total)


def _provenance(shards: Sequence[ShardRecord], names: Sequence[str], out: Path) -> Provenance:
    """Where the run comes from: what all shards share, the digests of the whole, and a line per shard."""
    all_of = [record.said.provenance for record in shards]
    first = all_of[0]
    roots = _roots(shards)
    digests = {part: _files_digest(shards, column, names) for part, column in FILE_PARTS.items()}
    parts = {name: digests.get(name) or value for name, value in first.depends_on.items()}

    def common(field: str) -> Any:
        value = getattr(first, field)
        return value if all(getattr(one, field) == value for one in all_of) else None

    places: dict[str, Any] = {
        field: _place([getattr(one, field) for one in all_of], shards, out, roots)
        for field in ("data_folder", "maps", "masks", "images", "baseline", "weights")
    }

    return replace(
        first,
        started=min(one.started for one in all_of),
        seconds=round(sum(one.seconds for one in all_of), 3),
        command=command_line(roots),
        images_sha256=names_digest(names),
        maps_sha256=digests["maps"],
        manifest_sha256=common("manifest_sha256"),
        batch=common("batch"),
        float_maps=next((one.float_maps for one in all_of if one.float_maps), None),
        **places,
        self_check=_self_check(shards),
        depends_on=parts,
        shards=tuple(
            ShardOrigin(
                str(record.shard),
                record.said.scored,
                one.started,
                one.seconds,
                one.device,
                one.inference_device,
            )
            for record, one in zip(shards, all_of, strict=True)
        ),
    )


def _files_digest(shards: Sequence[ShardRecord], column: str, names: Sequence[str]) -> str | None:
    """One digest over files of all shards (`provenance.digest_of`); None where one of them has none."""
    digests = _column(shards, column, len(names))
    if any(not isinstance(digest, str) for digest in digests):
        return None
    return digest_of_digests(zip(names, digests, strict=True))


def _place(
    recorded: Sequence[str | None], shards: Sequence[ShardRecord], out: Path, roots: Sequence[Path]
) -> str | None:
    """The path of a record of `out` that means what the shards' paths mean; None where these differ.

    Where the shards' reports folders lie apart, `reports:../maps` means another folder for each. It stays as
    it is then: what it names is to lie beside `out` as it lay beside them.
    """
    value = recorded[0]
    if value is None or any(one != value for one in recorded):
        return None
    if not value.startswith("reports:"):
        return value
    folders = {locate(value, record.reports) for record in shards}
    (folder, *others) = folders
    return value if others or folder is None else portable(folder, out, roots)


def _self_check(shards: Sequence[ShardRecord]) -> SelfCheck | None:
    """What the shards scored a second time, together; shards without images have nothing to check."""
    checks = [record.said.provenance.self_check for record in shards if record.said.scored]
    done = [check for check in checks if check is not None and check.done]
    if len(done) < len(checks):
        return SelfCheck(done=False)
    return SelfCheck(
        True,
        tuple(image for check in done for image in check.images),
        sum(check.values for check in done),
        max(check.largest_difference for check in done),
        {protocol: source for check in done for protocol, source in check.against.items()},
    )


def _roots(shards: Sequence[ShardRecord]) -> list[Path]:
    from sodbench.data.locations import known_roots

    return list(dict.fromkeys(root for record in shards for root in known_roots(record.reports)))


def _remember_roots(shards: Sequence[ShardRecord], out: Path) -> None:
    """Lets the data be found for the runs in `out` where it was found for the shards on this machine."""
    from sodbench.data.locations import known_roots, remember_root

    known = known_roots(out)
    for root in _roots(shards):
        if root not in known and root.is_dir():
            remember_root(out, root)
