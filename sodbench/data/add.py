"""Writes the card of a set of one's own, `./datasets/<name>.toml`."""

import json
import re
from pathlib import Path

from sodbench.data.guess import Guess, stems_in
from sodbench.data.listing import read_list
from sodbench.errors import InputError
from sodbench.files import write_text


def write_card(
    name: str, folder: Path, guess: Guess, title: str, role: str, names: Path | None, replace: bool
) -> Path:
    """Writes `./datasets/<name>.toml`, whole or not at all, and returns its path."""
    if not re.fullmatch(r"[a-z0-9][a-z0-9._-]*", name):
        raise InputError(f"--name {name!r}: expected small letters, digits, '-', '_' and '.'")
    path = Path.cwd() / "datasets" / f"{name}.toml"
    if path.exists() and not replace:
        raise InputError(f"{path}: is there already; --replace writes it anew")
    count = guess.pairs
    if names is not None:
        count = len(read_list(names) & set(stems_in(folder / guess.images)))
        if not count:
            raise InputError(f"{names}: none of its names is a picture of {folder / guess.images}")
    text = json.dumps  # a JSON string is a TOML string
    lines = [
        f"title = {text(title, ensure_ascii=False)}",
        f"summary = {text(f'a set of my own: {guess.why}', ensure_ascii=False)}",
        f'role = "{role}"',
        f"folders = [{text(folder.name, ensure_ascii=False)}]",
        f"location = {text(str(folder.resolve()), ensure_ascii=False)}",
        "",
        "[count]",
        f"pairs = {count}",
        'source = "counted by sodbench datasets add"',
        "",
        "[[layouts]]",
        'name = "as found"',
        f"images = {text(guess.images, ensure_ascii=False)}",
        f"masks = {text(guess.masks, ensure_ascii=False)}",
        f"mask_suffix = {text(guess.mask_suffix, ensure_ascii=False)}",
        'source = "sodbench datasets add"',
    ]
    if names is not None:
        lines += ["", "[split]", f"lists = [{text(str(names.resolve()), ensure_ascii=False)}]"]
    if guess.unmasked:
        lines += [
            "",
            "[[quirks]]",
            f'text = "{guess.unmasked} pictures have no mask and are left out"',
            'source = "sodbench datasets add"',
            "leave_out_unmasked = true",
        ]
    write_text(path, "\n".join(lines) + "\n")
    return path
