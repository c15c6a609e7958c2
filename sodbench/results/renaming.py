"""Renames the recorded runs of a method: each is read, checked and recorded anew, then its old record goes.

A record holds the name of its run and the digests of its files, so no folder is renamed. Whatever ends the
process in between, the run is recorded under one of the names or under both, whole; the same call goes on.
"""

from dataclasses import replace
from functools import partial
from pathlib import Path

from sodbench.errors import InputError
from sodbench.files import sha256_of
from sodbench.names import folder_name
from sodbench.paths import user_path
from sodbench.results.loading import read_run, read_sound_run, record_folders, record_place
from sodbench.results.removing import records_of, remove_leftovers, remove_record
from sodbench.results.run import Run, known_facts
from sodbench.results.saving import add_run, already_there


def rename_runs(old: str, new: str, *, reports: Path | str = "reports") -> list[Run]:
    """Gives the recorded runs of a method another name: `sodbench runs mv`. One run per data set.

    Scores, curves and digests stay; `provenance.former_names` holds the former name. Maps, shards, stress
    studies and speeds stay where they are, under the former name.

    Raises InputError, before anything is written, where there are no runs of `old` or one of them is damaged,
    and where there are runs of `new`.
    """
    reports = user_path(reports)
    folder_name(new)  # refuses what is no name
    if old == new:
        raise InputError(f"{old!r}: the new name is the former one")
    for name in (old, new):
        remove_leftovers(reports, name)
    records = records_of(reports, old)
    files = [one.folder / "run.json" for one in records]
    digests = [sha256_of(file) if file.is_file() else None for file in files]
    try:
        runs = {one.dataset: read_sound_run(one.folder, old, one.dataset, reports) for one in records}
    except InputError as error:
        raise InputError(f"nothing was renamed: {error}") from error
    for dataset, run in runs.items():
        names = (*run.provenance.former_names, old)
        runs[dataset] = replace(run, name=new, provenance=replace(run.provenance, former_names=names))
    for folder, name, dataset in record_folders(reports):
        if name == new:
            _refuse_others(folder, reports, old, new, dataset, runs.get(dataset))
    renamed = []
    for one, digest in zip(records, digests, strict=True):
        place = record_place(reports, new, one.dataset)
        if not place.exists():
            add_run(reports, _in_memory(runs[one.dataset], one.folder, digest))
        renamed.append(read_sound_run(place, new, one.dataset, reports))
    for one, digest in zip(records, digests, strict=True):
        remove_record(one.path, digest)
    return renamed


def _in_memory(run: Run, folder: Path, digest: str | None) -> Run:
    """The run with its tables read; InputError where its record was replaced or removed meanwhile."""
    for table in run.tables.values():
        _ = table.per_image, table.curves, table.image_curves
    facts = run.image_facts()
    run_json = folder / "run.json"
    if not run_json.is_file() or sha256_of(run_json) != digest:
        raise InputError(
            f"{folder}: another process has replaced or removed this record meanwhile; try again"
        )
    return replace(run, image_facts=partial(known_facts, facts))


def _refuse_others(
    folder: Path, reports: Path, old: str, new: str, dataset: str, run: Run | None = None
) -> None:
    """Raises InputError for a record under the new name that no interrupted call has left.

    Such a one is the same as `run`, or was renamed from `old`, which has no record of this data set any more.
    """
    try:
        there = read_run(folder, reports)
        if run is None and there.provenance.former_names[-1:] == (old,):
            return
        if run is not None and _fingerprint(there) == _fingerprint(run):
            return
    except InputError:
        pass
    raise InputError(already_there(folder, new, dataset))


def _fingerprint(run: Run) -> str:
    """What two records of one run have in common; undefined scores are equal."""
    return repr((run.dataset_digest, run.scored, run.provenance, sorted(run.values().items())))
