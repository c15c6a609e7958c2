"""The attributes of the images that a run was scored on: read from beside its record, else measured.

They are measured once per data set, where its images and masks are, and stored in the reports folder
(`results.attribute_files`). Scoring does not wait for them. The lists of a card are read again each time.
"""

from __future__ import annotations

import warnings
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from sodbench.data.attribute_lists import read_lists, refuse_strangers
from sodbench.data.attributes import ImageAttributes, measure
from sodbench.data.card import Card
from sodbench.errors import InputError, Note
from sodbench.rescoring import dataset_of
from sodbench.results.attribute_files import attribute_file, read_attributes, write_attributes
from sodbench.results.card_of_run import card_of

if TYPE_CHECKING:
    from sodbench.data.folder import DataSet
    from sodbench.results.run import Run


class AbsentAttributesError(InputError):
    """Attributes are not stored, and the data set is not here to measure them."""


def attributes_of(run: Run, data_root: Path | None = None) -> ImageAttributes:
    """The attributes of the images of a run's data set.

    `data_root` is the folder with one folder per data set (None: those used with the run's reports folder).
    Raises AbsentAttributesError where they are not stored and the data set is not here, and InputError for a
    damaged file and for a card's list that names images which the set lacks.
    """
    path, stored = None, None
    if run.reports is not None:
        path = attribute_file(run.reports, run.dataset, run.dataset_digest)
        stored = read_attributes(path, run.dataset_digest)
    folder = run.data_folder(data_root)
    attributes = stored
    if attributes is None:
        dataset = _data_set(run, path, data_root)
        folder = dataset.folder
        attributes = ImageAttributes(
            dataset.name, dataset.digest(), tuple(sample.name for sample in dataset), measure(dataset)
        )
    if folder is not None and folder.is_dir() and (card := card_of(run)) is not None:
        attributes = _with_lists(attributes, card, folder)
    if path is not None and attributes != stored:
        try:
            write_attributes(path, attributes)
        except OSError as error:
            warnings.warn(f"{path}: not stored ({error.strerror})", Note, stacklevel=3)
    return attributes


def _data_set(run: Run, path: Path | None, data_root: Path | None) -> DataSet:
    """The data set of a run, with the masks that were scored against; the InputError says what to do."""
    try:
        dataset = dataset_of(run, data_root)
        if dataset.digest() != run.dataset_digest:
            raise InputError(
                f"the masks in {dataset.folder} are not those that {run.name} was scored against"
            )
    except InputError as error:
        remedy = "name its data root with SODBENCH_DATA"
        if path is not None:
            remedy += (
                f", or run 'sodbench report --attributes' where the data set is and copy {path.name} from"
                f" there into {path.parent}"
            )
        raise AbsentAttributesError(f"{run.dataset}: no attributes: {error}; {remedy}") from error
    return dataset


def _with_lists(attributes: ImageAttributes, card: Card, folder: Path) -> ImageAttributes:
    """The attributes with the lists that the card names now."""
    here = frozenset(attributes.images)
    lists = read_lists(card, folder)
    for name, stems in lists.items():
        refuse_strangers(card, name, stems, here)
    return replace(
        attributes,
        lists={name: tuple(sorted(stems & here)) for name, stems in lists.items()},
        listed={name: len(stems) for name, stems in lists.items()},
    )
