"""Whether a new run may take the place of a record: it must be of the same data, and of no fewer images.

What is no record is never replaced.
"""

import os
from collections.abc import Callable, Collection
from pathlib import Path

from sodbench.errors import InputError, first_of
from sodbench.json_text import read_json
from sodbench.names import folder_name

RECORD_FILES = ("run.json", "scores.parquet", "curves.parquet", "image_curves.parquet")


def refuse_other_files(reports: Path | str, name: str, dataset: str) -> None:
    """Raises InputError where the place of a record is taken by something else: a file, a user's folder."""
    refuse_foreign_files(Path(reports) / "runs" / folder_name(name) / folder_name(dataset), RECORD_FILES)


def refuse_foreign_files(place: Path, known: Collection[str]) -> None:
    """Raises InputError where `place` is no folder, or holds other files than the `known` ones."""
    advice = "move it away, or choose another --name or --reports"
    if not place.is_dir():
        if os.path.lexists(place):
            raise InputError(
                f"{place}: expected the folder of a record, found a file or a broken link; {advice}"
            )
        return
    try:
        names = [entry.name for entry in place.iterdir()]
    except OSError as error:
        raise InputError(f"{place}: cannot be read ({error.strerror}); {advice}") from None
    others = sorted(name for name in names if name not in known and not name.startswith("."))
    if others:
        raise InputError(f"{place}: holds {first_of(others, 3)}, which is no part of a record; {advice}")


def refuse_loss(
    reports: Path | str, name: str, dataset: str, *, digest: Callable[[], str], scored: int, present: int
) -> None:
    """Raises InputError where a run would replace a record that holds more, or other data.

    name, dataset: the record, `reports/runs/<name>/<dataset>`. digest: gives the data set's digest, asked for
    only where there is a record. scored: images of the new run. present: images of the data set that are on
    this disk. A record of some of these may be replaced by one of fewer (`limit` then and now); a folder that
    holds no readable record, by anything.
    """
    folder = Path(reports) / "runs" / folder_name(name) / folder_name(dataset)
    try:
        then = read_json(folder / "run.json")
        was_digest, was_scored = then["dataset_digest"], then["scored"]
    except (InputError, KeyError, TypeError):
        return
    if not isinstance(was_digest, str) or type(was_scored) is not int:
        return
    advice = "choose another --name, or replace the record with --replace"
    if was_digest != digest():
        raise InputError(
            f"{folder}: holds a record of other masks than those of {dataset} here"
            f" ({was_scored} images; the data digests differ); {advice}"
        )
    if scored < was_scored and not was_scored < present:
        raise InputError(
            f"{folder}: holds a record of {was_scored} images, the new one would hold {scored}; {advice}"
        )
