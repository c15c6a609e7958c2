"""The commands under test: what each starts from, and what an undisturbed call leaves."""

import shutil
import tempfile
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from .child import Ended, forked, warm_up
from .compare import Contents, contents, digest
from .world import PAIRS, write_card

# what a replacement leaves that is killed between two renames; the command run again puts things right
HIDDEN = "the older one lies under a hidden name only"
COMMANDS = ("run", "train", "score", "report", "fetch", "audit", "stress", "runs", "publish")
_DATA = ("--data-root", "../../data")
_RUN = ("run", "../../net.py:create", "--name", "mine", "--datasets", "ecssd", "--device", "cpu", *_DATA)
_SCORE = ("--name", "mine", "--dataset", "ecssd", *_DATA)
_TRAIN = ("train", "../../net.py:create", "--out", "out", "--resume", "--device", "cpu", *_DATA)
_SUITE = """
title = "Own"
datasets = ["ecssd"]
[[methods]]
name = "mine"
baseline = "../../net.py:create"
train = true
"""
_RUN_SUITE = ("suite", "run", "own.toml", "--trust", "--loaders", "0", "--device", "cpu", *_DATA)
_REPORT = (
    "report",
    "--formats",
    "markdown",
    "html",
    "latex",
    "csv",
    "json",
    "--figures",
    "pr",
    "--gallery",
    "1",
    "--attributes",
)
_STRESS = (
    "stress",
    "../../net.py:create",
    "--datasets",
    "ecssd",
    "--device",
    "cpu",
    "--kinds",
    "storage",
    *_DATA,
)
_PUBLISH = ("publish", "site", "--replace", "--figures", "pr", "--pictures", "ecssd", "--gallery", "1")
_FETCH = ("datasets", "fetch", "t", "--data-root", "data")


@dataclass(frozen=True)
class Job:
    """One command from one start.

    start: the folder that a trial begins with. finished: what an undisturbed call makes of it. before, after:
    the contents of the two. seconds, operations: what that call took; an operation opens a file for writing,
    renames, removes or makes one. once: where its work is done, the command has none and says so.
    """

    command: str
    name: str
    arguments: tuple[str, ...]
    start: Path
    finished: Path
    before: Contents
    after: Contents
    seconds: float
    operations: int
    once: bool = False

    @property
    def writes(self) -> bool:
        """Whether the command is to leave anything; the audit of records is not."""
        return self.before != self.after


class Trials:
    """The folders of the trials, all at one depth so that relative paths agree."""

    def __init__(self, world: Path) -> None:
        self.folder, self.outputs = world / "trials", world / "outputs"
        for folder in (self.folder, self.outputs):
            folder.mkdir(exist_ok=True)
            folder.chmod(0o755)

    def new(self, start: Path | None = None) -> Path:
        """A new folder with the content of `start`."""
        folder = Path(tempfile.mkdtemp(dir=self.folder))
        folder.chmod(0o755)
        if start is not None:
            shutil.copytree(start, folder, dirs_exist_ok=True)
        return folder

    def output(self, folder: Path, name: str = "") -> Path:
        return self.outputs / f"{folder.name}{name}"


def make_jobs(world: Path, trials: Trials, address: str, commands: Iterable[str]) -> list[Job]:
    """Every command from an empty start and from one that holds something older."""
    jobs: list[Job] = []

    def undisturbed(start: Path, *arguments: str) -> Ended:
        ended = forked(arguments, start, trials.output(start))
        if ended.code != 0:
            raise SystemExit(f"sodbench {' '.join(arguments)} fails without any fault: {ended.err}")
        return ended

    def add(command: str, name: str, start: Path, *arguments: str) -> None:
        warm_up(arguments, trials.new(start))
        folder = trials.new(start)
        ended = undisturbed(folder, *arguments)
        before, after = contents(start), contents(folder)
        measured = (ended.seconds, ended.operations)
        once = command == "runs"
        jobs.append(Job(command, name, arguments, start, folder, before, after, *measured, once))

    for command in commands:
        empty, older = trials.new(), trials.new()
        if command == "run":
            undisturbed(older, *_RUN, "--weights", "../../weights_before.pth")
            add(command, "run", empty, *_RUN, "--weights", "../../weights.pth")
            add(
                command,
                "run over an older record",
                older,
                *_RUN,
                "--weights",
                "../../weights.pth",
                "--replace",
            )
        elif command == "train":
            add(command, "train", empty, *_TRAIN, "--workers", "0")
            add(command, "train with a cache", empty, *_TRAIN, "--workers", "1", "--cache")
            suite = trials.new()
            (suite / "own.toml").write_text(_SUITE)
            add(command, "train and score in a suite", suite, *_RUN_SUITE)
        elif command == "score":
            undisturbed(older, "score", "../../maps_before", *_SCORE)
            add(command, "score", empty, "score", "../../maps", *_SCORE)
            add(command, "score over an older record", older, "score", "../../maps", *_SCORE, "--replace")
            parts = trials.new(older)
            for shard in ("1/2", "2/2"):
                undisturbed(parts, "score", "../../maps_before", *_SCORE, "--shard", shard)
            add(command, "score a shard", parts, "score", "../../maps", *_SCORE, "--shard", "2/2")
            add(command, "merge over an older record", parts, "merge", "reports")
        elif command == "report":
            for folder in (empty, older):
                for maps in ("maps", "maps_before"):
                    undisturbed(folder, "score", f"../../{maps}", "--dataset", "ecssd", *_DATA)
            undisturbed(older, *_REPORT, "--digits", "6", "--methods", "maps")
            add(command, "report", empty, *_REPORT)
            add(command, "report over an older one", older, *_REPORT)
        elif command == "fetch":
            for folder in (empty, older):
                write_card(folder, f"{address}/whole/t.zip")
            _incomplete(world / "data" / "ECSSD", older / "data" / "T")
            add(command, "fetch", empty, *_FETCH)
            add(command, "fetch over an incomplete set", older, *_FETCH, "--replace")
        elif command == "audit":
            undisturbed(older, "score", "../../maps", *_SCORE)
            add(command, "audit", older, "audit", *_DATA)
        elif command == "stress":
            weights, more = ("--weights", "../../weights.pth"), ("--severities", "1")
            undisturbed(older, *_STRESS, "--weights", "../../weights_before.pth", *more)
            add(command, "stress", empty, *_STRESS, *weights, *more)
            add(command, "stress over an older record", older, *_STRESS, *weights, *more, "--replace")
        elif command == "runs":
            undisturbed(older, "score", "../../maps", *_SCORE)
            undisturbed(older, "score", "../../maps", *_SCORE, "--shard", "1/2")
            undisturbed(older, "score", "../../maps", "--masks", "../../maps_before", "--name", "mine")
            add(command, "runs rm", older, "runs", "rm", "mine", "--with", "shards")
            add(command, "runs mv", older, "runs", "mv", "mine", "renamed")
        elif command == "publish":
            for folder in (empty, older):
                undisturbed(folder, "score", "../../maps", "--dataset", "ecssd", *_DATA)
            undisturbed(older, *_PUBLISH, "--digits", "6", "--methods", "maps")
            add(command, "publish", empty, *_PUBLISH)
            add(command, "publish over an older folder", older, *_PUBLISH)
    return jobs


def torn(job: Job, folder: Path) -> list[str]:
    """What a disturbed command left that is neither as before nor as after: one line each."""
    from sodbench.results.loading import read_records

    records = read_records(folder / "reports")
    problems = [f"a record that cannot be read: {problem}" for problem in records.problems]
    for run in records.runs:
        (of_run,) = {table.folder for table in run.tables.values()}
        for path in of_run.iterdir():
            name = f"reports/runs/{run.name}/{run.dataset}/{path.name}"
            if digest(path) not in (job.before.get(name), job.after.get(name)):
                problems.append(f"a record neither old nor new: {name}")
    found = {f"reports/runs/{run.name}/{run.dataset}/run.json" for run in records.runs}
    before, after = (
        {name for name in of if name.startswith("reports/") and name.endswith("/run.json")}
        for of in (job.before, job.after)
    )
    if not (before <= found or after <= found):
        problems.append(f"{len(before - found)} of {len(before)} older records lost")
    if job.command == "fetch":
        return problems + _torn_set(job, folder / "data" / "T")
    if job.command == "publish":
        return problems + _torn_site(job, folder / "site")
    for path in folder.rglob("*"):
        name = path.relative_to(folder)
        if path.is_dir() or any(part.startswith(".") for part in name.parts) or name.parts[0] == "cache":
            continue
        if path.suffix == ".jsonl":
            continue  # its last line may be cut: the reader drops it
        found = digest(path)
        known = (job.before.get(str(name)), job.after.get(str(name)))
        on_the_way = job.command == "train" and not found.startswith("unreadable") and path.suffix == ".pt"
        if found not in known and not on_the_way and not _changes_while_training(job, path):
            problems.append(f"torn: {name}")
    return problems


def _changes_while_training(job: Job, path: Path) -> bool:
    """Whether a whole file may hold another content before the training's end."""
    if job.command != "train":
        return False
    if path.suffix == ".png":
        from PIL import Image

        with Image.open(path) as image:
            image.load()
        return True
    return path.name == "loss.svg" and path.read_text().rstrip().endswith("</svg>")


def _torn_site(job: Job, site: Path) -> list[str]:
    """A published folder that is neither the older one nor the new one, whole."""

    def inside(found: Contents) -> Contents:
        return {name[5:]: one for name, one in found.items() if name.startswith("site/") and name != "site/"}

    old, new = inside(job.before), inside(job.after)
    if (contents(site) if site.exists() else {}) in (old, new):
        return []
    if not site.exists() and old in map(contents, site.parent.glob(".site.old-*")):
        return [HIDDEN]
    return ["a published folder neither old nor new"]


def _torn_set(job: Job, target: Path) -> list[str]:
    def inside(found: Contents) -> Contents:
        return {name: one for name, one in found.items() if name.startswith("data/T/")}

    found = inside(contents(target.parent.parent)) if target.exists() else {}
    old, new = inside(job.before), inside(job.after)
    if found in (old, new):
        return []
    if not found and list(target.parent.glob(".T.old*")):
        return [HIDDEN]
    return ["a data set neither old nor new"]


def _incomplete(source: Path, target: Path) -> None:
    """A part of the set in the standard layout, as a person may have copied it."""
    for kind, of in (("images", "images"), ("masks", "ground_truth_mask")):
        (target / kind).mkdir(parents=True)
        for path in sorted((source / of).iterdir())[: PAIRS // 2]:
            shutil.copy(path, target / kind / path.name)
