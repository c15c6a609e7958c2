"""Commands on recorded runs: wrong names, taken names, damaged records; and runs that a record refuses."""

import shutil

import numpy as np
from PIL import Image

from .case import Case
from .good import NET
from .world import World

REPORTS = ("work/reports/*",)
SCORE = ("score", "maps/DSS", "--dataset", "sod", "--name", "DSS", "--quiet")


def _other_map(world: World) -> None:
    path = next((world.work / "maps/DSS").iterdir())
    Image.fromarray(255 - np.asarray(Image.open(path))).save(path)


def _foreign(world: World) -> None:
    (world.record() / "notes.txt").write_text("mine")


def _damaged(world: World) -> None:
    (world.record() / "curves.parquet").write_bytes(b"PAR1")


def _not_text(world: World) -> None:
    (world.record() / "run.json").write_bytes(b"\xff\xfe")


def _in_another_place(world: World) -> None:
    shutil.copytree(world.record(), world.record("Copy"))


CASES = [
    Case(
        "stored-runs/list-unknown", ("runs", "list", "--methods", "DDS"), says="'DDS' \\(did you mean 'DSS'"
    ),
    Case("stored-runs/list-unknown-set", ("runs", "list", "--datasets", "sods"), says="'sods'.*'sod'"),
    Case("stored-runs/list-nothing", ("runs", "list", "--reports", "none"), says="no runs in none"),
    Case("stored-runs/list-a-file", ("runs", "list", "--reports", "net.py"), says="no runs in net\\.py"),
    Case(
        "stored-runs/list-damaged",
        ("runs", "list"),
        code=0,
        build=_damaged,
        says=r"note: skipped \S+DSS/sod: (?!.*skipped)",
    ),
    Case("stored-runs/no-action", ("runs",), says="ACTION"),
    Case("stored-runs/show-unknown", ("runs", "show", "nobody"), says="unknown method 'nobody'"),
    Case("stored-runs/show-unknown-set", ("runs", "show", "DSS", "--dataset", "own"), says="data set of DSS"),
    Case("stored-runs/show-damaged", ("runs", "show", "DSS"), build=_damaged, says="curves\\.parquet"),
    Case("stored-runs/show-no-text", ("runs", "show", "DSS"), build=_not_text, says="run\\.json"),
    Case(
        "stored-runs/show-copied", ("runs", "show", "Copy"), build=_in_another_place, says="copied or renamed"
    ),
    Case("stored-runs/rm-nothing", ("runs", "rm"), says="NAME"),
    Case("stored-runs/rm-pattern", ("runs", "rm", "*"), says="unknown method '\\*'"),
    Case("stored-runs/rm-one-unknown", ("runs", "rm", "DSS", "Other."), says="'Other.' .*'Other'"),
    Case("stored-runs/rm-empty-name", ("runs", "rm", ""), says="a run needs a name"),
    Case("stored-runs/rm-above", ("runs", "rm", ".."), says="unknown method '\\.\\.'"),
    Case("stored-runs/rm-a-path", ("runs", "rm", "DSS/sod"), says="unknown method 'DSS/sod'"),
    Case("stored-runs/rm-unknown-set", ("runs", "rm", "DSS", "--dataset", "*"), says="data set of DSS '\\*'"),
    Case("stored-runs/rm-unknown-kind", ("runs", "rm", "DSS", "--with", "maps"), says="'maps'.*shards"),
    Case("stored-runs/rm-foreign", ("runs", "rm", "Other", "DSS"), build=_foreign, says="holds notes\\.txt"),
    Case("stored-runs/rm", ("runs", "rm", "DSS"), code=0, changes=REPORTS, prints="removed .*DSS.sod"),
    Case("stored-runs/rm-damaged", ("runs", "rm", "DSS"), code=0, build=_not_text, changes=REPORTS),
    Case("stored-runs/mv-unknown", ("runs", "mv", "DDS", "new"), says="'DDS' \\(did you mean 'DSS'"),
    Case("stored-runs/mv-taken", ("runs", "mv", "DSS", "Other"), says="Other on sod already"),
    Case("stored-runs/mv-same", ("runs", "mv", "DSS", "DSS"), says="the former one"),
    Case("stored-runs/mv-empty", ("runs", "mv", "DSS", ""), says="a run needs a name"),
    Case("stored-runs/mv-long", ("runs", "mv", "DSS", "x" * 300), says="choose a shorter one"),
    Case("stored-runs/mv-surrogate", ("runs", "mv", "DSS", b"\xff"), says="not text"),
    Case("stored-runs/mv-damaged", ("runs", "mv", "DSS", "new"), build=_damaged, says="curves\\.parquet"),
    Case("stored-runs/mv-copied", ("runs", "mv", "Copy", "new"), build=_in_another_place, says="copied or"),
    Case("stored-runs/mv-up", ("runs", "mv", "DSS", "../up"), code=0, changes=REPORTS, prints="%2E\\.%2Fup"),
    Case("stored-runs/other-maps", SCORE, build=_other_map, says="a record of other maps.*--replace"),
    Case("stored-runs/other-maps-replaced", (*SCORE, "--replace"), code=0, build=_other_map, changes=REPORTS),
    Case(
        "stored-runs/predicted-over-given",
        ("run", *NET, "--datasets", "sod", "--name", "DSS", "--quiet"),
        says="made elsewhere.*--replace",
    ),
    Case(
        "stored-runs/other-settings",
        ("run", *NET, "--datasets", "sod", "--name", "net", "--precision", "bf16", "--quiet"),
        says="maps of other settings \\(precision: bf16, was fp32\\).*--replace",
    ),
]
