"""The good world: small pictures, maps, a network and records, all in order, which a case then spoils."""

import json
import os
import shutil
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image

HEIGHT, WIDTH = 40, 48
SOD = ("3096", "8049", "8143")
OWN = ("a", "b", "c")

NETWORK = """
import torch
from torch import nn


class Brightness(nn.Module):
    def __init__(self):
        super().__init__()
        self.gain = nn.Parameter(torch.tensor(4.0))
        self.bias = nn.Parameter(torch.zeros(1, 3, 1, 1))

    def forward(self, x):
        grey = (x + self.bias).mean(1, keepdim=True)
        return torch.sigmoid(self.gain * (grey - grey.mean((2, 3), keepdim=True)))


def create():
    return Brightness()


create.baseline = {
    "input": {"height": 32, "width": 32, "scaling": "255"},
    "output": {"kind": "probability", "stretch": False},
}
"""
CANARY = "import pathlib, os\npathlib.Path(os.environ['CORPUS_TOP'], 'CANARY').write_text('code ran')\n"


class World:
    """The folders of one case: `top` holds home/, data/ (the data root) and work/, where commands run.

    work/ holds maps/DSS and maps/Other (for the set SOD of the data root), masks/ and images/ (an ad-hoc
    set a, b, c), own/ (its maps), net.py and net.pth (a network and its weights), and reports/ with the
    records of DSS, Other and net on SOD, of mine on own, and a reference of all.
    """

    def __init__(self, top: Path) -> None:
        self.top = top
        self.work, self.data, self.home = top / "work", top / "data", top / "home"
        self.reports = self.work / "reports"
        self.url = "http://127.0.0.1:9"  # nobody answers there, unless the case has a server

    def record(self, name: str = "DSS", dataset: str = "sod") -> Path:
        """The folder of a record."""
        return self.reports / "runs" / name / dataset

    def only(self, name: str = "DSS", dataset: str = "sod") -> Path:
        """The folder of a record, after all other records are gone."""
        for folder in (self.reports / "runs").iterdir():
            if folder.name != name:
                shutil.rmtree(folder)
        return self.record(name, dataset)

    def edit(self, path: Path, *place: str | int, to: object) -> None:
        """Sets one value of a JSON file; `DELETED` removes its key."""
        content = json.loads(path.read_text())
        inner = content
        for step in place[:-1]:
            inner = inner[step]
        if to is DELETED:
            del inner[place[-1]]
        else:
            inner[place[-1]] = to
        path.write_text(json.dumps(content))

    def write(self, path: str, content: str | bytes) -> Path:
        """A file in work/."""
        file = self.work / path
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_bytes(content if isinstance(content, bytes) else content.encode())
        return file

    def toml(self, path: str, content: Mapping[str, Any] | str) -> Path:
        """A TOML file in work/: from text, or from plain values."""
        return self.write(path, content if isinstance(content, str) else toml(content))


DELETED = object()


def toml(table: Mapping[str, Any]) -> str:
    """Plain values as TOML."""

    def value(item: Any) -> str:
        if isinstance(item, Mapping):
            return "{ " + ", ".join(f"{json.dumps(k)} = {value(v)}" for k, v in item.items()) + " }"
        if isinstance(item, list | tuple):
            return "[" + ", ".join(map(value, item)) + "]"
        if isinstance(item, bool):
            return str(item).lower()
        return repr(item) if isinstance(item, int | float) else json.dumps(item)

    return "".join(f"{json.dumps(key)} = {value(item)}\n" for key, item in table.items())


def mask_of(number: int) -> np.ndarray:
    """An ellipse, H x W uint8, 0 and 255; another one for each number."""
    y, x = np.mgrid[:HEIGHT, :WIDTH]
    inside = ((y - 12 - 3 * number) / 9) ** 2 + ((x - 30 + 4 * number) / 13) ** 2 < 1
    return (inside * 255).astype(np.uint8)


def map_of(number: int, seed: int = 0) -> np.ndarray:
    """A map with some noise, H x W uint8."""
    noise = np.random.default_rng(seed * 100 + number).integers(0, 60, (HEIGHT, WIDTH))
    return (mask_of(number) * 0.7 + noise).astype(np.uint8)


def picture_of(number: int) -> np.ndarray:
    """A picture with a bright object, H x W x 3 uint8."""
    noise = np.random.default_rng(number).integers(0, 90, (HEIGHT, WIDTH, 3))
    return (noise + mask_of(number)[:, :, None] * 0.5).astype(np.uint8)


def make(top: Path) -> World:
    """Makes the good world with the library itself: its records are those of the code under test."""
    import torch

    import sodbench as sb
    from sodbench.cli.main import main

    world = World(top)
    for folder in (
        "home",
        "data/SOD/images",
        "data/SOD/GT",
        "work/maps/DSS",
        "work/maps/Other",
        "work/masks",
        "work/images",
        "work/own",
    ):
        (top / folder).mkdir(parents=True)
    for number, stem in enumerate(SOD):
        Image.fromarray(picture_of(number)).save(top / f"data/SOD/images/{stem}.jpg", quality=95)
        Image.fromarray(mask_of(number)).save(top / f"data/SOD/GT/{stem}.png")
        Image.fromarray(map_of(number)).save(top / f"work/maps/DSS/{stem}.png")
        Image.fromarray(map_of(number, 1)).save(top / f"work/maps/Other/{stem}.png")
    for number, stem in enumerate(OWN):
        Image.fromarray(picture_of(number)).save(top / f"work/images/{stem}.png")
        Image.fromarray(mask_of(number)).save(top / f"work/masks/{stem}.png")
        Image.fromarray(map_of(number, 2)).save(top / f"work/own/{stem}.png")
    world.write("net.py", NETWORK)
    torch.save({"gain": torch.tensor(4.0), "bias": torch.zeros(1, 3, 1, 1)}, world.work / "net.pth")
    enter(world)
    sb.score_maps("maps/DSS", "sod", name="DSS")
    sb.score_maps("maps/Other", "sod", name="Other")
    sb.score_maps("own", "own", masks="masks", images="images", name="mine")
    sb.evaluate("net.py:create", "sod", weights="net.pth", name="net", device="cpu")
    main(["check", "--update"])
    shutil.rmtree(world.work / "__pycache__", ignore_errors=True)
    return world


def enter(world: World) -> None:
    """Makes this process work in the world: its folder, its home, its data root."""
    os.chdir(world.work)
    os.environ.update(
        HOME=str(world.home),
        XDG_DATA_HOME=str(world.home / "share"),
        SODBENCH_DATA=str(world.data),
        SODBENCH_WEIGHTS=str(world.home / "weights"),
        CORPUS_TOP=str(world.top),
        MPLBACKEND="Agg",
        PYTHONDONTWRITEBYTECODE="1",
        NO_COLOR="1",
        COLUMNS="200",
    )
    for name in ("GITHUB_ACTIONS", "GITHUB_STEP_SUMMARY"):
        os.environ.pop(name, None)
