"""JSON files that are damaged, or of which a key is missing or of another type; every reader of JSON."""

import json
from collections.abc import Callable

from .case import Build, Case
from .world import DELETED, World

# file (from work/) -> the command that reads it, and the word that its error names
RECORD = "reports/runs/DSS/sod/run.json"
STRESSED = "reports/stress/net/sod/stress.json"
READERS: dict[str, tuple[str, tuple[str, ...], str]] = {
    "report": (RECORD, ("report",), "none of the records in reports/runs can be used"),
    "reproduce": (RECORD, ("reproduce", "reports/runs/DSS/sod", "--quiet"), "DSS/sod"),
    "check-record": (RECORD, ("check",), "none of the records in reports/runs can be used"),
    "reference": ("reports/reference.json", ("check",), "reference.json"),
    "update": ("reports/reference.json", ("check", "--update"), "reference.json"),
    "training": ("training.json", ("reproduce", "training.json", "--quiet"), "training.json"),
    "stress": (STRESSED, ("stress", "net", "--datasets", "sod", "--show"), "stress.json"),
    "metadata": ("pairs/metadata.jsonl", ("datasets", "add", "pairs", "--name", "n"), "metadata.jsonl"),
}

# what becomes of the good file
DAMAGES: dict[str, Callable[[bytes], bytes]] = {
    "empty": lambda good: b"",
    "cut": lambda good: good[: len(good) // 2],
    "text": lambda good: b"not JSON\n",
    "html": lambda good: b"<html></html>",
    "list": lambda good: b"[1, 2]",
    "null": lambda good: b"null",
    "number": lambda good: b"5",
    "words": lambda good: b'"run"',
    "no-keys": lambda good: b"{}",
    "nested-lists": lambda good: b"[" * 100_000 + b"]" * 100_000,
    "nested-objects": lambda good: b'{"a":' * 100_000 + b"1" + b"}" * 100_000,
    "huge-number": lambda good: b'{"schema": ' + b"9" * 5000 + b"}",
    "not-utf8": lambda good: good.replace(b'"', b'"\xe9', 1),
    "utf-16": lambda good: good.decode().encode("utf-16"),
    "nul-bytes": lambda good: bytes(64),
    "lone-surrogate": lambda good: good.replace(b'"', b'"\\ud800', 1),
    "two-values": lambda good: good + good,
    "nan-for-schema": lambda good: b'{"schema": NaN}',
}
TRAINING = {
    "baseline": "basnet-tiny",
    "recipe": {"dataset": ["sod"], "iterations": 1, "batch": 1, "lr": 0.1},
    "weights": {"sha256": "0" * 64},
    "best": {"iteration": 1},
    "datasets": {},
    "provenance": {},
    "losses": {},
}
STRESS = {
    "schema": 1,
    "name": "net",
    "dataset": "sod",
    "title": "SOD",
    "images": 3,
    "expected": 300,
    "protocols": ["pysodmetrics"],
    "leading": "MAE@pysodmetrics",
    "depends": {"images": "0", "masks": "0", "corruptions": "1"},
    "clean": {"MAE@pysodmetrics": 0.1},
    "clean_images": {"3096": 0.1},
    "cells": [{"kind": "fog", "severity": 1, "scores": {"MAE@pysodmetrics": 0.2}, "worst": ["3096"]}],
    "provenance": {},
}
METADATA = b'{"file_name": "a.jpg", "mask": "m.png"}\n'


def _damaged(path: str, damage: Callable[[bytes], bytes]) -> Build:
    def build(world: World) -> None:
        if path == RECORD:
            world.only()
        file = world.work / path
        if path == "training.json":
            world.write(path, json.dumps(TRAINING))
        elif path == STRESSED:
            world.write(path, json.dumps(STRESS))
        elif path.startswith("pairs"):
            world.write(path, METADATA)
            for name, source in (("a.jpg", "images/a.png"), ("m.png", "masks/a.png")):
                (file.parent / name).write_bytes((world.work / source).read_bytes())
        file.write_bytes(damage(file.read_bytes()))

    return build


def _edited(path: str, *place: str | int, to: object) -> Build:
    def build(world: World) -> None:
        if path == RECORD:
            world.only()
        if path == "training.json":
            world.write(path, json.dumps(TRAINING))
        if "depends" in place:  # what a score depends on is looked at where the score has drifted
            world.edit(world.work / path, "entries", 0, "values", "MAE@pysodmetrics", to=0.9)
        world.edit(world.work / path, *place, to=to)

    return build


# place in run.json -> values that may not stand there
RUN_KEYS: dict[tuple[str, ...], tuple[object, ...]] = {
    ("schema",): (2, 0, -1, "1", True, None, 1.5, DELETED),
    ("name",): (5, None, "", ["DSS"], DELETED),
    ("dataset",): (5, None, "", DELETED),
    ("title",): (5, None, DELETED),
    ("expected",): ("3", -1, 2.5, None, DELETED, True, 10**400),
    ("scored",): ("3", -1, None, DELETED, 10**30, 2),
    ("dataset_digest",): (5, None, DELETED, "abc"),
    ("weights_sha256",): (5, ["x"]),
    ("protocols",): ({}, [], None, 5, DELETED),
    ("protocols", "pysodmetrics"): (None, 5, [], {}),
    ("protocols", "pysodmetrics", "fields"): (None, [], 5, {}, DELETED),
    ("protocols", "pysodmetrics", "fields", "f_beta2"): ("x", None, -1, [0.3]),
    ("protocols", "pysodmetrics", "fields", "mask_threshold"): (1e400, "128", None),
    ("protocols", "pysodmetrics", "scores"): (None, [], 5, {}, DELETED),
    ("protocols", "pysodmetrics", "scores", "MAE"): ("0.1", [], True, 10**400, {}),
    ("provenance",): (None, [], 5, "x", DELETED),
    ("provenance", "versions"): (None, 5, ["numpy"], {"numpy": 5}),
    ("provenance", "device"): (None, 5, "cpu"),
    ("provenance", "code"): (None, 5),
    ("provenance", "command"): (5, "x", [1, 2]),
    ("provenance", "started"): (5, None),
    ("provenance", "seconds"): ("x", None),
    ("provenance", "origin"): ("stolen", 5),
    ("provenance", "maps"): (5, ["x"]),
    ("files",): (None, [], 5, DELETED),
    ("files", "scores.parquet"): (None, 5, {}),
    ("files", "scores.parquet", "bytes"): ("5", -1, None),
    ("files", "scores.parquet", "sha256"): (5, "short"),
}
REFERENCE_KEYS: dict[tuple[str | int, ...], tuple[object, ...]] = {
    ("schema",): (2, "1", None, DELETED, True),
    ("tolerances",): (None, [], 5, DELETED, {"default": -1}, {"default": "x"}, {"MAE": None}),
    ("entries",): (None, {}, 5, DELETED, [5], [None]),
    ("entries", 0, "name"): (5, None, DELETED),
    ("entries", 0, "scored"): ("3", None),
    ("entries", 0, "values"): (None, [], {"MAE@raw": "x"}, {"MAE": [1]}),
    ("entries", 0, "depends"): (None, 5, []),
    ("entries", 0, "depends", "versions"): (None, 5, "numpy", ["numpy"], {"numpy": [5]}),
    ("entries", 0, "depends", "protocols"): (5, ["raw"], {"pysodmetrics": 5}),
    ("entries", 0, "depends", "device"): (5, "cpu", []),
    ("entries", 0, "depends", "data"): (5, {}),
    ("entries", 0, "depends", "commit"): (5, []),
}
TRAINING_KEYS: dict[tuple[str, ...], tuple[object, ...]] = {
    ("baseline",): (5, None, "unheard", "os:system"),
    ("recipe",): (None, 5, [], {"batch": 0}),
    ("weights",): (None, 5, {}, DELETED),
    ("best",): (None, 5, {}, DELETED),
    ("datasets",): (None, 5, ["sod"], {"sod": 5}, DELETED),
    ("provenance",): (None, 5, {"versions": 5}, DELETED),
    ("losses",): (5, ["bce"], {"bce": "x"}),
}


def _shown(value: object) -> str:
    if value is DELETED:
        return "absent"
    text = "".join(c if c.isalnum() else "-" for c in str(value)).strip("-")[:12]
    return f"{type(value).__name__}-{text}" if text else f"empty-{type(value).__name__}"


def _cases() -> list[Case]:
    cases = []
    for reader, (path, run, word) in READERS.items():
        for what, damage in DAMAGES.items():
            if what in ("two-values", "no-keys", "null", "number", "words") and reader == "metadata":
                continue
            cases.append(
                Case(f"json/{reader}-{what}", run, says=word, build=_damaged(path, damage), talks=True)
            )
    for place, values in RUN_KEYS.items():
        for value in values:
            key = f"{'.'.join(place)}={_shown(value)}"
            cases.append(
                Case(
                    f"records/reproduce-{key}",
                    ("reproduce", "reports/runs/DSS/sod", "--quiet"),
                    says="DSS/sod|^$",
                    code=(1, 2),
                    build=_edited(RECORD, *place, to=value),
                )
            )
            # one bad record among three: it is named, the others are reported
            cases.append(
                Case(
                    f"records/report-{key}",
                    ("report", "--figures"),
                    says="DSS|^$",
                    code=0,
                    talks=True,
                    build=lambda w, place=place, value=value: w.edit(w.work / RECORD, *place, to=value),
                    changes=("work/reports/*",),
                )
            )
    for place, values in REFERENCE_KEYS.items():
        for value in values:
            cases.append(
                Case(
                    f"reference/{'.'.join(map(str, place))}={_shown(value)}",
                    ("check",),
                    says="reference\\.json",
                    build=_edited("reports/reference.json", *place, to=value),
                )
            )
    for place, values in TRAINING_KEYS.items():
        for value in values:
            cases.append(
                Case(
                    f"training/{'.'.join(place)}={_shown(value)}",
                    ("reproduce", "training.json", "--quiet"),
                    says="training\\.json|unheard|os:system",
                    build=_edited("training.json", *place, to=value),
                )
            )
    return cases


CASES = _cases()
