"""Code of strangers, named in records and TOML files or lying about: it runs only where it is trusted."""

import json

from .case import Build, Case
from .world import CANARY, World

EVIL = CANARY + "\n\ndef create():\n    import torch\n    return torch.nn.Conv2d(3, 1, 1)\n"
WORK = "work"  # the folder in which the commands of a case run
REPRODUCE = ("reproduce", "reports/runs/net/sod", "--quiet")


def _files(**more: str) -> Build:
    """evil.py, whose import leaves a mark, and a baseline that names it."""

    def build(world: World) -> None:
        world.write("evil.py", EVIL)
        for name, content in more.items():
            world.write(f"baselines/{name}.toml", content)

    return build


def _baseline(spec: str) -> str:
    return f'title = "O"\nnetwork = "{spec}"\n'


def _recorded(baseline: str, **more: object) -> Build:
    def build(world: World) -> None:
        world.write("evil.py", EVIL)
        world.write("baselines/own.toml", _baseline("evil:create"))
        path = world.record("net") / "run.json"
        content = json.loads(path.read_text())
        content["provenance"] |= {"baseline": baseline, **more}
        path.write_text(json.dumps(content))

    return build


def _everywhere(world: World) -> None:
    """Every record names the stranger's file."""
    for name in ("DSS", "Other", "net"):
        path = world.record(name) / "run.json"
        content = json.loads(path.read_text())
        content["provenance"] |= {"baseline": "reports:../evil.py:create", "origin": "baseline"}
        path.write_text(json.dumps(content))
    world.write("evil.py", EVIL)


def _training(baseline: str) -> Build:
    def build(world: World) -> None:
        world.write("evil.py", EVIL)
        world.write(
            "training.json",
            json.dumps(
                {
                    "baseline": baseline,
                    "recipe": {"dataset": ["sod"], "iterations": 1, "batch": 1, "lr": 0.1},
                    "weights": {"sha256": "0" * 64},
                    "best": {"iteration": 1},
                    "datasets": {},
                    "provenance": {},
                }
            ),
        )

    return build


# callables of the standard library, which no network is: refused before they are called, even where trusted
LIBRARY = (
    "os:system",
    "os:_exit",
    "subprocess:run",
    "builtins:exec",
    "builtins:eval",
    "shutil:rmtree",
    "sys:exit",
    "posix:system",
    "importlib:import_module",
    "runpy:run_path",
    "pathlib:Path",
    "builtins:__import__",
    "ctypes:CDLL",
    "webbrowser:open",
    "torch:load",
    "torch.hub:load",
    "numpy:load",
    "pandas:read_pickle",
    "net:torch.load",
    "antigravity:geohash",
)
JOB = ("--datasets", "sod", "--quiet", "--device", "cpu")


def _library(spec: str) -> Build:
    def build(world: World) -> None:
        world.write("baselines/own.toml", _baseline(spec) + f"[options]\n{_options(spec, world)}\n")

    return build


def _options(spec: str, world: World) -> str:
    name = {
        "os:system": "command",
        "posix:system": "command",
        "runpy:run_path": "path_name",
        "shutil:rmtree": "path",
        "os:_exit": "status",
        "importlib:import_module": "name",
        "pandas:read_pickle": "filepath_or_buffer",
        "webbrowser:open": "url",
        "torch:load": "f",
        "numpy:load": "file",
    }.get(spec)
    value = {"command": f'"touch {world.top}/CANARY"', "path": '"reports"', "status": "0"}.get(
        name or "", '"evil.py"'
    )
    return f"{name} = {value}" if name else ""


CASES = [
    # list and show never import what a file names
    Case("code/baselines-list", ("baselines", "list"), code=0, build=_files(own=_baseline("evil:create"))),
    Case(
        "code/baselines-show",
        ("baselines", "show", "own"),
        code=(0, 2),
        build=_files(own=_baseline("evil:create")),
    ),
    Case(
        "code/baselines-show-file",
        ("baselines", "show", "own"),
        code=(0, 2),
        build=_files(own=_baseline("evil.py:create")),
    ),
    Case(
        "code/baselines-show-json",
        ("baselines", "show", "own", "--json"),
        code=(0, 2),
        build=_files(own=_baseline("evil:create")),
    ),
    Case(
        "code/baselines-show-path",
        ("baselines", "show", "baselines/own.toml"),
        code=(0, 2),
        build=_files(own=_baseline("evil:create")),
    ),
    Case(
        "code/baselines-show-callable", ("baselines", "show", "evil.py:create"), code=(0, 2), build=_files()
    ),
    # a file beside the work that has the name of a package is not that package
    *(
        Case(
            f"code/beside-{name}",
            run,
            code=(0, 2),
            real=True,
            whole=True,
            build=lambda w, name=name: w.write(f"{name}.py", CANARY),
            changes=("work/reports/*",),
            talks=True,
        )
        for name, run in (("evil", ("report", "--figures")), ("sodbench_user_net", ("datasets", "list")))
    ),
    # records are data: `reproduce` runs the package's own code alone
    *(
        Case(f"code/record-{what}", REPRODUCE, says="--trust", build=_recorded(baseline))
        for what, baseline in {
            "file": "reports:../evil.py:create",
            "relative": "evil.py:create",
            "module": "evil:create",
            "baseline": "own",
            "baseline-file": "reports:../baselines/own.toml",
            "data-root": f"data-root:../{WORK}/evil.py:create",
            "untouched": "reports:../net.py:create",
        }.items()
    ),
    *(
        Case(
            f"code/record-library-{spec}{'-trusted' * bool(trust)}",
            (*REPRODUCE, *trust),
            says=spec if trust else f"{spec}|--trust",
            build=_recorded(spec),
            changes=("work/reproduced/*",) if trust else (),
        )
        for spec in ("os:system", "subprocess:run", "builtins:exec", "os:getcwd")
        for trust in ((), ("--trust",))
        if not trust or spec != "os:getcwd"
    ),
    *(
        Case(
            f"code/{command[0]}-of-a-strange-record",
            command,
            code=(0, 1, 2),
            build=_everywhere,
            talks=True,
            changes=("work/reports/*", "work/s.png"),
        )
        for command in (
            ("report", "--figures"),
            ("check",),
            ("compare", "DSS", "Other", "--resamples", "100"),
            ("show", "DSS", "3096", "--out", "s.png"),
            ("audit", "reports"),
        )
    ),
    *(
        Case(
            f"code/training-{what}",
            ("reproduce", "training.json", "--quiet"),
            says="--trust",
            build=_training(spec),
        )
        for what, spec in (("file", "evil.py:create"), ("module", "evil:create"))
    ),
    # maps and weights of a record that lie anywhere on the disk are read, not written or shown
    Case(
        "code/record-maps-elsewhere",
        ("reproduce", "reports/runs/DSS/sod", "--quiet"),
        says="maps|etc|passwd",
        build=lambda w: w.edit(w.record() / "run.json", "provenance", "maps", to="/etc"),
    ),
    Case(
        "code/record-maps-device",
        ("reproduce", "reports/runs/DSS/sod", "--quiet"),
        says="maps|zero",
        build=lambda w: w.edit(w.record() / "run.json", "provenance", "maps", to="/dev/zero"),
    ),
    Case(
        "code/record-maps-nul",
        ("reproduce", "reports/runs/DSS/sod", "--quiet"),
        says="maps|run\\.json",
        build=lambda w: w.edit(w.record() / "run.json", "provenance", "maps", to="a\0b"),
    ),
    Case(
        "code/record-escape-in-command",
        ("report", "--formats", "markdown", "html", "--figures"),
        code=0,
        talks=True,
        changes=("work/reports/*",),
        build=lambda w: w.edit(w.record() / "run.json", "provenance", "command", to=["\x1b[2J", "</script>"]),
    ),
    Case(
        "code/record-escape-in-title",
        ("report", "--figures"),
        code=(0, 2),
        changes=("work/reports/*",),
        talks=True,
        build=lambda w: w.edit(w.record() / "run.json", "title", to="\x1b[2Jgone"),
    ),
    Case(
        "code/record-escape-in-versions",
        ("reproduce", "reports/runs/DSS/sod", "--quiet"),
        code=(0, 2),
        build=lambda w: w.edit(w.record() / "run.json", "provenance", "versions", to={"numpy": "\x1b[2J\r1"}),
    ),
    Case(
        "code/reference-escape",
        ("check",),
        code=(0, 1, 2),
        build=lambda w: w.edit(w.reports / "reference.json", "entries", 0, "name", to="\x1b[2Jgone"),
    ),
    # what no network is
    *(
        Case(
            f"code/network-{spec}",
            ("run", "own", *JOB),
            says=f"own.*{spec.split(':')[0]}|{spec}",
            build=_library(spec),
        )
        for spec in LIBRARY
    ),
    *(
        Case(f"code/named-{spec}", ("run", spec, *JOB), says=spec)
        for spec in ("os:system", "os:getcwd", "sys:exit")
    ),
    Case(
        "code/module-exits",
        ("run", "own.py:create", *JOB),
        says="own\\.py",
        build=lambda w: w.write("own.py", "raise SystemExit(0)\n"),
    ),
    Case(
        "code/module-interrupts",
        ("run", "own.py:create", *JOB),
        code=(2, 130),
        says="own\\.py|interrupted",
        build=lambda w: w.write("own.py", "raise KeyboardInterrupt\n"),
    ),
    Case(
        "code/module-syntax",
        ("run", "own.py:create", *JOB),
        says="own\\.py",
        build=lambda w: w.write("own.py", "def create(:\n"),
    ),
    Case(
        "code/module-deep",
        ("run", "own.py:create", *JOB),
        says="own\\.py",
        build=lambda w: w.write("own.py", "x = " + "(" * 5000 + ")" * 5000 + "\n"),
    ),
    Case(
        "code/module-nul",
        ("run", "own.py:create", *JOB),
        says="own\\.py",
        build=lambda w: w.write("own.py", b"x = 1\0\n"),
    ),
    Case(
        "code/module-error-with-escapes",
        ("run", "own.py:create", *JOB),
        says="own\\.py",
        build=lambda w: w.write("own.py", "raise ValueError('\\x1b[2J\\rgone')\n"),
    ),
    Case(
        "code/callable-recursion",
        ("run", "own.py:create", *JOB),
        says="own\\.py.*Recursion",
        build=lambda w: w.write("own.py", "def create():\n    return create()\n"),
    ),
    Case(
        "code/callable-memory",
        ("run", "own.py:create", *JOB),
        says="own\\.py.*[Mm]emory",
        build=lambda w: w.write("own.py", "def create():\n    return bytearray(10**14)\n"),
    ),
    Case(
        "code/callable-returns-text",
        ("run", "own.py:create", *JOB),
        says="returned str",
        build=lambda w: w.write("own.py", "def create():\n    return 'network'\n"),
    ),
    Case(
        "code/callable-carries-nonsense",
        ("run", "own.py:create", *JOB),
        says="own\\.py:create: baseline",
        build=lambda w: w.write("own.py", "def create(): pass\ncreate.baseline = 5\n"),
    ),
]
