"""Records edited by hand or damaged: `audit` finds each edit, `reproduce` and `report` are not fooled."""

import json
import shutil

from .case import Build, Case
from .good import NET
from .world import World

JSON = "run.json"
MAE = ("protocols", "pysodmetrics", "scores", "MAE")


def _score(world: World) -> None:
    world.edit(world.record() / JSON, *MAE, to=0.001)


def _score_a_little(world: World) -> None:
    path = world.record() / JSON
    world.edit(
        path, *MAE, to=json.loads(path.read_text())["protocols"]["pysodmetrics"]["scores"]["MAE"] - 5e-4
    )


def _undefined(world: World) -> None:
    world.edit(world.record() / JSON, *MAE, to=None)


def _table(world: World, *, size_too: bool = False, digest_too: bool = False) -> None:
    """Other scores in the table of images, the rest as it was."""
    import pandas as pd

    path = world.record() / "scores.parquet"
    frame = pd.read_parquet(path)
    frame["MAE@pysodmetrics"] = 0.001
    frame.to_parquet(path, compression="zstd")
    content = json.loads((world.record() / JSON).read_text())
    entry = content["files"]["scores.parquet"]
    if size_too:
        entry["bytes"] = path.stat().st_size
    if digest_too:
        import hashlib

        entry["sha256"] = hashlib.sha256(path.read_bytes()).hexdigest()
    (world.record() / JSON).write_text(json.dumps(content))


def _flipped(name: str, at: float = 0.5) -> Build:
    def build(world: World) -> None:
        path = world.record() / name
        content = bytearray(path.read_bytes())
        content[int(len(content) * at)] ^= 0xFF
        path.write_bytes(bytes(content))

    return build


def _set(*place: str, to: object) -> Build:
    def build(world: World) -> None:
        world.edit(world.record() / JSON, *place, to=to)

    return build


def _gone(name: str) -> Build:
    def build(world: World) -> None:
        (world.record() / name).unlink()

    return build


def _replaced(name: str, content: bytes) -> Build:
    def build(world: World) -> None:
        path = world.record() / name
        path.write_bytes(content)
        world.edit(world.record() / JSON, "files", name, "bytes", to=len(content))

    return build


def _other_map(world: World) -> None:
    shutil.copyfile(world.work / "maps/DSS/3096.png", world.work / "maps/DSS/8049.png")


def _other_mask(world: World) -> None:
    shutil.copyfile(world.data / "SOD/GT/3096.png", world.data / "SOD/GT/8049.png")


def _renamed(world: World) -> None:
    world.record().parent.rename(world.reports / "runs/Better")


def _another_record(world: World) -> None:
    for name in ("scores.parquet", "curves.parquet", "image_curves.parquet"):
        shutil.copyfile(world.record("Other") / name, world.record() / name)


def _linked(world: World) -> None:
    path = world.record() / "scores.parquet"
    path.rename(world.top / "elsewhere.parquet")
    path.symlink_to(world.top / "elsewhere.parquet")


FIELDS = ("protocols", "pysodmetrics", "fields")
# what was edited -> what the audit says of it
EDITS: dict[str, tuple[Build, str]] = {
    "score": (_score, "MAE"),
    "score-a-little": (_score_a_little, "MAE"),
    "score-undefined": (_undefined, "MAE"),
    "table": (_table, "scores.parquet"),
    "table-and-its-size": (lambda w: _table(w, size_too=True), "scores.parquet"),
    "table-and-its-digest": (lambda w: _table(w, size_too=True, digest_too=True), "MAE"),
    "table-flipped": (_flipped("scores.parquet"), "scores.parquet"),
    "curves-flipped": (_flipped("curves.parquet"), "curves.parquet"),
    "image-curves-flipped": (_flipped("image_curves.parquet", 0.3), "image_curves.parquet"),
    "table-missing": (_gone("scores.parquet"), "scores.parquet"),
    "curves-missing": (_gone("curves.parquet"), "curves.parquet"),
    "table-is-html": (_replaced("scores.parquet", b"<html></html>"), "scores.parquet"),
    "table-is-empty": (_replaced("scores.parquet", b""), "scores.parquet"),
    "protocol-field": (_set(*FIELDS, "f_beta2", to=1.0), "f_beta2|pysodmetrics"),
    "protocol-comparator": (_set(*FIELDS, "mask_comparator", to=">="), "mask_comparator|pysodmetrics"),
    "protocol-version": (_set(*FIELDS, "version", to=99), "version|pysodmetrics"),
    "protocol-name": (_set(*FIELDS, "name", to="basnet2019"), "basnet2019"),
    "expected": (_set("expected", to=3), "expected|300|count"),
    "scored": (_set("scored", to=300), "scored|300|count"),
    "digest-of-the-set": (_set("dataset_digest", to="0" * 64), "data set|digest|masks"),
    "digest-of-the-maps": (_set("provenance", "maps_sha256", to="0" * 64), "maps"),
    "digest-of-the-images": (_set("provenance", "images_sha256", to="0" * 64), "images"),
    "another-map": (_other_map, "maps|8049"),
    "another-mask": (_other_mask, "masks|8049|data set"),
    "folder-renamed": (_renamed, "DSS|Better|name"),
    "files-of-another-record": (_another_record, "parquet"),
    "no-files-listed": (_set("files", to={}), "files|parquet"),
}
# what `report` sees without scoring anything again: it says so and does not rank the record
CHEAP = (
    "score",
    "score-a-little",
    "table",
    "table-and-its-size",
    "table-and-its-digest",
    "table-flipped",
    "curves-flipped",
    "image-curves-flipped",
    "protocol-field",
    "protocol-comparator",
    "protocol-name",
    "scored",
    "files-of-another-record",
    "folder-renamed",
    "table-missing",
)
# what `reproduce` must not say "agree" to
REPRODUCED = (
    "score",
    "score-a-little",
    "score-undefined",
    "table-and-its-digest",
    "table-flipped",
    "protocol-field",
    "digest-of-the-set",
    "another-map",
    "another-mask",
    "files-of-another-record",
    "scored",
)

CASES = [
    *(
        Case(
            f"audit/{what}",
            ("audit", "reports"),
            code=1,
            prints=f"(DSS|Better).*({says})",
            build=build,
            talks=True,
        )
        for what, (build, says) in EDITS.items()
    ),
    *(
        Case(
            f"audit/report-{what}",
            ("report", "--figures"),
            code=(0, 1, 2),
            says=f"(DSS|Better).*({says})",
            talks=True,
            build=build,
            changes=("work/reports/*",),
        )
        for what, (build, says) in EDITS.items()
        if what in CHEAP
    ),
    *(
        Case(f"audit/check-{what}", ("check", "--strict"), code=(1, 2), build=EDITS[what][0])
        for what in ("score", "score-a-little", "table-and-its-digest", "protocol-field", "table-flipped")
    ),
    *(
        Case(
            f"audit/reproduce-{what}",
            ("reproduce", "reports/runs/DSS/sod", "--quiet"),
            code=(1, 2),
            build=EDITS[what][0],
        )
        for what in REPRODUCED
    ),
    *(
        Case(
            f"audit/{command}-with-{what}",
            (command, "DSS", *more),
            says="scores\\.parquet|DSS",
            build=EDITS[what][0],
        )
        for command, more in (
            ("compare", ("Other", "--resamples", "100")),
            ("show", ("3096", "--out", "s.png")),
        )
        for what in ("table-is-html", "table-flipped")
    ),
    Case(
        "audit/damaged-json",
        ("audit", "reports", "--quiet"),
        code=(1, 2),
        prints="DSS|^$",
        says="DSS|^$",
        talks=True,
        build=lambda w: (w.record() / JSON).write_text("{"),
    ),
    Case(
        "audit/nothing-recorded", ("audit", "empty"), says="empty", build=lambda w: (w.work / "empty").mkdir()
    ),
    Case("audit/a-file", ("audit", "net.py"), says="net\\.py"),
    # an untouched record with an undefined score, and one of an ad-hoc set, are repeated
    Case(
        "audit/reproduce-undefined",
        ("reproduce", "reports/runs/u/u", "--quiet"),
        code=0,
        build=lambda w: _undefined_scores(w),
    ),
    Case("audit/reproduce-own-set", ("reproduce", "reports/runs/mine/own", "--quiet"), code=0),
    # a record is replaced by one of the same data only
    Case(
        "audit/replaced-by-fewer-images",
        ("run", *NET, "--datasets", "sod", "--name", "DSS", "--limit", "1", "--quiet"),
        says="DSS.*--replace",
        changes=("work/maps/*",),
    ),
    Case(
        "audit/replaced-by-other-masks",
        ("score", "own", "--masks", "masks", "--dataset", "own", "--name", "mine", "--quiet"),
        says="mine.*--replace",
        build=lambda w: shutil.copyfile(w.work / "masks/a.png", w.work / "masks/b.png"),
    ),
    Case(
        "audit/replaced-on-purpose",
        ("run", *NET, "--datasets", "sod", "--name", "DSS", "--limit", "1", "--quiet", "--replace"),
        code=0,
        changes=("work/maps/*", "work/reports/*"),
    ),
    Case(
        "audit/report-linked-table",
        ("report", "--figures"),
        code=(0, 2),
        build=_linked,
        changes=("work/reports/*",),
        talks=True,
    ),
]


def _undefined_scores(world: World) -> None:
    """A record of undefined scores: masks without an object under a protocol that leaves those images out."""
    import os

    import numpy as np
    from PIL import Image

    import sodbench as sb

    os.environ["SODBENCH_DATA"] = str(world.data)
    os.chdir(world.work)
    for stem in "abc":
        Image.fromarray(np.zeros((40, 48), np.uint8)).save(world.work / f"masks/{stem}.png")
    left_out = world.toml("left.toml", 'based_on = "raw"\nname = "left"\nf_left_out = ["empty-mask"]\n')
    run = sb.score_maps("own", "u", masks="masks", name="u", protocols=left_out)
    assert any(value != value for value in run.values().values())
