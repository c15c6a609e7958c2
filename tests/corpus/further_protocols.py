"""`report --rescore`: maps, masks and records that are missing or spoilt; each record stays whole."""

import shutil

from .case import Build, Case
from .world import World

RESCORE = ("report", "--protocols", "raw", "--rescore", "--figures", "--quiet", "--methods", "DSS")
DSS = "work/maps/DSS/3096.png"


def _alone(spoil: Build) -> Build:
    def build(world: World) -> None:
        world.only()
        spoil(world)

    return build


def _no_maps(world: World) -> None:
    shutil.rmtree(world.work / "maps/DSS")


def _a_map_less(world: World) -> None:
    (world.top / DSS).unlink()


def _another_map(world: World) -> None:
    shutil.copy(world.work / "maps/Other/3096.png", world.top / DSS)


def _spoilt_map(world: World) -> None:
    (world.top / DSS).write_bytes((world.top / DSS).read_bytes()[:60])


def _another_mask(world: World) -> None:
    shutil.copy(world.data / "SOD/GT/8049.png", world.data / "SOD/GT/3096.png")


def _no_masks(world: World) -> None:
    shutil.rmtree(world.data / "SOD/GT")


def _edited_score(world: World) -> None:
    place = ("protocols", "pysodmetrics", "scores", "MAE")
    world.edit(world.record() / "run.json", *place, to=0.001)


def _links_elsewhere(world: World) -> None:
    world.edit(world.record() / "run.json", "provenance", "maps", to="reports:../../data/SOD/GT")


SPOILT: dict[str, tuple[Build, str]] = {
    "no-maps": (_no_maps, "DSS on SOD: maps missing; score them: sodbench score DIR --dataset sod"),
    "a-map-less": (_a_map_less, "DSS on SOD: maps missing"),
    "another-map": (_another_map, "DSS on SOD: maps differ from those that were scored"),
    "spoilt-map": (_spoilt_map, "DSS on SOD: maps differ from those that were scored"),
    "another-mask": (_another_mask, "DSS on SOD: the masks of sod here differ from those"),
    "no-masks": (_no_masks, "DSS on SOD: .*(sod|SOD)"),
    "other-folder-of-maps": (_links_elsewhere, "DSS on SOD: maps differ from those that were scored"),
}

CASES = [
    *(
        Case(f"rescore/{name}", RESCORE, f"error: not scored again: {says}", _alone(spoil))
        for name, (spoil, says) in SPOILT.items()
    ),
    Case("rescore/edited-score", RESCORE, "error: none of the records", _alone(_edited_score)),
    Case(
        "rescore/one-of-two",
        (*RESCORE, "Other"),
        "note: not scored again: DSS on SOD: maps missing",
        _no_maps,
        code=0,
        prints="leaderboard.md",
        changes=("work/reports/leaderboard.md", "work/reports/runs/Other/*"),
    ),
    Case(
        "rescore/unknown-protocol", ("report", "--rescore", "--protocols", "rawr"), "unknown protocol 'rawr'"
    ),
    Case("rescore/unknown-metric", (*RESCORE[:-2], "--metrics", "maxG"), "unknown metric 'maxG'"),
    Case("rescore/unknown-method", (*RESCORE[:-1], "DDS"), "unknown method 'DDS'"),
    Case("rescore/unknown-source", (*RESCORE, "--published", "nobody2020"), "nobody2020"),
    Case("rescore/no-protocol-file", ("report", "--rescore", "--protocols", "no.toml"), "no.toml"),
    Case("rescore/workers", (*RESCORE, "--scoring-workers", "0"), "workers"),
    Case("rescore/digits", (*RESCORE, "--digits", "12"), "digits"),
    Case(
        "rescore/not-asked-for",
        ("report", "--protocols", "raw"),
        "no run is scored under protocol raw, only under pysodmetrics; --rescore",
    ),
]
