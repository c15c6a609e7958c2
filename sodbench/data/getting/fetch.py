"""Gets a data set from its mirrors into the data root, whole or not at all.

The archives of the first mirror that answers are downloaded (resumed, checked) or, if a person has put them
into the store, taken from there; they are unpacked beside their place, brought into one layout, repaired and
then renamed into place. `fetched.json` in the set's folder says where it came from and what was done. Where
nothing may or can be fetched, the error says which file to put where; the next call takes it from there.
"""

import json
import shutil
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from sodbench.data.card import Archive, Card, Mirror
from sodbench.data.folder import open_dataset
from sodbench.data.getting.archive import unpack
from sodbench.data.getting.arrange import Arranged, arrange
from sodbench.data.getting.download import DownloadError, download
from sodbench.data.getting.instructions import at_hand_first, instructions, put_by_hand, store_of
from sodbench.data.layout import find_folder
from sodbench.errors import InputError
from sodbench.files import sha256_of, write_text
from sodbench.lock import locked

Say = Callable[[str], None]
Got = list[tuple[Archive, Path]]


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
    replace: bool = False,
    keep_archives: bool = False,
    progress: bool = False,
    say: Say = lambda line: None,
) -> Fetched:
    """Fetches one set into `root`; raises InputError with what to do where that is not possible.

    A set that is complete is left alone; a part of a set is replaced only if `replace` says so. Two
    processes that fetch the same set do so one after the other, and the second finds it done.
    """
    if card.generator:
        dataset = open_dataset(card.name)
        return Fetched(card.name, dataset.folder, len(dataset.samples), card.count, ("made, not fetched",))
    if card.location is not None:
        raise InputError(f"{card.name}: a set of your own, at {card.location}; there is nothing to fetch")
    try:
        root.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise InputError(f"{root}: cannot be made ({error.strerror}); name another data root") from None
    store = store_of(card, root)
    lock = store.with_name(f"{card.name}.lock")
    with locked(lock, lambda: say(f"{card.name}: another process is fetching it; waiting")):
        here = None if replace else _present(card, root)
        if here is not None:
            return here
        failed: list[str] = []
        for mirror in at_hand_first(store, card.mirrors):
            try:
                done = _from_mirror(card, mirror, root, replace, progress, say)
            except (DownloadError, InputError) as error:
                say(f"{card.name}: {error}")
                failed.append(str(error))
                continue
            if not keep_archives:
                shutil.rmtree(store, ignore_errors=True)
            return done
        raise InputError(instructions(card, root, failed))


def _present(card: Card, root: Path) -> Fetched | None:
    _, folder = find_folder(card, root)
    if folder is None or (
        card.split_of and folder.name.lower() not in {name.lower() for name in card.folders}
    ):
        return None
    dataset = open_dataset(card.name, root)
    pairs = len(dataset.samples)
    if pairs < card.count:
        raise InputError(
            f"{folder}: holds {pairs} of {card.count} pairs of {card.name}, and is not touched; "
            "--replace fetches the whole set in its place"
        )
    return Fetched(card.name, folder, pairs, card.count, ("already there",))


def _from_mirror(card: Card, mirror: Mirror, root: Path, replace: bool, progress: bool, say: Say) -> Fetched:
    store = store_of(card, root)
    got = _get(mirror, store, progress, say)
    work, made = store / "unpacked", store / "arranged"
    for left_by_a_killed_process in (work, made):
        shutil.rmtree(left_by_a_killed_process, ignore_errors=True)
    try:
        arranged = _unpack_all(card, got, work, made)
        log = list(arranged.log)
        if arranged.pairs != card.count:
            log.append(f"{arranged.pairs} pairs, and the card expects {card.count}")
        _write_record(card, mirror, got, Arranged(arranged.pairs, tuple(log)), made)
        target = root / card.folders[0]
        _put_in_place(made, target, replace)
        return Fetched(card.name, target, arranged.pairs, card.count, tuple(log))
    finally:
        shutil.rmtree(work, ignore_errors=True)
        shutil.rmtree(made, ignore_errors=True)


def _get(mirror: Mirror, store: Path, progress: bool, say: Say) -> Got:
    store.mkdir(parents=True, exist_ok=True)
    got = []
    for archive in mirror.archives:
        path = put_by_hand(store, archive)
        if path is None and mirror.kind == "manual":
            raise DownloadError(f"{archive.name}: to be fetched by hand")
        if path is None:
            say(f"{archive.name}: from {'Drive file ' if mirror.kind == 'drive' else ''}{archive.address}")
            path = download(archive, mirror.kind, store, progress)
        got.append((archive, path))
    return got


def _unpack_all(card: Card, got: Got, work: Path, made: Path) -> Arranged:
    try:
        for archive, path in got:
            unpack(path, work / archive.into)
            if archive.into:
                _lift(work / archive.into)
        return arrange(work, card, made)
    except InputError:
        # out of the way of the next mirror, which may call its archive the same; but not deleted
        for _, path in got:
            path.replace(path.with_name(path.name + ".bad"))
        raise


def _lift(folder: Path) -> None:
    """Takes away needless folders around the content: images/images/*.jpg becomes images/*.jpg."""
    while len(inside := list(folder.iterdir())) == 1 and inside[0].is_dir():
        spare = folder.with_name(folder.name + ".spare")
        inside[0].rename(spare)
        folder.rmdir()
        spare.rename(folder)


def _write_record(card: Card, mirror: Mirror, got: Got, arranged: Arranged, folder: Path) -> None:
    archives = [
        {"address": entry.address, "name": path.name, "size": path.stat().st_size, "sha256": sha256_of(path)}
        for entry, path in got
    ]
    record = {
        "set": card.name,
        "mirror": mirror.note,
        "archives": archives,
        "pairs": arranged.pairs,
        "expected": card.count,
        "log": arranged.log,
        "fetched": datetime.now(UTC).isoformat(timespec="seconds"),
    }
    write_text(folder / "fetched.json", json.dumps(record, indent=1) + "\n")


def _put_in_place(made: Path, target: Path, replace: bool) -> None:
    if not target.exists():
        made.rename(target)
        return
    if not replace:
        raise InputError(f"{target}: is there already and is not touched; --replace puts the new set there")
    old = target.with_name(f".{target.name}.old")
    shutil.rmtree(old, ignore_errors=True)
    target.rename(old)
    try:
        made.rename(target)
    except OSError:
        old.rename(target)
        raise
    shutil.rmtree(old, ignore_errors=True)
