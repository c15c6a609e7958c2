"""Attributes of images: lists that name no images of the set, damaged stored files, pictures gone."""

import json
import os
import shutil
from pathlib import Path

from PIL import Image

from .case import Build, Case
from .world import World

REPORT = ("report", "--attributes", "--figures", "--datasets", "sod")
COMPARE = ("compare", "DSS", "Other", "--attributes", "--metrics", "MAE", "--resamples", "100")
BIRDS = ("report", "--attributes", "--figures", "--datasets", "birds")
CARD = """
title = "Birds"
location = "{work}"
[count]
pairs = 3
[[layouts]]
name = "l"
images = "images"
masks = "masks"
[attributes.lists]
AC = "AC.txt"
here = ["a"]
"""


def _birds(content: bytes | None) -> Build:
    """A scored data set with a card; `content` is that of its list, None: a folder in its place."""

    def build(world: World) -> None:
        import sodbench as sb

        os.environ["SODBENCH_DATA"] = str(world.data)
        os.chdir(world.work)
        world.write("datasets/birds.toml", CARD.replace("{work}", str(world.work)))
        sb.score_maps("own", "birds", name="b", self_check=False)
        if content is None:
            (world.work / "AC.txt").mkdir()
        else:
            world.write("AC.txt", content)

    return build


def _file(world: World) -> Path:
    digest = json.loads((world.record() / "run.json").read_text())["dataset_digest"]
    return world.reports / "attributes" / f"sod-{digest[:8]}.json"


def _stored(content: bytes) -> Build:
    def build(world: World) -> None:
        path = _file(world)
        path.parent.mkdir()
        path.write_bytes(content)

    return build


def _no_pictures(world: World) -> None:
    shutil.rmtree(world.data / "SOD")


def _other_size(world: World) -> None:
    Image.new("RGB", (20, 30)).save(world.data / "SOD/images/3096.jpg")


def _cut(world: World) -> None:
    path = world.data / "SOD/images/3096.jpg"
    path.write_bytes(path.read_bytes()[:300])


def _other_masks(world: World) -> None:
    shutil.copyfile(world.data / "SOD/GT/3096.png", world.data / "SOD/GT/8049.png")


def _in_the_way(world: World) -> None:
    (world.reports / "attributes").write_text("a file")


WRITTEN = ("work/reports/*",)
CASES = [
    Case("attributes/good", REPORT, code=0, prints="attributes.md", changes=WRITTEN),
    Case("attributes/compare", COMPARE, code=0, prints="fewer than 10 images", changes=WRITTEN),
    Case("attributes/strangers", BIRDS, "lists.AC: 2 of 3 names.*: x, y;", _birds(b"a\nx\ny.jpg\n")),
    Case("attributes/list-not-utf8", BIRDS, r"AC\.txt: not a text in UTF-8", _birds(b"\xff\xfe\n")),
    Case(
        "attributes/list-missing",
        BIRDS,
        r"1 of 2 attribute lists are not in .*AC\.txt",
        _birds(None),
        code=0,
        changes=WRITTEN,
    ),
    Case("attributes/list-empty", BIRDS, build=_birds(b"\n"), code=0, changes=WRITTEN),
    Case("attributes/stored-no-json", REPORT, r"sod-.*json: not valid JSON", _stored(b"{")),
    Case("attributes/stored-a-list", REPORT, "expected attributes with schema 1", _stored(b"[1, 2]")),
    Case("attributes/stored-nested", REPORT, "not valid JSON", _stored(b"[" * 200_000)),
    Case(
        "attributes/stored-fields-missing",
        REPORT,
        "dataset: missing.*delete it",
        _stored(b'{"schema": 1, "definitions": 1}'),
    ),
    Case("attributes/pictures-gone", REPORT, "sod: no attributes: .*run 'sodbench report", _no_pictures),
    Case("attributes/compare-pictures-gone", COMPARE, "sod: no attributes: ", _no_pictures),
    Case("attributes/other-masks", REPORT, "masks in .* are not those that", _other_masks),
    Case("attributes/other-size", REPORT, "3096.png: its size differs from that of its image", _other_size),
    Case("attributes/cut-image", REPORT, r"3096\.jpg", _cut),
    Case("attributes/folder-in-the-way", REPORT, "not stored", _in_the_way, code=0, changes=WRITTEN),
    Case("attributes/figure-alone", ("report", "--figures", "attributes"), "ask for attributes as well"),
    Case("attributes/parity", ("compare", "--parity", "a", "b", "--attributes"), "--attributes goes with"),
]
