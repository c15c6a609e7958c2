"""Signals at random moments: SIGKILL, SIGTERM and SIGINT, then the command again, undisturbed."""

import random
import shutil
import signal
from collections.abc import Sequence
from pathlib import Path

from .child import Blow, Ended, forked, launched
from .compare import contents, differences
from .jobs import HIDDEN, Job, Trials, torn

SIGNALS = {"SIGKILL": signal.SIGKILL, "SIGTERM": signal.SIGTERM, "SIGINT": signal.SIGINT}
# exit codes; the negative ones where the signal comes before or after what `main` watches over
CODES = {signal.SIGKILL: (-9,), signal.SIGTERM: (143, -15), signal.SIGINT: (130, -2)}
_IN_OPERATIONS = 0.4  # the share of trials that strike right before a file operation, which are few and short
_REDRAWS = 50  # a command that imports little ends before most moments in a new process


def struck(
    job: Job, name: str, trials: Trials, draw: random.Random, *, anew: bool = False, untimed: bool = False
) -> list[str]:
    """One trial: strikes the command at a random moment; returns what is wrong afterwards.

    anew: as `python -m sodbench`, so that the moment may fall into the imports. untimed: right before a file
    operation in every case.
    A moment after the command's end is drawn again.
    """
    for _ in range(_REDRAWS):
        folder = trials.new(job.start)
        blow = _moment(job, SIGNALS[name], draw, anew, untimed)
        if anew:
            ended = launched(job.arguments, folder, blow=blow)
        else:
            ended = forked(job.arguments, folder, trials.output(folder), blow=blow)
        if ended.struck and (ended.code != 0 or not anew):
            break
        shutil.rmtree(folder)
    else:
        return [f"{job.name}: no moment fell into the command"]
    codes = CODES[blow.signal]
    if blow.signal != signal.SIGKILL and not differences(contents(folder), job.after):
        codes = (*codes, 0)  # all work was done
    problems = wrong_end(ended, codes)
    problems += [one for one in torn(job, folder) if one != HIDDEN or blow.signal != signal.SIGKILL]
    problems += repeated(job, folder, trials)
    return closed(job, folder, problems, f"{job.name}, {blow}{' (new process)' * anew}", ended)


def repeated(job: Job, folder: Path, trials: Trials) -> list[str]:
    """Runs the command undisturbed where a fault has been, and compares with a folder where none was."""
    ended = forked(job.arguments, folder, trials.output(folder, "-again"))
    if ended.code != 0 and not (ended.code == 2 and job.once):
        return [f"repeated: exit code {ended.code}: {ended.last_line()}"]
    return [f"repeated: {line}" for line in differences(contents(folder), job.after)]


def wrong_end(ended: Ended, codes: Sequence[int]) -> list[str]:
    """An exit code other than these, a traceback, or more than one line of error; of a suite one per step."""
    problems = []
    if ended.code not in codes:
        expected = " or ".join(map(str, codes))
        problems.append(f"exit code {ended.code}, expected {expected}: {ended.last_line()}")
    # after a signal it is the interpreter's own, or that of a loader process whose trainer is gone
    if "Traceback" in ended.err and ended.code not in (-signal.SIGINT, -signal.SIGKILL):
        problems.append(f"a traceback: {ended.last_line()}")
    if "Exception ignored" in ended.err:
        problems.append(f"an exception that was ignored: {ended.last_line()}")
    errors = [line for line in ended.err.splitlines() if line.startswith("sodbench: error:")]
    if len(errors) != (ended.code == 2) and not (errors and ended.code == 1):
        problems.append(f"{len(errors)} lines of error with exit code {ended.code}")
    return problems


def closed(job: Job, folder: Path, problems: list[str], what: str, ended: Ended) -> list[str]:
    """Removes a trial's folder; where something is wrong it stays, and the lines say what and where."""
    if not problems:
        shutil.rmtree(folder, ignore_errors=True)
        return []
    (folder / "what-is-wrong.txt").write_text("\n".join([what, *problems, "", ended.err]))
    return [f"{what}: {'; '.join(problems[:4])} ({folder})"]


def _moment(job: Job, number: int, draw: random.Random, anew: bool, untimed: bool) -> Blow:
    if anew:
        return Blow(number, seconds=draw.uniform(0, 4 + job.seconds))
    if untimed or (draw.random() < _IN_OPERATIONS and job.operations):
        return Blow(number, operation=draw.randint(1, job.operations))
    return Blow(number, seconds=draw.uniform(0, job.seconds))
