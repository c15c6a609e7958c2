"""The script: see the package's text."""

import argparse
import random
import shutil
import sys
import tempfile
import time
from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path

from .child import start_up
from .disks import another_user, full_disk, read_only
from .jobs import COMMANDS, Job, Trials, make_jobs
from .kills import SIGNALS, struck
from .others import network, writers
from .server import serving
from .surroundings import Fault, Setting, Skipped
from .table import Count, as_markdown, cells_of, write_cells
from .users import clock, no_home, streams
from .world import make_world

FAULTS: dict[str, Fault] = {
    "full disk": full_disk,
    "read-only disk": read_only,
    "another user": another_user,
    "no home": no_home,
    "clock set back": clock,
    "closed or full streams": streams,
    "eight writers": writers,
    "network cut": network,
}
ALL = [*SIGNALS, *FAULTS]
ROUND = 5  # moments of a command and signal in a row


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m tests.faults", description=__doc__)
    parser.add_argument("--commands", nargs="+", choices=COMMANDS, default=COMMANDS)
    parser.add_argument("--faults", nargs="+", choices=ALL, default=ALL, metavar="FAULT", help=", ".join(ALL))
    parser.add_argument("--signals", nargs="+", choices=SIGNALS, help="only these signals, no other faults")
    parser.add_argument("--moments", type=int, default=50, help="moments of each command and signal (50)")
    parser.add_argument("--new", type=int, default=1, help="of these in a new process, imports included (1)")
    parser.add_argument(
        "--untimed", action="store_true", help="strike before file operations only, so that no time decides"
    )
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--folder", type=Path, help="where to work and to keep what failed (a temporary one)")
    parser.add_argument("--no-table", action="store_true", help="leave docs/reliability.md as it is")
    args = parser.parse_args()
    faults = args.signals or args.faults
    folder = Path(tempfile.mkdtemp(prefix="sodbench-faults-", dir=args.folder)).resolve()
    folder.chmod(0o755)
    start_up(args.commands)
    make_world(folder, args.commands)
    counts: dict[tuple[str, str], Count] = defaultdict(Count)
    with serving((folder / "t.zip").read_bytes()) as address:
        trials = Trials(folder)
        jobs = make_jobs(folder, trials, address, args.commands)
        for job in jobs:
            print(f"{job.name}: {job.seconds:.2f} s, {job.operations} file operations", flush=True)
        setting = Setting(folder, trials, address, random.Random(args.seed))
        draws = {
            (fault, command): random.Random(f"{args.seed} {fault} {command}")
            for fault in faults
            for command in args.commands
        }
        for fault, command, numbers in _turns(faults, args.commands, args.moments):
            of_command = [job for job in jobs if job.command == command]
            began, count, draw = time.monotonic(), counts[fault, command], draws[fault, command]
            known = len(count.failures)
            for number in numbers:
                job, anew = of_command[number % len(of_command)], number < args.new
                count.trials += 1
                count.failures += struck(job, fault, trials, draw, anew=anew, untimed=args.untimed)
            if fault in FAULTS:
                _others(count, fault, of_command, replace(setting, draw=draw))
            if str(count) != "-":
                print(f"{fault}, {command}: {count} ({time.monotonic() - began:.0f} s)", flush=True)
            for failure in count.failures[known:]:
                print(f"  FAILED {failure}", flush=True)
            if not args.no_table:
                write_cells(cells_of(counts), ALL)  # each at once: what was measured is not lost
    print("\n" + as_markdown(cells_of(counts), ALL))
    failed = sum(len(count.failures) for count in counts.values())
    print(f"{sum(count.trials for count in counts.values())} trials, {failed} failures")
    if not failed:
        shutil.rmtree(folder, ignore_errors=True)
    return 1 if failed else 0


def _turns(faults: Sequence[str], commands: Sequence[str], moments: int) -> Iterator[tuple[str, str, range]]:
    """Fault, command and the numbers of the moments; first the other faults, then the signals in rounds.

    Rounds, so that a script that is stopped has tried all of them.
    """
    for fault in faults:
        if fault not in SIGNALS:
            yield from ((fault, command, range(0)) for command in commands)
    for first in range(0, moments, ROUND):
        for fault in faults:
            if fault in SIGNALS:
                numbers = range(first, min(first + ROUND, moments))
                yield from ((fault, command, numbers) for command in commands)


def _others(count: Count, fault: str, jobs: list[Job], setting: Setting) -> None:
    for job in jobs:
        try:
            for problems in FAULTS[fault](job, setting):
                count.trials += 1
                count.failures += problems
        except Skipped as reason:
            count.skipped = str(reason)


if __name__ == "__main__":
    sys.exit(main())
