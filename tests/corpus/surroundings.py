"""What surrounds a command: streams that are closed or full, no home, limits, folders of the environment."""

from .case import Case
from .good import NET

SCORE = ("score", "own", "--masks", "masks", "--name", "n", "--quiet")
RECORD = ("work/reports/*",)


def _set(**variables: str) -> tuple[tuple[str, str], ...]:
    return tuple(variables.items())


CASES = [
    # an error that cannot be printed is an error all the same
    Case(
        "surroundings/stderr-full-and-bad-input",
        ("score", "nowhere", "--dataset", "sod"),
        code=2,
        says="^$",
        stderr="/dev/full",
    ),
    Case(
        "surroundings/stderr-full-and-bad-option",
        ("score", "own", "--unheard"),
        code=2,
        says="^$",
        stderr="/dev/full",
    ),
    Case(
        "surroundings/stderr-full-and-a-note",
        ("score", "own", "--masks", "masks", "--name", "n"),
        code=(0, 2),
        stderr="/dev/full",
        changes=RECORD,
    ),
    Case(
        "surroundings/stderr-full-real",
        ("score", "nowhere", "--dataset", "sod"),
        code=2,
        says="^$",
        real=True,
        stderr="/dev/full",
        whole=True,
    ),
    Case(
        "surroundings/no-data-root",
        ("score", "maps/DSS", "--dataset", "sod", "--quiet"),
        says="nowhere",
        environment=_set(SODBENCH_DATA="nowhere"),
    ),
    Case(
        "surroundings/data-root-is-a-file",
        ("score", "maps/DSS", "--dataset", "sod", "--quiet"),
        says="net\\.py",
        environment=_set(SODBENCH_DATA="net.py"),
    ),
    Case(
        "surroundings/data-root-of-nobody",
        ("score", "maps/DSS", "--dataset", "sod", "--quiet"),
        says="nobody-at-all",
        environment=_set(SODBENCH_DATA="~nobody-at-all/data"),
    ),
    Case(
        "surroundings/data-root-nul-like",
        ("datasets", "verify"),
        says="data root|data set",
        environment=_set(SODBENCH_DATA="/dev/null"),
    ),
    Case(
        "surroundings/cache-is-a-file",
        ("run", *NET, "--datasets", "sample", "--quiet"),
        says="net\\.py",
        environment=_set(SODBENCH_CACHE="net.py"),
    ),
    Case(
        "surroundings/cache-cannot-be-made",
        ("run", *NET, "--datasets", "sample", "--quiet"),
        says="/proc/x",
        environment=_set(SODBENCH_CACHE="/proc/x"),
    ),
    Case(
        "surroundings/weights-folder-is-a-file",
        ("baselines", "fetch", "basnet", "--quiet", "--from", "net.pth"),
        says="net\\.py",
        environment=_set(SODBENCH_WEIGHTS="net.py"),
    ),
    Case(
        "surroundings/no-home",
        SCORE,
        code=0,
        environment=_set(HOME="/nonexistent", XDG_DATA_HOME="", XDG_CACHE_HOME=""),
        changes=RECORD,
    ),
    Case(
        "surroundings/home-is-a-file",
        ("baselines", "list"),
        code=0,
        environment=_set(HOME="net.py", SODBENCH_WEIGHTS="", XDG_DATA_HOME=""),
    ),
    Case(
        "surroundings/ascii",
        ("score", "nöwhere", "--dataset", "sod"),
        says="n.*where",
        real=True,
        whole=True,
        environment=_set(PYTHONIOENCODING="ascii:strict", LC_ALL="C", PYTHONUTF8="0"),
    ),
    Case(
        "surroundings/summary-nowhere",
        ("check",),
        says="/proc",
        environment=_set(GITHUB_STEP_SUMMARY="/proc/none/summary.md"),
    ),
    Case(
        "surroundings/no-memory-for-a-batch",
        ("predict", *NET, "--images", "images", "--out", "out", "--quiet", "--batch", "99999999999"),
        code=(0, 2),
        says="batch|memory|^$",
        changes=("work/out*",),
    ),
    Case("surroundings/hash-seed", SCORE, code=0, environment=_set(PYTHONHASHSEED="random"), changes=RECORD),
    *(
        Case(f"surroundings/real-{what}", run, says=says, real=True, whole=True)
        for what, run, says in (
            ("score", ("score", "nowhere", "--dataset", "sod"), "nowhere"),
            ("run", ("run", "basnett", "--datasets", "sod"), "basnett"),
            ("predict", ("predict", *NET, "--images", "nowhere", "--out", "out"), "nowhere"),
            ("train", ("train", "basnett"), "basnett"),
            ("report", ("report", "--reports", "nowhere"), "nowhere"),
            ("check", ("check", "--against", "nowhere.json"), "nowhere.json"),
            ("compare", ("compare", "DSS", "Otter"), "Otter"),
            ("show", ("show", "DSS", "9999"), "9999"),
            ("protocols", ("protocols", "show", "rawr"), "rawr"),
            ("datasets", ("datasets", "verify", "sodd"), "sodd"),
            ("baselines", ("baselines", "show", "basnett"), "basnett"),
            ("bench", ("bench", "basnett"), "basnett"),
            ("reproduce", ("reproduce", "nowhere"), "nowhere"),
            ("audit", ("audit", "nowhere"), "nowhere"),
        )
    ),
]
