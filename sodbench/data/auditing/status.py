"""The status of data sets: which have a card, and how much of each is on disk."""

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from textwrap import wrap
from typing import TYPE_CHECKING, Any, Literal

from sodbench.data.card import Card, Role, readable_cards
from sodbench.data.folder import open_dataset
from sodbench.data.image_files import subfolders
from sodbench.data.layout import NoListError, find_folders
from sodbench.data.locations import data_root as find_root
from sodbench.errors import InputError
from sodbench.text import columns

if TYPE_CHECKING:
    import pandas as pd

State = Literal["complete", "partial", "too many", "absent", "unmade", "broken"]
WIDTH = 100  # characters per line


@dataclass(frozen=True)
class Status:
    """One data set at a glance."""

    name: str
    title: str
    role: Role
    state: State
    present: int  # pairs on this disk
    expected: int  # pairs of the complete set
    size: int  # bytes of images and masks
    folder: str
    problem: str = ""

    def as_dict(self) -> dict[str, Any]:
        """The public JSON object, where `present` is called `here`."""
        return {"here" if key == "present" else key: value for key, value in asdict(self).items()}


def status_of(card: Card, data_root: Path | None = None) -> Status:
    """How much of a set is on this disk; never makes or downloads anything."""

    def status(state: State, present: int = 0, size: int = 0, folder: str = "", problem: str = "") -> Status:
        return Status(
            name=card.name,
            title=card.title,
            role=card.role,
            state=state,
            present=present,
            expected=card.expected,
            size=size,
            folder=folder,
            problem=problem,
        )

    if card.generator:
        from sodbench.data.synthetic import sample_place

        if not sample_place(card.generator.removeprefix("synthetic:")).is_dir():
            return status("unmade")
    elif card.location is None and not find_root(data_root).path.is_dir():
        return status("absent")
    try:
        _, folder = find_folders(card, data_root)
        if folder is None:
            return status("absent")
        samples = open_dataset(card.name, data_root).samples
    except InputError as error:
        is_other_split = isinstance(error, NoListError) and card.split.of
        return status("absent" if is_other_split else "broken", problem=str(error))
    files = [path for sample in samples for path in (sample.image, sample.mask) if path is not None]
    size = sum(path.stat().st_size for path in files)
    difference = len(samples) - card.expected
    state: State = "complete" if difference == 0 else "partial" if difference < 0 else "too many"
    return status(state, len(samples), size, str(folder))


def available(data_root: Path | None = None) -> list[Status]:
    """The status of every data set that has a card, by name; a user's own card that is wrong is "broken".

    Raises InputError for a data root that cannot be read.
    """
    root = find_root(data_root).path
    if root.is_dir():
        subfolders(root)
    cards, problems = readable_cards()
    statuses = [status_of(card, data_root) for card in cards]
    statuses += [
        Status(path.stem, path.stem, "test", "broken", 0, 0, 0, folder="", problem=problem)
        for path, problem in problems.items()
    ]
    return sorted(statuses, key=lambda one: one.name)


def datasets(data_root: Path | str | None = None) -> "pd.DataFrame":
    """All data sets that have a card, and how much of each is on this disk; one row per data set.

    The columns are name, title, role ("train", "test" or "both"), expected and present (numbers of pairs),
    state ("complete", "partial", "too many", "absent", "unmade" (generated on first use) or "broken") and
    folder. The data root is the argument, else the environment variable SODBENCH_DATA, else the user's data
    folder. A user's own card that is wrong is "broken", with a note. Raises InputError for a data root that
    cannot be read.
    """
    import pandas as pd

    root = None if data_root is None else Path(data_root)
    names = ["name", "title", "role", "expected", "present", "state", "folder"]
    return pd.DataFrame([asdict(status) for status in available(root)], columns=names)


def _printed(state: str) -> str:
    return "generated on first use" if state == "unmade" else state


def status_lines(statuses: Sequence[Status]) -> list[str]:
    """One line per data set below a line of headings."""
    rows = [("name", "role", "state", "pairs", "size", "folder")]
    for one in statuses:
        size = f"{one.size / 1e6:,.1f} MB" if one.size else ""
        pairs = f"{one.present}/{one.expected}"
        rows.append((one.name, one.role, _printed(one.state), pairs, size, one.folder or one.problem))
    return columns(rows, right=(3, 4))


def card_lines(card: Card, status: Status) -> list[str]:
    """A card in full, every fact followed by its source in brackets."""
    lines = [f"{card.name}: {card.title}", *_wrapped(card.summary, "", ""), ""]
    present = f"{status.present} of {card.expected} pairs"
    lines.append(f"{'status:':11}{_printed(status.state)}, {present}")
    if where := status.folder or status.problem:
        lines += _fact("folder" if status.folder else "problem", where, "")
    lines += _fact("pairs", str(card.expected), card.count.source)
    official = card.official_names
    names = f"{len(official)} known" if official is not None else card.names.pattern or "unknown"
    lines += _fact("names", names, card.names.source)
    if card.aliases:
        lines += _fact("aliases", ", ".join(card.aliases), "")
    for layout in card.layouts:
        where = f"{card.folders[0]}/{layout.images} with {card.folders[0]}/{layout.masks} ({layout.name})"
        lines += _fact("layout", where, layout.source)
    for page in card.home.pages:
        lines += _fact("home", page, card.home.source)
    for mirror in card.mirrors:
        addresses = ", ".join(archive.address for archive in mirror.archives)
        note = f" ({mirror.note})" if mirror.note and addresses else mirror.note
        lines += _fact("mirror", f"{mirror.kind}: {addresses}{note}", mirror.source)
    if card.attributes.lists:
        lines += _fact("lists", ", ".join(card.attributes.lists), card.attributes.source)
    terms = f"{card.terms.licence}; redistribution: {card.terms.redistribution}"
    lines += _fact("licence", terms, card.terms.source)
    lines += _fact("cite", card.citation.text, card.citation.source)
    for quirk in card.quirks:
        lines += _fact("quirk", quirk.text, quirk.source)
    return lines


def _fact(name: str, value: str, source: str) -> list[str]:
    indent = " " * 11
    lines = _wrapped(value, f"{name + ':':11}", indent) or [f"{name}:"]
    return lines + (_wrapped(f"[{source}]", indent, indent + " ") if source else [])


def _wrapped(text: str, first: str, others: str) -> list[str]:
    # addresses and names stay whole, so that they can be copied
    return wrap(
        text,
        WIDTH,
        initial_indent=first,
        subsequent_indent=others,
        break_long_words=False,
        break_on_hyphens=False,
    )
