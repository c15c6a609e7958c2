"""Compares what lies in two trials' folders: byte by byte, but for times, speeds and addresses."""

import hashlib
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

# what may differ between two undisturbed calls, by file name: keys, also within other tables
MAY_DIFFER = {
    "run.json": ("started", "seconds", "code"),  # the checkout may be changed meanwhile
    "shard.json": ("started", "seconds", "code"),
    "stress.json": ("started", "seconds", "code"),
    "training.json": ("started", "seconds", "code"),
    "metrics.jsonl": ("images_per_second",),
    "fetched.json": ("fetched", "address"),
    ".pt": ("seconds",),
}
Contents = dict[str, str]


def contents(folder: Path) -> Contents:
    """The digest of every file in a folder, by its path in it; folders end in `/`, also the empty ones."""
    found: Contents = {}
    for path in sorted(folder.rglob("*")):
        name = path.relative_to(folder).as_posix()
        if name.startswith("cache/data-roots/"):
            name = "cache/data-roots/*"  # the name is the digest of an absolute path
        found[name + "/" * path.is_dir()] = "" if path.is_dir() else digest(path)
    return found


def differences(found: Mapping[str, str], expected: Mapping[str, str]) -> list[str]:
    """One line per path in which two folders differ."""
    lines = [f"left behind: {name}" for name in sorted(found.keys() - expected.keys())]
    lines += [f"missing: {name}" for name in sorted(expected.keys() - found.keys())]
    both = sorted(found.keys() & expected.keys())
    return lines + [f"differs: {name}" for name in both if found[name] != expected[name]]


def digest(path: Path) -> str:
    """The SHA-256 of a file's content without what may differ."""
    try:
        return hashlib.sha256(_content(path)).hexdigest()
    except Exception as error:  # a torn file of any kind
        return f"unreadable: {type(error).__name__}"


def _content(path: Path) -> bytes:
    without = MAY_DIFFER.get(path.suffix if path.suffix == ".pt" else path.name, ())
    if path.suffix == ".pt":
        import torch

        return repr(_plain(torch.load(path, map_location="cpu", weights_only=True), without)).encode()
    if path.suffix == ".json" and without:
        return json.dumps(_plain(json.loads(path.read_text()), without)).encode()
    if path.suffix == ".jsonl":
        lines = [json.loads(line) for line in path.read_text().splitlines()]
        return json.dumps(_plain(lines, without)).encode()
    return path.read_bytes()


def _plain(value: Any, without: tuple[str, ...]) -> Any:
    """Nested tables without some keys; a tensor as its type, shape and bytes."""
    if isinstance(value, Mapping):
        return {str(key): _plain(one, without) for key, one in value.items() if key not in without}
    if isinstance(value, list | tuple):
        return [_plain(one, without) for one in value]
    if hasattr(value, "numpy"):
        array = value.detach().numpy()
        return [str(array.dtype), list(array.shape), hashlib.sha256(array.tobytes()).hexdigest()]
    return value
