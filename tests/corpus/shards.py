"""Shards: missing, damaged, of something else, given twice."""

import hashlib
import json
import shutil
from collections.abc import Callable
from pathlib import Path

from .case import Build, Case
from .world import World

MERGE = ("merge", "parts", "--reports", "merged")


def _scored(world: World) -> Path:
    """Two shards of DSS on SOD in work/parts; the folder of the second."""
    import sodbench

    for shard in ("1/2", "2/2"):
        sodbench.score_maps(
            world.work / "maps/DSS", "sod", data_root=world.data, reports=world.work / "parts", shard=shard
        )
    return world.work / "parts/shards/DSS/sod/2-of-2"


def _set(*place: str, to: object) -> Callable[[Path], None]:
    def change(folder: Path) -> None:
        path = folder / "shard.json"
        content = json.loads(path.read_text())
        inner = content
        for step in place[:-1]:
            inner = inner[step]
        inner[place[-1]] = to
        path.write_text(json.dumps(content))

    return change


def _flipped(name: str) -> Callable[[Path], None]:
    def change(folder: Path) -> None:
        content = bytearray((folder / name).read_bytes())
        content[len(content) // 2] ^= 0xFF
        (folder / name).write_bytes(bytes(content))

    return change


def _written(name: str, content: bytes) -> Callable[[Path], None]:
    """Another file, with the size and digest that shard.json states."""

    def change(folder: Path) -> None:
        (folder / name).write_bytes(content)
        stated = {"bytes": len(content), "sha256": hashlib.sha256(content).hexdigest()}
        _set("files", name, to=stated)(folder)

    return change


def _short_sums(folder: Path) -> None:
    """Sums of one level instead of 256."""
    import pyarrow
    import pyarrow.parquet as parquet

    path = folder / "curve_sums.parquet"
    table = parquet.read_table(path)
    sums = pyarrow.array([[1.0]] * table.num_rows, pyarrow.list_(pyarrow.float64()))
    parquet.write_table(table.set_column(2, "sums", sums), path)
    _written(path.name, path.read_bytes())(folder)


# what was spoiled -> what the error says
DAMAGED: dict[str, tuple[Callable[[Path], object], str]] = {
    "gone": (shutil.rmtree, "DSS on sod: shard 2 of 2 is missing"),
    "no-json": (lambda folder: (folder / "shard.json").unlink(), "2-of-2: no shard.json"),
    "empty-json": (lambda folder: (folder / "shard.json").write_text(""), "shard.json: not valid JSON"),
    "json-list": (lambda folder: (folder / "shard.json").write_text("[]"), "shard.json.*schema"),
    "scores-flipped": (_flipped("scores.parquet"), "scores.parquet was changed"),
    "curves-flipped": (_flipped("image_curves.parquet"), "image_curves.parquet was changed"),
    "sums-flipped": (_flipped("curve_sums.parquet"), "curve_sums.parquet was changed"),
    "scores-no-parquet": (_written("scores.parquet", b"<html>"), "scores.parquet.*cannot be read"),
    "sums-no-parquet": (_written("curve_sums.parquet", b""), "curve_sums.parquet.*cannot be read"),
    "sums-short": (_short_sums, "curve_sums.parquet.*5 x 256"),
    "file-outside": (_set("files", "../x", to={"bytes": 1}), "no file of a record"),
    "version": (_set("provenance", "versions", "sodbench", to="9.9"), "shard 2/2.*sodbench: 9.9"),
    "number": (_set("shard", to="3/2"), "'3/2'"),
    "images": (_set("images", to=0), "images.*1 or more"),
    "images-huge": (_set("images", to=10**15), "counts 1 images"),
    "names": (_set("images_sha256", to="0" * 64), "shard 2/2.*names of the images"),
    "levels": (_set("protocols", "pysodmetrics", "fields", "levels", to=10**9), "levels"),
    "protocol-unknown-field": (_set("protocols", "pysodmetrics", "fields", "new", to=1), "new"),
    "name-of-another": (_set("name", to="../../evil"), "copied or renamed"),
    "copied": (lambda f: shutil.copytree(f, f.with_name("1-of-3")), "copied or renamed"),
}


def _build(then: Callable[[Path], object]) -> Build:
    def build(world: World) -> None:
        then(_scored(world))

    return build


def _twice(world: World) -> None:
    _scored(world)
    shutil.copytree(world.work / "parts", world.work / "again")


CASES = [
    *(Case(f"shards/{what}", MERGE, says=says, build=_build(then)) for what, (then, says) in DAMAGED.items()),
    Case(
        "shards/twice",
        ("merge", "parts", "again", "--reports", "merged"),
        code=0,
        says="shard 1/2 is there twice",
        build=_twice,
        changes=("work/merged/*", "home/*"),
    ),
    Case("shards/out-is-a-file", (*MERGE[:-1], "net.py"), says="net.py", build=_build(lambda folder: None)),
]
