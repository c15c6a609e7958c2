"""A disk that is full, a disk that cannot be written to, a folder of another user."""

import os
import resource
import shutil
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from .child import forked
from .jobs import Job
from .surroundings import Setting, Skipped, judged

SHARES = (0.0, 0.05, 0.2, 0.4, 0.6, 0.75, 0.9, 1.0)  # of what the finished work takes, beside what is there
PAGE = 4096
NOBODY = 65534


def full_disk(job: Job, setting: Setting) -> Iterator[list[str]]:
    """A disk of several sizes, on which the work does not fit or just fits; then a large one."""
    if not _can_mount(setting.world):
        yield from _short_files(job, setting)
        return
    for share in SHARES:
        pages = _pages(job.start) + round(share * _pages(job.finished)) + 1
        with _disk(job, setting, f"size={pages * PAGE}") as folder:
            ended = forked(job.arguments, folder, setting.trials.output(folder))
            yield judged(
                job,
                folder,
                ended,
                setting,
                f"full disk of {pages} pages",
                restore=lambda folder=folder: _mount("-o", "remount,size=256m", str(folder)),
            )


def read_only(job: Job, setting: Setting) -> Iterator[list[str]]:
    """A disk that is mounted for reading only; then one that can be written to."""
    if not _can_mount(setting.world):
        raise Skipped("mounting needs root")
    with _disk(job, setting, "size=256m") as folder:
        _mount("-o", "remount,ro", str(folder))
        ended = forked(job.arguments, folder, setting.trials.output(folder))
        yield judged(
            job,
            folder,
            ended,
            setting,
            "read-only disk",
            codes=(2,) if job.writes else (0,),
            unchanged=True,
            restore=lambda: _mount("-o", "remount,rw", str(folder)),
        )


def another_user(job: Job, setting: Setting) -> Iterator[list[str]]:
    """A user who may read but not write; then the owner."""
    if os.geteuid() != 0:
        raise Skipped("becoming another user needs root")
    folder = setting.trials.new(job.start)
    ended = forked(job.arguments, folder, setting.trials.output(folder), prepare=lambda: become(NOBODY))
    codes = (2,) if job.writes else (0,)
    yield judged(job, folder, ended, setting, "another user", codes=codes, unchanged=True)


def become(user: int) -> None:
    """Gives up root for a user, for good."""
    os.setgroups([])
    os.setgid(user)
    os.setuid(user)


def _short_files(job: Job, setting: Setting) -> Iterator[list[str]]:
    """In place of a full disk: no file may be longer than a part of the longest of the finished work."""
    longest = max(path.stat().st_size for path in job.finished.rglob("*") if path.is_file())
    for share in SHARES[1:]:
        limit = round(share * longest)
        folder = setting.trials.new(job.start)
        ended = forked(
            job.arguments,
            folder,
            setting.trials.output(folder),
            prepare=lambda limit=limit: resource.setrlimit(resource.RLIMIT_FSIZE, (limit, limit)),
        )
        yield judged(job, folder, ended, setting, f"files of {limit} bytes at most")


@contextmanager
def _disk(job: Job, setting: Setting, size: str) -> Iterator[Path]:
    """A trial's folder on a disk of its own in memory; what went wrong there is copied before it goes."""
    folder = setting.trials.new()
    _mount("-t", "tmpfs", "-o", f"{size},mode=755", "sodbench-faults", str(folder))
    try:
        shutil.copytree(job.start, folder, dirs_exist_ok=True)
        yield folder
    finally:
        if (folder / "what-is-wrong.txt").exists():
            shutil.copytree(folder, folder.with_name(f"{folder.name}-kept"))
        subprocess.run(["umount", "--lazy", str(folder)], check=True)
        folder.rmdir()


def _can_mount(world: Path) -> bool:
    folder = world / "mounted"
    folder.mkdir(exist_ok=True)
    try:
        _mount("-t", "tmpfs", "-o", "size=4k", "sodbench-faults", str(folder))
    except (OSError, subprocess.CalledProcessError):
        return False
    subprocess.run(["umount", str(folder)], check=True)
    return True


def _mount(*arguments: str) -> None:
    subprocess.run(["mount", *arguments], check=True, capture_output=True)


def _pages(folder: Path) -> int:
    sizes = [path.stat().st_size for path in folder.rglob("*") if path.is_file()]
    return sum(-(-size // PAGE) for size in sizes)
