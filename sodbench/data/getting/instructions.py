"""What a person has to do where nothing may or can be fetched: which file, from where, to which path."""

from collections.abc import Iterable
from pathlib import Path
from textwrap import shorten

from sodbench.data.card import Archive, Card, Mirror
from sodbench.data.getting.download import check

DOWNLOADS = ".downloads"  # in the data root: archives, half-fetched parts, locks


def store_of(card: Card, root: Path) -> Path:
    """The folder in which `fetch` looks for a set's archives before it asks a mirror."""
    return root / DOWNLOADS / card.name


def put_by_hand(store: Path, archive: Archive) -> Path | None:
    """An archive that lies in the store, under its own name or packed anew as zip or tar.

    Under its own name its size and digest must be right (DownloadError).
    """
    path = _in_store(store, archive)
    if path is not None and path.name == archive.name:
        check(path, archive)
    return path


def at_hand_first(store: Path, mirrors: Iterable[Mirror]) -> list[Mirror]:
    """The mirrors that have archives, in their order, but first those whose archives all lie in the store."""
    usable = [mirror for mirror in mirrors if mirror.archives]
    return sorted(usable, key=lambda one: any(_in_store(store, archive) is None for archive in one.archives))


def _in_store(store: Path, archive: Archive) -> Path | None:
    path = store / archive.name
    repacked = [store / (path.stem + suffix) for suffix in (".zip", ".tar", ".tar.gz")]
    return next((file for file in (path, *repacked) if file.is_file()), None)


def instructions(card: Card, root: Path, failed: list[str]) -> str:
    """One line: what was tried, and what to put where for the next call."""
    store = store_of(card, root)
    ways = []
    for mirror in card.mirrors:
        files = ", ".join(
            f"{_address(mirror, archive)} as {store / archive.name}" for archive in mirror.archives
        )
        note = f" ({mirror.note})" if mirror.note else ""
        ways.append(f"{files}{note}" if files else mirror.note)
    ways.append(f"or the folders images/ and masks/ in {root / card.folders[0]}")
    tried = f" ({'; '.join(shorten(reason, 250, placeholder=' ...') for reason in failed)})" if failed else ""
    home = f"; home page {card.home[0]}" if card.home else ""
    return (
        f"{card.name}: could not be fetched{tried}. Put one of these there by hand and call fetch again: "
        f"{'; '.join(ways)}{home}"
    )


def _address(mirror: Mirror, archive: Archive) -> str:
    return (
        archive.address if "://" in archive.address else f"https://drive.google.com/uc?id={archive.address}"
    )
