"""Folders and files of the command line: missing, empty, a file in place of a folder, links, unreadable."""

import os
import shutil
from pathlib import Path

from .case import Build, Case
from .good import NET
from .world import World


def _gone(path: Path) -> None:
    if path.is_dir():
        shutil.rmtree(path)
    else:
        path.unlink(missing_ok=True)


def _missing(path: Path) -> None:
    _gone(path)


def _empty(path: Path) -> None:
    _gone(path)
    path.mkdir()


def _file(path: Path) -> None:
    _gone(path)
    path.write_text("a file")


def _broken_link(path: Path) -> None:
    _gone(path)
    path.symlink_to("nowhere")


def _loop(path: Path) -> None:
    _gone(path)
    path.symlink_to(path.name)


def _pipe(path: Path) -> None:
    _gone(path)
    os.mkfifo(path)


def _closed(path: Path) -> None:
    path.chmod(0)


def _others(path: Path) -> None:
    _gone(path)
    path.mkdir()
    (path / "notes.txt").write_text("no picture")
    (path / "a.npy").write_bytes(b"\x93NUMPY")


STATES = {
    "missing": _missing,
    "empty": _empty,
    "a-file": _file,
    "broken-link": _broken_link,
    "loop": _loop,
    "a-pipe": _pipe,
    "unreadable": _closed,
    "other-files": _others,
}
HARM = tuple(STATES)

# folder that is read (from work/) -> the command that reads it, and the word that its error names
READ: dict[str, tuple[str, tuple[str, ...], str]] = {
    "maps": ("own", ("score", "own", "--masks", "masks", "--name", "n", "--quiet"), "own"),
    "masks": ("masks", ("score", "own", "--masks", "masks", "--name", "n", "--quiet"), "masks"),
    "images": (
        "images",
        ("score", "own", "--masks", "masks", "--images", "images", "--name", "n", "--quiet"),
        "images",
    ),
    "predict": ("images", ("predict", *NET, "--images", "images", "--out", "out", "--quiet"), "images"),
    "data-root": ("../data", ("score", "maps/DSS", "--dataset", "sod", "--name", "n", "--quiet"), "data|SOD"),
    "run-data-root": ("../data", ("run", *NET, "--datasets", "sod", "--name", "n", "--quiet"), "data|SOD"),
    "set-folder": ("../data/SOD", ("run", *NET, "--datasets", "sod", "--name", "n", "--quiet"), "SOD"),
    "set-masks": (
        "../data/SOD/GT",
        ("score", "maps/DSS", "--dataset", "sod", "--name", "n", "--quiet"),
        "SOD",
    ),
    "train-images": (
        "../data/SOD/images",
        (
            "train",
            "net.py:create",
            "--set",
            "training.dataset=sod",
            "--set",
            "training.iterations=2",
            "--set",
            "training.batch=1",
            "--set",
            "training.lr=0.1",
            "--device",
            "cpu",
            "--workers",
            "0",
            "--quiet",
            "--out",
            "trained",
        ),
        "SOD",
    ),
    "compare-maps": ("own", ("protocols", "compare", "own", "--masks", "masks", "--quiet"), "own"),
    "explain-maps": (
        "own",
        ("protocols", "explain", "own", "--masks", "masks", "--published", "MAE=.1", "--quiet"),
        "own",
    ),
    "verify-maps": ("own", ("datasets", "verify", "sod", "--maps", "own"), "own"),
    "verify-set": ("../data/SOD", ("datasets", "verify", "sod"), "SOD"),
    "add": ("images", ("datasets", "add", "images", "--name", "n"), "images"),
    "reports": ("reports", ("report",), "reports"),
    "check-reports": ("reports", ("check",), "reports"),
    "compare-reports": ("reports", ("compare", "DSS", "Other"), "reports"),
    "show-reports": ("reports", ("show", "DSS", "3096"), "reports"),
    "reproduce": (
        "reports/runs/DSS/sod",
        ("reproduce", "reports/runs/DSS/sod", "--quiet"),
        "reports/runs/DSS",
    ),
}
# what is no error: an empty set is reported with exit code 1; a folder of reports that holds none is named
VERIFIED = {
    ("verify-maps", "empty"),
    ("verify-maps", "other-files"),
    ("verify-set", "empty"),
    ("verify-set", "other-files"),
}

# single files that are read -> (the command, the word)
FILES: dict[str, tuple[str, tuple[str, ...], str]] = {
    "weights": ("net.pth", ("run", *NET, "--datasets", "sod", "--name", "n", "--quiet"), "net.pth"),
    "network": ("net.py", ("run", *NET, "--datasets", "sod", "--name", "n", "--quiet"), "net.py"),
    "reference": ("reports/reference.json", ("check",), "reference.json"),
    "predict-image": (
        "images/a.png",
        ("predict", *NET, "--images", "images/a.png", "--out", "out", "--quiet"),
        "a.png",
    ),
    "list": (
        "names.txt",
        (
            "datasets",
            "add",
            ".",
            "--name",
            "n",
            "--images",
            "images",
            "--masks",
            "masks",
            "--list",
            "names.txt",
        ),
        "names.txt",
    ),
    "protocol": ("own.toml", ("protocols", "show", "own.toml"), "own.toml"),
    "baseline": ("own.toml", ("baselines", "show", "own.toml"), "own.toml"),
    "card": ("datasets/own.toml", ("datasets", "show", "own"), "own"),
    "reproduce-file": (
        "reports/runs/DSS/sod/run.json",
        ("reproduce", "reports/runs/DSS/sod/run.json", "--quiet"),
        "run.json",
    ),
}

# places that are written -> what stands in the way, the command, the word
WRITTEN: dict[str, tuple[str, str, tuple[str, ...], str]] = {
    "reports-is-a-file": (
        "r",
        "a-file",
        ("score", "own", "--masks", "masks", "--name", "n", "--reports", "r", "--quiet"),
        "r",
    ),
    "runs-is-a-file": (
        "r/runs",
        "a-file",
        ("score", "own", "--masks", "masks", "--name", "n", "--reports", "r", "--quiet"),
        "runs",
    ),
    "record-is-a-file": (
        "r/runs/n/masks",
        "a-file",
        ("score", "own", "--masks", "masks", "--name", "n", "--reports", "r", "--quiet"),
        "masks",
    ),
    "reports-closed": (
        "r",
        "closed",
        ("score", "own", "--masks", "masks", "--name", "n", "--reports", "r", "--quiet"),
        "r",
    ),
    "maps-is-a-file": (
        "m",
        "a-file",
        ("run", *NET, "--datasets", "sod", "--name", "n", "--maps", "m", "--quiet"),
        "m",
    ),
    "maps-closed": (
        "m",
        "closed",
        ("run", *NET, "--datasets", "sod", "--name", "n", "--maps", "m", "--quiet"),
        "m",
    ),
    "map-is-a-folder": (
        "m/sod/3096.png",
        "empty",
        ("run", *NET, "--datasets", "sod", "--name", "n", "--maps", "m", "--quiet"),
        "3096.png",
    ),
    "out-is-a-file": (
        "out",
        "a-file",
        ("predict", *NET, "--images", "images", "--out", "out", "--quiet"),
        "out",
    ),
    "out-closed": (
        "out",
        "closed",
        ("predict", *NET, "--images", "images", "--out", "out", "--quiet"),
        "out",
    ),
    "out-is-a-loop": (
        "out",
        "loop",
        ("predict", *NET, "--images", "images", "--out", "out", "--quiet"),
        "out",
    ),
    "sheet-is-a-folder": ("s.png", "empty", ("show", "DSS", "3096", "--out", "s.png"), "s.png"),
    "sheet-closed": ("s", "closed", ("show", "DSS", "3096", "--out", "s/s.png"), "s"),
    "plot-is-a-folder": ("p.png", "empty", ("datasets", "show", "sod", "--plot", "p.png"), "p.png"),
    "junit-is-a-folder": ("j.xml", "empty", ("check", "--junit", "j.xml"), "j.xml"),
    "summary-is-a-folder": ("s.md", "empty", ("check", "--summary", "s.md"), "s.md"),
    "reference-is-a-folder": ("ref", "empty", ("check", "--against", "ref", "--update"), "ref"),
    "leaderboard-is-a-folder": ("reports/leaderboard.md", "empty", ("report",), "leaderboard.md"),
    "trained-is-a-file": (
        "trained",
        "a-file",
        (
            "train",
            "net.py:create",
            "--set",
            "training.dataset=sod",
            "--set",
            "training.iterations=1",
            "--set",
            "training.batch=1",
            "--set",
            "training.lr=0.1",
            "--device",
            "cpu",
            "--workers",
            "0",
            "--quiet",
            "--out",
            "trained",
        ),
        "trained",
    ),
    "datasets-is-a-file": (
        "datasets",
        "a-file",
        ("datasets", "add", ".", "--name", "n", "--images", "images", "--masks", "masks"),
        "datasets",
    ),
    "data-root-is-a-file": ("d", "a-file", ("datasets", "fetch", "ecssd", "--data-root", "d"), "d"),
}


def _spoilt(path: str, state: str) -> Build:
    def build(world: World) -> None:
        place = world.work / path
        place.parent.mkdir(parents=True, exist_ok=True)
        if state == "closed":
            place.mkdir()
            place.chmod(0o555)
        else:
            STATES[state](place)

    return build


def _file_cases() -> list[Case]:
    cases = []
    for name, (path, run, word) in FILES.items():
        for state in ("missing", "empty", "broken-link", "loop", "a-pipe", "unreadable"):
            if state == "unreadable" and path in ("own.toml", "names.txt", "datasets/own.toml"):
                continue
            if state == "missing" and path == "datasets/own.toml":
                continue
            what = "a-folder" if state == "empty" else state
            cases.append(
                Case(
                    f"files/{name}-{what}",
                    run,
                    says=word,
                    build=_spoilt(path, state),
                    seconds=20,
                    user=state == "unreadable",
                    talks=name == "list",
                )
            )
    return cases


def _out_is_images() -> tuple[str, ...]:
    return ("predict", *NET, "--images", "images", "--out", "images", "--quiet")


CASES = [
    *(
        Case(
            f"folders/{name}-{state}",
            run,
            says="" if (name, state) in VERIFIED else word,
            build=_spoilt(path, state),
            seconds=20,
            code=(1, 2) if (name, state) in VERIFIED else 2,
            user=state == "unreadable",
            talks=name == "add",
        )
        for name, (path, run, word) in READ.items()
        for state in HARM
        # a pipe in place of a folder is a file like any other; tried where it could hang
        if state != "a-pipe" or name in ("maps", "predict", "reports")
    ),
    *_file_cases(),
    *(
        Case(
            f"written/{name}",
            run,
            says=word,
            build=_spoilt(path, state),
            user=state == "closed",
            changes=("work/m/*",)
            if name == "map-is-a-folder"
            else ("work/reports/*",) * (name.startswith("lead")),
            talks=name.startswith(("data", "lead")),
        )
        for name, (path, state, run, word) in WRITTEN.items()
    ),
    Case("written/over-the-images", _out_is_images(), says="--out images"),
    Case(
        "written/over-the-images-by-a-link",
        ("predict", *NET, "--images", "images", "--out", "link", "--quiet"),
        says="--out link",
        build=lambda w: (w.work / "link").symlink_to("images"),
    ),
    Case(
        "written/over-the-one-image",
        ("predict", *NET, "--images", "images/a.png", "--out", "images", "--quiet"),
        says="--out images",
    ),
    Case(
        "written/maps-over-the-images",
        ("run", *NET, "--datasets", "one", "--name", "n", "--maps", "images", "--quiet"),
        says="images",
        build=lambda w: _card_on_images(w),
    ),
    Case(
        "written/maps-over-the-masks",
        ("run", *NET, "--datasets", "one", "--name", "n", "--maps", "masks", "--quiet"),
        says="masks",
        build=lambda w: _card_on_images(w, "masks"),
    ),
    Case(
        "folders/nested-400-deep",
        ("datasets", "add", ".", "--name", "n"),
        code=(0, 2),
        talks=True,
        changes=("work/datasets/*",),
        build=lambda w: _deep(w),
    ),
]


def _card_on_images(world: World, harmed: str = "images") -> None:
    """A user's set whose images (or masks) lie where `--maps DIR` would put the maps of this set."""
    (world.work / harmed / "one").mkdir()
    for path in (world.work / harmed).glob("*.png"):
        path.rename(path.parent / "one" / path.name)
    other = {"images": "masks", "masks": "images"}[harmed]
    folders = {harmed: f"{harmed}/one", other: other}
    world.toml(
        "datasets/one.toml",
        {
            "title": "One",
            "location": str(world.work),
            "count": {"pairs": 3},
            "layouts": [{"name": "as found", **folders}],
        },
    )


def _deep(world: World) -> None:
    place = os.open(world.work, os.O_RDONLY)
    for _ in range(400):
        os.mkdir("d", dir_fd=place)
        place, outer = os.open("d", os.O_RDONLY, dir_fd=place), place
        os.close(outer)
    os.close(place)
