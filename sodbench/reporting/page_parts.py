"""Where the page keeps what grows with the number of images: in itself, or in files loaded when needed.

A page of up to `EMBEDDED` characters of such parts is one file, which can be sent. Beyond that every part
becomes a file `page/<data set>/<part>.js`; a script, because a page opened from disk may load no other data.
"""

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any
from urllib.parse import quote

from sodbench.files import write_text
from sodbench.names import folder_name

FOLDER = "page"
EMBEDDED = 1_500_000


def placed(folder: Path, datasets: Sequence[Mapping[str, Any]]) -> list[dict[str, Any]]:
    """The data sets of `page_data`, their parts replaced by `{"file": address}` where they are too large.

    Writes these files into `folder` and removes those of a former page.
    """
    texts = [{name: _text(part) for name, part in one["parts"].items()} for one in datasets]
    total = sum(len(text) for parts in texts for text in parts.values())
    written: set[Path] = set()
    result = []
    for one, parts in zip(datasets, texts, strict=True):
        if total > EMBEDDED:
            files = {}
            for name, text in parts.items():
                path = folder / FOLDER / folder_name(one["id"]) / f"{folder_name(name)}.js"
                address = quote(path.relative_to(folder).as_posix())
                write_text(path, f"receive({_text(address)}, {text});\n")
                written.add(path)
                files[name] = {"file": address}
            result.append({**one, "parts": files})
        else:
            result.append(dict(one))
    for old in set((folder / FOLDER).glob("*/*.js")) - written:
        old.unlink()
    for empty in (folder / FOLDER).glob("*/"):
        if not any(empty.iterdir()):
            empty.rmdir()
    return result


def _text(part: object) -> str:
    return json.dumps(part, separators=(",", ":"))
