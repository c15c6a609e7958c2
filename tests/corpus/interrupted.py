"""What an interrupted `run` left: a list of its maps that is damaged, made up, or no file at all."""

import json
import os

from .case import Build, Case
from .good import NET
from .world import SOD, World

RUN = ("run", *NET, "--datasets", "sod", "--name", "n", "--quiet")
CHANGES = ("work/reports/*", "work/maps/n*")
HEAD = b'{"depends_on": {"weights": "0"}}\n'
OF_NOBODY = json.dumps(["../../../data/SOD/GT/3096", "0" * 64]).encode()

# the content of the list -> what the command prints
LISTS: dict[str, tuple[bytes, str]] = {
    "empty": (b"", ""),
    "binary": (bytes(range(256)), ""),
    "null": (b"null\n" * 3, ""),
    "deep": (b"[" * 100_000, ""),
    "no-head": (b'["3096", "00"]\n', ""),
    "head-of-numbers": (b'{"depends_on": {"weights": 3}}\n["3096", 4]\n', ""),
    "other-head": (HEAD + b'["3096", "00"]\n', "all maps are made again; 1 from before"),
    "cut": (HEAD + b'["3096", "00"]\n["8049", "0', "1 from before an interruption do not count"),
    "of-nobody": (HEAD + OF_NOBODY, ""),
}


def _list(world: World) -> "os.PathLike[str]":
    from sodbench.made_maps import list_of

    path = list_of(world.work / "maps" / "n" / "sod", SOD)
    path.parent.mkdir(parents=True)
    return path


def _content(content: bytes) -> Build:
    def build(world: World) -> None:
        with open(_list(world), "wb") as file:  # noqa: PTH123
            file.write(content)

    return build


CASES = [
    *(
        Case(f"interrupted/{name}", RUN, code=0, says=says, build=_content(content), changes=CHANGES)
        for name, (content, says) in LISTS.items()
    ),
    Case("interrupted/a-pipe", RUN, says="unfinished", build=lambda world: os.mkfifo(_list(world))),
    Case("interrupted/a-folder", RUN, says="unfinished", build=lambda world: os.mkdir(_list(world))),  # noqa: PTH102
]
