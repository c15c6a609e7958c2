"""What of a data set is at hand: complete, partial, absent or broken."""

from dataclasses import dataclass
from pathlib import Path

from sodbench.data.card import Card, card_names, load_card
from sodbench.data.folder import NoListError, open_dataset
from sodbench.data.layout import find_folder
from sodbench.data.listing import subfolders
from sodbench.data.locations import data_root as find_root
from sodbench.errors import InputError


@dataclass(frozen=True)
class Status:
    """A set at a glance: `state` is complete, partial, absent, unmade (the sample) or broken."""

    name: str
    title: str
    role: str
    state: str
    here: int
    expected: int
    size: int  # bytes of pictures and masks
    folder: str
    problem: str = ""


def status_of(card: Card, data_root: Path | None = None) -> Status:
    """What of a set is at hand; never makes or fetches anything."""
    if card.generator:
        from sodbench.data.synthetic import sample_place

        place = sample_place(card.generator.removeprefix("synthetic:"))
        if not place.is_dir():
            return Status(card.name, card.title, card.role, "unmade", 0, card.count, 0, "made on first use")
    if card.location is None and not card.generator and not find_root(data_root).path.is_dir():
        return Status(card.name, card.title, card.role, "absent", 0, card.count, 0, "")
    try:
        _, folder = find_folder(card, data_root)
        if folder is None:
            return Status(card.name, card.title, card.role, "absent", 0, card.count, 0, "")
        samples = open_dataset(card.name, data_root).samples
    except InputError as error:
        state = "absent" if isinstance(error, NoListError) and card.split_of else "broken"
        return Status(card.name, card.title, card.role, state, 0, card.count, 0, "", str(error))
    files = [path for sample in samples for path in (sample.image, sample.mask) if path is not None]
    state = (
        "complete" if len(samples) == card.count else "partial" if len(samples) < card.count else "too many"
    )
    size = sum(path.stat().st_size for path in files)
    return Status(card.name, card.title, card.role, state, len(samples), card.count, size, str(folder))


def all_status(data_root: Path | None = None) -> list[Status]:
    """The status of every card; raises InputError for a data root that may not be read."""
    root = find_root(data_root).path
    if root.is_dir():
        subfolders(root)
    return [status_of(load_card(name), data_root) for name in card_names()]
