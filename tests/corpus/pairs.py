"""Maps and masks that are pictures, but not the right ones: missing, surplus, inverted, constant, {0, 1}."""

import os
from collections.abc import Callable

import numpy as np
from PIL import Image

from .case import Build, Case
from .good import NET
from .world import SOD, World, map_of, mask_of

SCORE = ("score", "own", "--masks", "masks", "--name", "n", "--quiet")
RECORD = ("work/reports/*",)
RUN = ("run", "own.py:create", "--datasets", "sod", "--name", "n", "--device", "cpu", "--quiet")


def _gone(*paths: str) -> Build:
    def build(world: World) -> None:
        for path in paths:
            (world.work / path).unlink()

    return build


def _saved(**pixels: np.ndarray) -> Build:
    def build(world: World) -> None:
        for path, values in pixels.items():
            folder, _, stem = path.partition("_")
            Image.fromarray(values).save(world.work / folder / f"{stem}.png")

    return build


def _not_a_file(state: str) -> Build:
    def build(world: World) -> None:
        path = world.work / "masks/b.png"
        path.unlink()
        if state == "folder":
            path.mkdir()
        elif state == "pipe":
            os.mkfifo(path)
        elif state == "loop":
            path.symlink_to("b.png")
        elif state == "device":
            path.symlink_to("/dev/zero")

    return build


def _inverted(world: World) -> None:
    for number, stem in enumerate(SOD):
        Image.fromarray(255 - mask_of(number)).save(world.data / f"SOD/GT/{stem}.png")


def _all(folder: str, change: Callable[[np.ndarray, np.ndarray], np.ndarray]) -> Build:
    def build(world: World) -> None:
        for number, stem in enumerate("abc"):
            values = change(map_of(number, 2), mask_of(number))
            Image.fromarray(values.astype(np.uint8)).save(world.work / folder / f"{stem}.png")

    return build


def _network(forward: str) -> Build:
    """A network whose forward pass returns an expression of x, and some weights that always are the same."""

    def build(world: World) -> None:
        world.write(
            "own.py",
            (
                "import torch\nfrom torch import nn\nclass Net(nn.Module):\n"
                "    def __init__(self):\n        super().__init__()\n"
                "        self.w = nn.Parameter(torch.ones(1))\n"
                f"    def forward(self, x):\n        return {forward}\ndef create():\n    return Net()\n"
                'create.baseline = {"input": {"height": 32, "width": 32}, "output": {"kind": "logits"}}\n'
            ),
        )

    return build


# what a network returns -> what the error says; the picture's name where one picture is at fault
OUTPUTS: dict[str, tuple[str, str]] = {
    "nan": ("x[:, :1] * self.w * float('nan')", "3096.*(finite|NaN)"),
    "infinite": ("x[:, :1] * self.w * float('inf')", "3096.*(finite|NaN|infinite)"),
    "nan-in-one-pixel": (
        "x[:, :1].index_put((torch.tensor(0), torch.tensor(0), torch.tensor(3), torch.tensor(3)),"
        " torch.tensor(float('nan')))",
        "3096.*(finite|NaN)",
    ),
    "complex": ("(x[:, :1] * self.w).to(torch.complex64)", "complex|real"),
    "constant": ("x[:, :1] * 0 * self.w", "constant|one value|--allow-constant"),
    "three-channels": ("x * self.w", "shape|channel"),
    "two-dimensions": ("x[0, 0] * self.w", "shape|N x 1 x H x W"),
    "no-pixels": ("x[:, :1, :0] * self.w", "shape|pixels|empty|size"),
    "another-count": ("(x[:, :1] * self.w)[:1]", "shape|maps"),
    "nothing": ("()", "no maps"),
    "none": ("None", "no maps|NoneType"),
    "text": ("'map'", "no maps|str"),
    "numpy": ("x[:, :1].detach().numpy()", "no maps|ndarray|tensor"),
    "an-error": ("1 / 0", "ZeroDivisionError"),
    "exit": ("exit(0)", "exit|SystemExit"),
    "no-memory": ("torch.empty(10**15)", "memory|allocate"),
    "itself": ("self", "no maps|Net"),
    "meta": ("(x[:, :1] * self.w).to('meta')", "meta"),
    "sparse": ("(x[:, :1] * self.w).to_sparse()", "sparse|layout"),
}

CASES = [
    Case(
        "pairs/map-missing", SCORE, says="own: 1 of 3 maps of masks are missing: b", build=_gone("own/b.png")
    ),
    Case(
        "pairs/none-fits",
        ("score", "maps/DSS", "--masks", "masks", "--name", "n", "--quiet"),
        says="maps/DSS: none of its 3 maps is named like",
    ),
    Case(
        "pairs/image-without-mask",
        (*SCORE, "--images", "images"),
        says="without a mask .b",
        build=_gone("masks/b.png"),
    ),
    Case(
        "pairs/mask-without-image",
        (*SCORE, "--images", "images"),
        says="without an image .c",
        build=_gone("images/c.png"),
    ),
    Case(
        "pairs/set-without-a-mask",
        ("run", *NET, "--datasets", "sod", "--quiet", "--name", "n"),
        says="without a mask .8049",
        build=_gone("../data/SOD/GT/8049.png"),
    ),
    # three maps and two masks: never 2/2
    Case("pairs/mask-missing", SCORE, code=(0, 2), never="2/2", build=_gone("masks/b.png"), changes=RECORD),
    *(
        Case(f"pairs/mask-is-a-{state}", SCORE, says=r"\bb\b", build=_not_a_file(state), seconds=20)
        for state in ("folder", "pipe", "loop", "device")
    ),
    Case(
        "pairs/mask-unreadable",
        SCORE,
        says="b\\.png",
        user=True,
        build=lambda w: (w.work / "masks/b.png").chmod(0),
    ),
    Case(
        "pairs/map-unreadable",
        SCORE,
        says="b\\.png",
        user=True,
        build=lambda w: (w.work / "own/b.png").chmod(0),
    ),
    Case(
        "pairs/maps-of-0-and-1",
        SCORE,
        code=(0, 2),
        says="0, ?1|0 and 1",
        changes=RECORD,
        build=_all("own", lambda one, mask: mask // 255),
    ),
    Case(
        "pairs/verify-maps-of-0-and-1",
        ("datasets", "verify", "sod", "--maps", "maps/DSS"),
        code=(0, 1),
        prints="0, ?1|0 and 1|peaks at 1/255",
        build=lambda w: [
            Image.fromarray(mask_of(i) // 255).save(w.work / f"maps/DSS/{stem}.png")
            for i, stem in enumerate(SOD)
        ],
    ),
    Case(
        "pairs/masks-of-0-and-1",
        SCORE,
        code=0,
        says="0, ?1|0 and 1",
        changes=RECORD,
        build=_all("masks", lambda one, mask: mask // 255),
    ),
    Case(
        "pairs/verify-inverted-masks",
        ("datasets", "verify", "sod"),
        code=(0, 1),
        prints="invert",
        build=_inverted,
    ),
    Case(
        "pairs/maps-all-black",
        SCORE,
        says="constant|one value|--allow-constant",
        build=_all("own", lambda one, mask: one * 0),
    ),
    Case(
        "pairs/maps-all-grey",
        SCORE,
        says="constant|one value|--allow-constant",
        build=_all("own", lambda one, mask: one * 0 + 77),
    ),
    Case(
        "pairs/maps-allowed-to-be-constant",
        (*SCORE, "--allow-constant"),
        code=0,
        changes=RECORD,
        build=_all("own", lambda one, mask: one * 0),
    ),
    # empty masks are legal (the protocol says what they score), all of them empty are not silent
    Case(
        "pairs/masks-all-black",
        SCORE,
        code=(0, 2),
        says="empty|no object|black",
        changes=RECORD,
        build=_all("masks", lambda one, mask: mask * 0),
    ),
    *(
        Case(f"networks/{what}", RUN, says=says, build=_network(forward), changes=("work/maps*",))
        for what, (forward, says) in OUTPUTS.items()
    ),
    *(
        Case(
            f"networks/predict-{what}",
            ("predict", "own.py:create", "--images", "images", "--out", "out", "--device", "cpu", "--quiet"),
            says=OUTPUTS[what][1].replace("3096", "a"),
            build=_network(OUTPUTS[what][0]),
            changes=("work/out*",),
        )
        for what in ("nan", "complex", "exit")
    ),
]
