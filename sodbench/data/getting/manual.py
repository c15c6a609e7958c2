"""Archives that a person downloads: where `fetch` looks for them, and what it says where they are missing."""

from collections.abc import Iterable
from pathlib import Path
from textwrap import shorten

from sodbench.data.card import Archive, Card, Mirror
from sodbench.data.getting.download import check

DOWNLOADS = ".downloads"  # in the data root: archives, partial downloads, locks


def download_folder(card: Card, root: Path) -> Path:
    """The folder in which `fetch` keeps a set's archives, and looks for them before it asks a mirror."""
    return root / DOWNLOADS / card.name


def local_archive(folder: Path, archive: Archive) -> Path | None:
    """An archive that lies in the download folder, under its own name or packed anew as zip or tar.

    Under its own name its size and digest must be right (DownloadError).
    """
    path = _find(folder, archive)
    if path is not None and path.name == archive.name:
        check(path, archive)
    return path


def local_first(folder: Path, mirrors: Iterable[Mirror]) -> list[Mirror]:
    """The mirrors that have archives; first those whose archives all lie in the download folder."""
    usable = [mirror for mirror in mirrors if mirror.archives]
    return sorted(usable, key=lambda one: any(_find(folder, archive) is None for archive in one.archives))


def instructions(card: Card, root: Path, failed: list[str]) -> str:
    """One line: what was tried, and which file to put where before the next call."""
    folder = download_folder(card, root)
    ways = []
    for mirror in card.mirrors:
        files = ", ".join(f"{_address(archive)} as {folder / archive.name}" for archive in mirror.archives)
        note = f" ({mirror.note})" if mirror.note else ""
        ways.append(f"{files}{note}" if files else mirror.note)
    ways.append(f"or the folders images/ and masks/ in {root / card.folders[0]}")
    tried = f" ({'; '.join(shorten(reason, 250, placeholder=' ...') for reason in failed)})" if failed else ""
    home = f"; home page {card.home.pages[0]}" if card.home.pages else ""
    return (
        f"{card.name}: could not be fetched{tried}. Put one of these there by hand and call fetch again: "
        f"{'; '.join(ways)}{home}"
    )


def _find(folder: Path, archive: Archive) -> Path | None:
    path = folder / archive.name
    repacked = [folder / (path.stem + suffix) for suffix in (".zip", ".tar", ".tar.gz")]
    return next((file for file in (path, *repacked) if file.is_file()), None)


def _address(archive: Archive) -> str:
    is_web = "://" in archive.address
    return archive.address if is_web else f"https://drive.google.com/uc?id={archive.address}"
