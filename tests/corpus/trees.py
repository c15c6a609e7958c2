"""Trees of maps: layouts, patterns, files there twice, `.npy` and floating-point TIFF, resizing."""

import pickle
import shutil
from collections.abc import Callable

import numpy as np
from PIL import Image

from .case import Build, Case
from .pictures import encoded
from .world import SOD, World, map_of

ROOT = ("score", "tree", "--quiet", "--metrics", "MAE")
TREE = (*ROOT, "--layout", "{method}/{dataset}")
ONE = ("score", "own", "--masks", "masks", "--name", "n", "--quiet", "--metrics", "MAE")
RECORD = ("work/reports/*",)


def _tree(*more: Callable[[World], object]) -> Build:
    """work/tree/<method>/<data set>: two methods on SOD, then what is wrong."""

    def build(world: World) -> None:
        for method in ("DSS", "Other"):
            shutil.copytree(world.work / "maps" / method, world.work / "tree" / method / "SOD")
        for change in more:
            change(world)

    return build


def _at(path: str, content: bytes) -> Callable[[World], object]:
    return lambda world: world.write(path, content)


def _npy(header: str, values: bytes = b"") -> bytes:
    text = header.encode()
    return b"\x93NUMPY\1\0" + len(text).to_bytes(2, "little") + text + values


def _plain(kind: str, shape: str, values: bytes = b"") -> bytes:
    return _npy(f"{{'descr': '{kind}', 'fortran_order': False, 'shape': {shape}, }}\n", values)


class _Stranger:
    def __reduce__(self) -> tuple[object, ...]:
        code = "import os, pathlib; pathlib.Path(os.environ['CORPUS_TOP'], 'CANARY').touch()"
        return exec, (code,)


# arrays that are no map -> what the error says besides the file
ARRAYS: dict[str, tuple[bytes, str]] = {
    "empty": (b"", "not a .npy file"),
    "text": (b"not an array\n", "not a .npy file"),
    "picture": (encoded(map_of(1)), "not a .npy file"),
    "archive": (b"PK\x03\x04" + bytes(60), "not a .npy file"),
    "pickle": (pickle.dumps(_Stranger()), "not a .npy file"),
    "objects": (_plain("|O", "(1,)", pickle.dumps(_Stranger())), "type '.O'"),
    "code-in-the-header": (_npy("exec('raise SystemExit')"), "header"),
    "nested-header": (_npy("(" * 60_000), "header"),
    "records": (_npy("{'descr': [('a', '<f4')], 'fortran_order': False, 'shape': (2,), }"), "header"),
    "whole-numbers": (_plain("<i8", "(40, 48)", bytes(8 * 1920)), "type '<i8'"),
    "sixteen-bits": (_plain("<u2", "(40, 48)", bytes(2 * 1920)), "65535"),
    "cut": (_plain("<f4", "(40, 48)", bytes(99)), "99 bytes of values, expected 7680"),
    "two-arrays": (_plain("|u1", "(40, 48)", bytes(1920)) * 2, "expected 1920"),
    "giant": (_plain("<f8", "(100000, 100000)"), "pixels"),
    "astronomic": (_plain("<f8", "(999999999999, 999999999999)"), "pixels"),
    "negative": (_plain("<f8", "(-1, 48)"), "header"),
    "no-values": (_plain("<f4", "(0, 48)"), "no values"),
    "stacked": (_plain("|u1", "(2, 40, 48)", bytes(3840)), "one map"),
    "flat": (_plain("|u1", "(1920,)", bytes(1920)), "one map"),
    "nan": (_plain("<f4", "(40, 48)", np.full(1920, np.nan, "<f4").tobytes()), "1920 NaN"),
    "not-scaled": (_plain("<f4", "(40, 48)", map_of(1).astype("<f4").tobytes()), "expected 0..1"),
    "logits": (_plain("<f4", "(40, 48)", np.linspace(-5, 5, 1920, dtype="<f4").tobytes()), "sigmoid"),
    "other-size": (_plain("|u1", "(40, 47)", bytes(1880)), "40 x 47"),
}
FLOATS: dict[str, tuple[np.ndarray, str]] = {
    "nan": (np.full((40, 48), np.nan, np.float32), "NaN"),
    "not-scaled": (map_of(1).astype(np.float32), "expected 0..1"),
    "logits": (map_of(1).astype(np.float32) / 255 - 0.5, "sigmoid"),
}


def _in_place_of_b(name: str, content: bytes) -> Build:
    def build(world: World) -> None:
        (world.work / "own/b.png").unlink()
        world.write(f"own/{name}", content)

    return build


# the layout -> what the error says
LAYOUTS: dict[str, tuple[str, str]] = {
    "no-method": ("{dataset}", "no {method}"),
    "no-data-set": ("{method}/SOD", "no {dataset}: name the one data set with --dataset"),
    "method-twice": ("{method}/{method}", "{method} twice"),
    "unknown-field": ("{method}/{datset}", "unknown field"),  # codespell:ignore
    "name": ("{method}/{dataset}/{name}", "--pattern"),
    "nothing-between": ("{method}{dataset}", "nothing between"),
    "outside": ("../{method}/{dataset}", r"without \.\."),
    "absolute": ("/{method}/{dataset}", r"without \.\."),
    "empty": ("", "no {method}"),
    "control": ("{method}/\x1b[31m{dataset}", "path from the root"),
    "fits-nothing": ("maps/{method}/{dataset}", "no folder fits .*DSS, Other"),
    "sets-and-methods-exchanged": ("{dataset}/{method}", "no data set has the name of DSS, Other"),
}
PATTERNS: dict[str, tuple[str, str]] = {
    "fits-nothing": ("{name}_sal.png", "fits none of its 3 files"),
    "no-name": ("_sal.png", "{name} once"),
    "twice": ("{name}{name}", "{name} once"),
    "other-field": ("{name}_{image}.png", "{name} once"),
    "folder": ("maps/{name}.png", "--layout"),
    "empty": ("", "{name} once"),
    "control": ("{name}\x1b[31m", "file's name"),
}

CASES = [
    *(
        Case(f"trees/layout-{what}", (*ROOT, "--layout", layout), says=says, build=_tree())
        for what, (layout, says) in LAYOUTS.items()
    ),
    *(
        Case(f"trees/pattern-{what}", (*ONE, "--pattern", pattern), says=says)
        for what, (pattern, says) in PATTERNS.items()
    ),
    *(
        Case(
            f"trees/npy-{what}",
            ONE,
            says=rf"\bb\b.*({says})",
            build=_in_place_of_b("b.npy", content),
            megabytes=300,
        )
        for what, (content, says) in ARRAYS.items()
    ),
    *(
        Case(
            f"trees/tiff-{what}",
            ONE,
            says=rf"b\.tif.*({says})",
            build=_in_place_of_b("b.tif", encoded(Image.fromarray(values), "TIFF")),
        )
        for what, (values, says) in FLOATS.items()
    ),
    Case("trees/no-root", TREE, says="tree: expected a folder with folders of saliency maps, there is none"),
    Case("trees/root-is-a-file", TREE, says="it is a file", build=lambda w: w.write("tree", "x")),
    Case("trees/empty-root", TREE, says="it holds no folders", build=lambda w: (w.work / "tree").mkdir()),
    Case("trees/name", (*TREE, "--name", "n"), says="--name n: ", build=_tree()),
    Case("trees/dataset", (*TREE, "--dataset", "sod"), says="names the data sets", build=_tree()),
    Case("trees/resize", (*TREE, "--resize", "cubic"), says="resize.*'cubic'", build=_tree()),
    Case("trees/shard", (*TREE, "--shard", "3/2"), says="shard", build=_tree()),
    Case(
        "trees/two-folders-of-one-set",
        TREE,
        says="two folders of the maps of DSS on sod",
        build=_tree(lambda w: shutil.copytree(w.work / "maps/DSS", w.work / "tree/DSS/sod")),
    ),
    Case(
        "trees/two-maps-of-one-image",
        TREE,
        says="two maps of one image: 3096.npy and 3096.png",
        build=_tree(_at("tree/DSS/SOD/3096.npy", b"x")),
    ),
    Case(
        "trees/all-problems-at-once",
        TREE,
        says="2 problems in 2 folders.*DSS/SOD: 1 of 3 maps.*Other/SOD: 1 of 3 maps",
        build=_tree(
            lambda w: [(w.work / f"tree/{one}/SOD/{SOD[0]}.png").unlink() for one in ("DSS", "Other")]
        ),
    ),
    Case(
        "trees/set-that-is-not-here",
        TREE,
        says="nothing is left to score .DSS/HKU-IS: hku-is is not in the data root",
        build=lambda w: (w.work / "tree/DSS/HKU-IS").mkdir(parents=True),
    ),
    Case(
        "trees/unknown-sets-are-left-out",
        TREE,
        code=0,
        says="DSS/SODD",
        prints="DSS .*sod(.*\n)+.*Other",
        build=_tree(lambda w: (w.work / "tree/DSS/SODD").mkdir()),
        changes=RECORD,
    ),
    Case(
        "trees/one-map-damaged",
        (*TREE, "--reports", "new"),
        code=1,
        says="error: DSS on sod was not scored: .*3096.png.*note: 1 of 2 folders",
        prints="Other",
        build=_tree(_at("tree/DSS/SOD/3096.png", b"x")),
        changes=("work/new*",),
    ),
    Case(
        "trees/all-maps-damaged",
        (*TREE, "--reports", "new"),
        code=1,
        says="note: 0 of 2 folders",
        build=_tree(*(_at(f"tree/{one}/SOD/3096.png", b"x") for one in ("DSS", "Other"))),
    ),
    Case(
        "trees/name-that-is-not-text",
        TREE,
        code=(0, 2),
        build=_tree(lambda w: shutil.copytree(w.work / "maps/DSS", w.work / "tree" / "D\udce9" / "SOD")),
        changes=RECORD,
    ),
    Case(
        "trees/ring-of-links",
        TREE,
        code=(0, 2),
        build=_tree(lambda w: (w.work / "tree/DSS/ring").symlink_to("..")),
        changes=RECORD,
        seconds=30,
    ),
]
