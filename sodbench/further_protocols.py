"""Scores recorded runs under further protocols, so that their records hold these too.

Nothing but the protocols is added: the images, masks and maps must be those that were scored, by their
digests, and the scores that a record holds must come out again. Each record is replaced whole, or not at all.
"""

from __future__ import annotations

import shlex
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

from sodbench.errors import InputError, first_of
from sodbench.paths import user_path
from sodbench.rescoring import dataset_of, rescore
from sodbench.results.integrity import ROUNDING

if TYPE_CHECKING:
    from sodbench.metrics import Protocol
    from sodbench.results.run import Run, ScoreTableLike

IMAGE_CURVES = "image_curves.parquet"
NOT_KEPT = "maps not kept"
GONE = "maps missing"
CHANGED = "maps differ from those that were scored"


@dataclass(frozen=True)
class Rescored:
    """The runs, scored under further protocols where that was possible, and one line per kind of outcome."""

    runs: list[Run]
    notes: tuple[str, ...]


def with_protocols(
    runs: Sequence[Run],
    protocols: Sequence[str | Path | Protocol],
    *,
    data_root: Path | str | None = None,
    workers: int | None = None,
    progress: bool = False,
) -> Rescored:
    """Scores the maps of the runs that lack one of `protocols` under all that they hold and these.

    protocols: names, paths of TOML files or `Protocol` objects. data_root: folder with one folder
    per data set; None: those used with the reports folder. workers: threads that score; None: one per
    processor core.

    A run that is recorded is recorded again, in its place. A run whose maps, masks or images are missing or
    changed stays as it is, and the notes say what to do. Raises InputError for an unknown protocol.
    """
    from sodbench.metrics import load_protocol

    asked = [load_protocol(one) for one in protocols]
    names = [one.name for one in asked]
    result: list[Run] = []
    added: list[str] = []
    problems: dict[tuple[str, str], list[Run]] = {}
    for run in runs:
        try:
            missing = [one for one in asked if not _holds(run, one)]
            if not missing:
                result.append(run)
                continue
            result.append(_scored(run, missing, data_root, workers, progress))
            added.append(f"{run.name} on {run.title}")
        except InputError as error:
            result.append(run)
            problems.setdefault((str(error), run.provenance.origin), []).append(run)
    notes = [f"scored again under {', '.join(names)}: {first_of(added, 5)}"] if added else []
    for (reason, _), group in problems.items():
        subjects = first_of([f"{run.name} on {run.title}" for run in group], 5)
        notes.append(f"not scored again: {subjects}: {reason}{_advice(reason, group, names, data_root)}")
    return Rescored(result, tuple(notes))


def _advice(reason: str, group: Sequence[Run], names: Sequence[str], data_root: Path | str | None) -> str:
    """What to do, with the command for the first run of a group; empty where the reason says it."""
    if reason not in (NOT_KEPT, GONE, CHANGED):
        return ""
    run = group[0]
    baseline = run.provenance.baseline
    if reason == CHANGED:
        before, command = "score them under another name", _score_command(run, "NAME")
    elif baseline is None or ":" in baseline:
        before, command = "score them", _score_command(run, run.name)
    else:
        before = "predict them again"
        command = ["sodbench", "run", baseline, "--datasets", run.dataset]
        command += [] if run.name == baseline else ["--name", run.name]
    # a new record holds the protocols that it is scored under, and no others
    command += ["--protocols", *dict.fromkeys([*run.tables, *names])]
    if data_root is not None:
        command += ["--data-root", str(data_root)]
    if run.reports not in (None, Path("reports")):
        command += ["--reports", str(run.reports)]
    return f"; {before}{', for example' * (len(group) > 1)}: {shlex.join(command)}"


def _score_command(run: Run, name: str) -> list[str]:
    """`sodbench score` for maps in `DIR`, read and compared as the record of a run says."""
    then = run.provenance
    options = {
        "--dataset": run.dataset,
        "--masks": run.locate(then.masks),
        "--images": run.locate(then.images),
        "--name": name,
        "--pattern": then.map_pattern,
        "--resize": then.map_resize,
    }
    command = ["sodbench", "score", "DIR"]
    for option, value in options.items():
        command += [] if value is None else [option, str(value)]
    return [*command, *["--allow-missing"] * (run.scored < run.expected)]


def _holds(run: Run, protocol: Protocol) -> bool:
    """Whether the run is scored under a protocol; InputError where its own of that name is another one."""
    from sodbench.results.run import protocol_of

    if protocol.name not in run.tables:
        return False
    differing = protocol_of(run.tables[protocol.name]).differing(protocol)
    if differing:
        raise InputError(
            f"the protocol {protocol.name!r} of its record differs in {first_of(differing, 3)};"
            " score its maps again with 'sodbench score'"
        )
    return True


def _scored(
    run: Run, further: Sequence[Protocol], data_root: Path | str | None, workers: int | None, progress: bool
) -> Run:
    """The run with the tables of further protocols, read back from its record; InputError says why not."""
    from sodbench.results.loading import read_run
    from sodbench.results.provenance import maps_digest
    from sodbench.results.saving import save_run

    root = None if data_root is None else user_path(data_root)
    if not run.maps_kept:
        raise InputError(NOT_KEPT)
    folder = run.maps_folder(root)
    if folder is None or not folder.is_dir():
        raise InputError(GONE)
    if dataset_of(run, root).digest() != run.dataset_digest:
        raise InputError(f"the masks of {run.dataset} here differ from those that it was scored on")
    then, now = run.provenance.maps_sha256, maps_digest(folder, run.images, run.provenance.map_pattern)
    if now is None:
        raise InputError(GONE)
    if then is not None and then != now:
        raise InputError(CHANGED)
    tables = run.tables.values()
    again = rescore(
        run,
        protocols=[*(table.protocol for table in tables), *further],
        metrics=[*run.values(), *(name for one in further for name in _same_families(run, one))],
        data_root=root,
        workers=workers,
        image_curves=any(map(_keeps_curves, tables)),
        progress=progress,
    )
    _check_same(run.values(), again.values())
    if run.reports is None:
        return again
    recorded = run.provenance  # the paths stay as they are
    paths = {name: getattr(recorded, name) for name in ("data_folder", "maps", "masks", "images")}
    again = replace(again, reports=run.reports, provenance=replace(again.provenance, **paths))
    return read_run(save_run(run.reports, again), run.reports)


def _keeps_curves(table: ScoreTableLike) -> bool:
    """Whether a table holds the curves of every image; those of a record are not read for this."""
    folder = getattr(table, "folder", None)
    return bool(table.image_curves) if folder is None else (folder / IMAGE_CURVES).is_file()


def _same_families(run: Run, protocol: Protocol) -> list[str]:
    """The metric families of the run that the protocol defines, as `F@basnet2019`; InputError without any."""
    from sodbench.metrics.registry import all_families, families_of, full_name

    known = all_families()
    families = families_of(dict.fromkeys(full.partition("@")[0] for full in run.values()))
    defined = [name for name in families if not known[name].standard or name in protocol.families]
    if not defined:
        raise InputError(f"protocol {protocol.name} defines none of its metrics ({', '.join(families)})")
    return [full_name(name, protocol.name) for name in defined]


def _check_same(recorded: Mapping[str, float], now: Mapping[str, float]) -> None:
    """Raises InputError where a recorded score does not come out again."""
    for full, then in recorded.items():
        score = now.get(full, float("nan"))
        if not (abs(score - then) <= ROUNDING or (score != score and then != then)):
            raise InputError(
                f"{full} was {then:.12g} and is {score:.12g} with the versions installed here;"
                " 'sodbench reproduce' compares them"
            )
