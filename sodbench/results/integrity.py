"""Whether a record is as its run left it: the checks that need nothing but the record and take milliseconds.

A record's files must have the digests that run.json states, and what run.json says must follow from them: the
counts and names of the images, the data set's scores from the scores of the images and the mean curves, the
fields of a shipped protocol from what ships. A record that was edited by hand fails one of these.
`sodbench audit` also scores the maps again, which finds an edit that keeps all of them in step.
"""

import hashlib
import math
from collections.abc import Iterator, Mapping
from pathlib import Path

import numpy as np

from sodbench.errors import InputError, first_of
from sodbench.files import sha256_of
from sodbench.results.run import Run, ScoreTableLike, conventions, protocol_of

# the largest difference that rounding explains: sums in another order, on another processor
ROUNDING = 1e-12
# the files of a record that are read besides run.json
READ = ("scores.parquet", "curves.parquet", "image_curves.parquet")


def file_problems(folder: Path, files: Mapping[str, tuple[int, str | None]]) -> list[str]:
    """What differs between the files in a record's folder and their stated sizes and SHA-256, by name."""
    problems = []
    for name, (size, digest) in files.items():
        part = folder / name
        if Path(name).name != name:
            problems.append(f"{name!r} is no file of a record")
            continue
        found = part.stat().st_size if part.is_file() else None
        if found is None:
            problems.append(f"{name} is missing (incomplete record?)")
        elif found != size:
            problems.append(f"{name} has {found} bytes instead of {size} (incomplete record?)")
        elif digest is not None and sha256_of(part) != digest.lower():
            problems.append(f"{name} was changed: its sha256 is not the recorded one")
    problems += [
        f"{name} is not among the files of run.json"
        for name in READ
        if name not in files and (folder / name).exists()
    ]
    return problems


def differences(run: Run) -> list[str]:
    """What a recorded run says that does not follow from its own files and from what ships; none if all does.

    Raises InputError for files that cannot be read.
    """
    found = list(_of_data_set(run))
    for name, table in run.tables.items():
        problems = list(_of_protocol(name, table)) or list(_of_images(run, table))
        found += problems or _of_scores(name, table).values()
    return list(dict.fromkeys(found))


def wrong_scores(run: Run) -> dict[str, str]:
    """The problem of each score that does not follow from the scores of its images, by full metric name."""
    wrong: dict[str, str] = {}
    for name, table in run.tables.items():
        if not list(_of_protocol(name, table)):
            wrong |= _of_scores(name, table)
    return wrong


def derived_scores(table: ScoreTableLike) -> dict[str, float]:
    """The data set's scores from the scores of the images and the data set's curves, by metric name.

    A score whose column or curve was not recorded is NaN: a record does not hold what is undefined for all
    images. Raises InputError for a table of other things than numbers.
    """
    from sodbench.metrics.aggregate import dataset_scores
    from sodbench.metrics.registry import all_families, all_metrics, families_of

    protocol = protocol_of(table)
    known = [name for name in table.scores if name in all_metrics()]
    families = [all_families()[name] for name in families_of(known)]
    images = len(table.per_image)
    try:
        columns = {str(name): table.per_image[name].to_numpy(np.float64) for name in table.per_image}
        curves = {str(name): table.curves[name].to_numpy(np.float64) for name in table.curves}
    except (TypeError, ValueError) as error:
        raise InputError(f"a score that is no number ({error})") from error
    for family in families:
        of_images, of_levels = family.inputs(protocol)
        for name in of_images:
            columns.setdefault(name, np.full(images, np.nan))
        for name in of_levels:
            if len(curves.get(name, ())) != protocol.levels:
                curves[name] = np.full(protocol.levels, np.nan)
    return dataset_scores(columns, curves, protocol, np.ones(images), families)


def score_problem(full: str, recorded: float, derived: float | None, source: str, slack: float) -> str | None:
    """What is wrong with a recorded score; None where it agrees with the derived one."""
    if derived is None:
        return f"{full!r} is no score of its protocol"
    if abs(recorded - derived) <= slack or (math.isnan(recorded) and math.isnan(derived)):
        return None
    return f"{full} is {_shown(recorded)} in run.json and {_shown(derived)} {source}"


def _shown(value: float) -> str:
    return "undefined" if math.isnan(value) else f"{value:.12g}"


def _of_data_set(run: Run) -> Iterator[str]:
    from sodbench.data.card import shipped_card

    if run.provenance.masks is not None and shipped_card(run.dataset) is not None:
        yield (
            f"it was scored on a folder of masks, but {run.dataset!r} is the name of a data set:"
            " give another one with --dataset"
        )


def _of_protocol(name: str, table: ScoreTableLike) -> Iterator[str]:
    """Problems of the protocol's name and of its fields, where a protocol of this name ships."""
    from sodbench.metrics.protocol import reserved_as

    named = getattr(conventions(table), "name", None)
    if named != name:
        yield f"the protocol under {name!r} is named {named!r}"
        return
    try:
        protocol = protocol_of(table)
    except InputError as error:
        yield f"protocol {name!r}: {error}"
        return
    shipped = reserved_as(name)
    differing = [] if shipped is None else protocol.differing(shipped)
    if differing:
        yield f"protocol {name!r} differs from the shipped one in {first_of(differing, 3)}"


def _of_images(run: Run, table: ScoreTableLike) -> Iterator[str]:
    """Problems of the number and the names of the images."""
    images = [str(image) for image in table.per_image.index]
    if len(images) != run.scored:
        yield f"run.json counts {run.scored} images, the table of images {len(images)}"
        return
    if len(set(images)) < len(images):
        yield "the table of images lists an image twice"
        return
    recorded = run.provenance.images_sha256
    if recorded is not None and hashlib.sha256("\n".join(images).encode()).hexdigest() != recorded:
        yield "the names of the images are not those of run.json (sha256)"


def _of_scores(name: str, table: ScoreTableLike) -> dict[str, str]:
    """Data-set scores that do not follow from the scores of the images, by full metric name."""
    try:
        derived = derived_scores(table)
    except InputError as error:
        return {f"@{name}": f"protocol {name!r}: scores.parquet or curves.parquet holds {error}"}
    problems = {}
    for metric, value in table.scores.items():
        full = f"{metric}@{name}"
        problem = score_problem(full, value, derived.get(metric), "by the scores of its images", ROUNDING)
        if problem is not None:
            problems[full] = problem
    return problems
