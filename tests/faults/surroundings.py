"""What the faults other than signals share: their setting, and how a trial is judged."""

import random
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

from .child import Ended
from .compare import Contents, contents, differences
from .jobs import Job, Trials, torn
from .kills import closed, repeated, wrong_end


class Skipped(Exception):
    """Why a fault cannot be made here."""


@dataclass(frozen=True)
class Setting:
    """Where the trials take place: the world's folder, the server's address, the random numbers."""

    world: Path
    trials: Trials
    address: str
    draw: random.Random


# one list of failures per trial
Fault = Callable[[Job, Setting], Iterator[list[str]]]


def judged(
    job: Job,
    folder: Path,
    ended: Ended,
    setting: Setting,
    what: str,
    *,
    codes: tuple[int, ...] = (0, 2),
    seen: bool = True,
    unchanged: bool = False,
    restore: Callable[[], None] = lambda: None,
) -> list[str]:
    """What is wrong after a command under a fault, and after the same command without it.

    codes: the exit codes that are right; with 0 the result must be complete. seen: whether stderr could be
    read. unchanged: a failure leaves everything as it was. restore: takes the fault away.
    """
    if job.arguments[0] == "suite" and 2 in codes:
        codes = (*codes, 1)  # a step has failed
    if seen:
        problems = wrong_end(ended, codes)
    else:
        problems = [f"exit code {ended.code}"] if ended.code not in codes else []
    problems += torn(job, folder)
    if ended.code == 0:
        problems += differences(without_cache(contents(folder)), without_cache(job.after))
    elif unchanged:
        problems += differences(contents(folder), job.before)
    restore()
    problems += repeated(job, folder, setting.trials)
    return closed(job, folder, problems, f"{job.name}, {what}", ended)


def without_cache(found: Contents) -> Contents:
    """Without the cache of a trial, which a user without a home cannot have."""
    return {name: one for name, one in found.items() if not name.startswith("cache/")}
