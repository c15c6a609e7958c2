"""Downloads a data set from its mirrors into the data root, atomically.

The archives of the first mirror that answers are downloaded (resumed, checked), or taken from the download
folder if a person has put them there. They are unpacked, brought into the standard layout and repaired in the
download folder, and then renamed into place. `fetched.json` in the set's folder says where the set came from
and what was done. Where a download is not allowed or fails, the error says which file to put where; the next
call takes it from there.
"""

import shutil
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from sodbench.data.card import Archive, Card, Mirror
from sodbench.data.folder import open_dataset
from sodbench.data.getting.download import DownloadError, download
from sodbench.data.getting.limits import limits_of
from sodbench.data.getting.manual import download_folder, instructions, local_archive, local_first
from sodbench.data.getting.standardise import StandardCopy, standardise
from sodbench.data.getting.unpack import unpack
from sodbench.data.layout import find_folders
from sodbench.errors import InputError
from sodbench.files import locked, sha256_of, write_text
from sodbench.json_text import to_json

Notify = Callable[[str], None]
LocalArchives = list[tuple[Archive, Path]]


@dataclass(frozen=True)
class Fetched:
    """What `fetch` did: the set's folder, its pairs, and the log of repairs ("already there" if none)."""

    name: str
    folder: Path
    pairs: int
    expected: int
    log: tuple[str, ...]


def fetch(
    card: Card,
    root: Path,
    *,
    replace: bool = False,
    keep_archives: bool = False,
    progress: bool = False,
    notify: Notify = lambda line: None,
) -> Fetched:
    """Fetches one set into `root`; raises InputError with what to do where that is not possible.

    A complete set is left alone; a part of a set is replaced only with `replace`. Of two processes that fetch
    the same set the second waits for the first and finds it done. `notify` is given one line per step.
    """
    if card.generator:
        dataset = open_dataset(card.name)
        return Fetched(card.name, dataset.folder, len(dataset), card.expected, ("made, not fetched",))
    if card.location is not None:
        raise InputError(f"{card.name}: a set of your own, at {card.location}; there is nothing to fetch")
    try:
        root.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise InputError(f"{root}: cannot be made ({error.strerror}); name another data root") from None
    folder = download_folder(card, root)
    lock = folder.with_name(f"{card.name}.lock")
    with locked(
        lock,
        waiting=lambda: notify(f"{card.name}: another process is fetching it; waiting"),
        remedy="name another data root",
    ):
        _recover(root / card.folders[0])
        _clear_away(card, root)
        present = None if replace else _present(card, root)
        if present is not None:
            return present
        failed: list[str] = []
        for mirror in local_first(folder, card.mirrors):
            try:
                fetched = _from_mirror(card, mirror, root, replace, keep_archives, progress, notify)
            except (DownloadError, InputError) as error:
                notify(f"{card.name}: {error}")
                failed.append(str(error))
                continue
            _clear_away(card, root)
            return fetched
        raise InputError(instructions(card, root, failed))


def _present(card: Card, root: Path) -> Fetched | None:
    _, folder = find_folders(card, root)
    if folder is None or (card.split.of and not card.owns_folder(folder.name)):
        return None
    pairs = len(open_dataset(card.name, root))
    if pairs < card.expected:
        raise InputError(
            f"{folder}: holds {pairs} of {card.expected} pairs of {card.name}, and is not touched; "
            "--replace fetches the whole set in its place"
        )
    return Fetched(card.name, folder, pairs, card.expected, ("already there",))


def _from_mirror(
    card: Card,
    mirror: Mirror,
    root: Path,
    replace: bool,
    keep_archives: bool,
    progress: bool,
    notify: Notify,
) -> Fetched:
    folder = download_folder(card, root)
    archives = _archives(card, mirror, folder, progress, notify)
    unpacked, result = _working_folders(folder)
    try:
        copy = _unpack_all(card, archives, unpacked, result)
        log = list(copy.log)
        if copy.pairs != card.expected:
            log.append(f"{copy.pairs} pairs, and the card expects {card.expected}")
        target = root / card.folders[0]
        fetched = Fetched(card.name, target, copy.pairs, card.expected, tuple(log))
        _write_record(fetched, mirror, archives, result / "fetched.json")
        if not keep_archives:
            write_text(_no_longer_needed(folder), sha256_of(result / "fetched.json") + "\n")
        _put_in_place(result, target, replace)
        return fetched
    finally:
        shutil.rmtree(unpacked, ignore_errors=True)
        shutil.rmtree(result, ignore_errors=True)


def _working_folders(folder: Path) -> tuple[Path, Path]:
    """Where the archives in a download folder are unpacked, and where the set is arranged."""
    return folder / "unpacked", folder / "arranged"


def _no_longer_needed(folder: Path) -> Path:
    """The file that says: a download folder can go once the set with this digest of `fetched.json` is there.

    It is written before the set is put in place, so that a later call can clear away after a killed process.
    """
    return folder.with_name(f"{folder.name}.fetched")


def _clear_away(card: Card, root: Path) -> None:
    """Removes what was needed for a set that is in place, and what a killed process has unpacked."""
    folder = download_folder(card, root)
    note, record = _no_longer_needed(folder), root / card.folders[0] / "fetched.json"
    for left_by_a_killed_process in _working_folders(folder):
        shutil.rmtree(left_by_a_killed_process, ignore_errors=True)
    if note.is_file():
        if record.is_file() and note.read_text("utf-8", "replace").strip() == sha256_of(record):
            shutil.rmtree(folder, ignore_errors=True)
        note.unlink()


def _archives(card: Card, mirror: Mirror, folder: Path, progress: bool, notify: Notify) -> LocalArchives:
    folder.mkdir(parents=True, exist_ok=True)
    archives = []
    for archive in mirror.archives:
        path = local_archive(folder, archive)
        if path is None and mirror.kind == "manual":
            raise DownloadError(f"{archive.name}: has to be downloaded by hand")
        if path is None:
            notify(f"{archive.name}: from {'Drive file ' if mirror.kind == 'drive' else ''}{archive.address}")
            path = download(archive, mirror.kind, folder, progress, limits_of(card).total)
        archives.append((archive, path))
    return archives


def _unpack_all(card: Card, archives: LocalArchives, unpacked: Path, result: Path) -> StandardCopy:
    try:
        for archive, path in archives:
            unpack(path, unpacked / archive.into, limits_of(card))
            if archive.into:
                _lift(unpacked / archive.into)
        return standardise(unpacked, card, result)
    except InputError:
        # out of the way of the next mirror, whose archive may have the same name; but not deleted
        for _, path in archives:
            path.replace(path.with_name(path.name + ".bad"))
        raise


def _lift(folder: Path) -> None:
    """Takes away needless folders around the content: images/images/*.jpg becomes images/*.jpg."""
    while len(inside := list(folder.iterdir())) == 1 and inside[0].is_dir():
        spare = folder.with_name(folder.name + ".spare")
        inside[0].rename(spare)
        folder.rmdir()
        spare.rename(folder)


def _write_record(fetched: Fetched, mirror: Mirror, archives: LocalArchives, path: Path) -> None:
    record = {
        "set": fetched.name,
        "mirror": mirror.note,
        "archives": [
            {
                "address": archive.address,
                "name": file.name,
                "size": file.stat().st_size,
                "sha256": sha256_of(file),
            }
            for archive, file in archives
        ],
        "pairs": fetched.pairs,
        "expected": fetched.expected,
        "log": fetched.log,
        "fetched": datetime.now(UTC).isoformat(timespec="seconds"),
    }
    write_text(path, to_json(record, indent=1) + "\n")


def _former(target: Path) -> Path:
    """Where the former set is kept while the new one is put in its place."""
    return target.with_name(f".{target.name}.old")


def _recover(target: Path) -> None:
    """Clears up after a process that was killed while it replaced `target`."""
    old = _former(target)
    if old.is_dir() and not target.exists():
        old.rename(target)
    shutil.rmtree(old, ignore_errors=True)


def _put_in_place(folder: Path, target: Path, replace: bool) -> None:
    if not target.exists():
        folder.rename(target)
        return
    if not replace:
        raise InputError(f"{target}: exists already and is not touched; --replace puts the new set there")
    old = _former(target)
    try:
        target.rename(old)
        folder.rename(target)
    finally:
        if not target.exists():  # an error, or a signal between the two
            old.rename(target)
        shutil.rmtree(old, ignore_errors=True)
