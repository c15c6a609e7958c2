"""The two folders of TOML files, `baselines/` and `datasets/`.

They ship inside the wheel; in a checkout they are the folders at its top. A user's own
`./baselines/*.toml` and `./datasets/*.toml` extend them and replace entries of the same name.
"""

import tomllib
from pathlib import Path
from typing import Any, Literal

from sodbench.errors import InputError, unknown_names

Kind = Literal["baselines", "datasets"]


def shipped_folder(kind: Kind) -> Path:
    """The folder that came with the package: inside the wheel, or at the top of a checkout."""
    package = Path(__file__).resolve().parent
    installed = package / "_catalog" / kind
    return installed if installed.is_dir() else package.parent / kind


def entries(kind: Kind) -> dict[str, Path]:
    """All entries by name (the file's stem), including the user's own in the working directory."""
    paths: dict[str, Path] = {}
    for folder in (shipped_folder(kind), Path.cwd() / kind):
        for path in sorted(folder.glob("*.toml")):
            paths[path.stem] = path
    return paths


def find(kind: Kind, name: str) -> Path:
    """The TOML file of one entry; raises InputError with the nearest names if there is none."""
    known = entries(kind)
    if name not in known:
        raise unknown_names("baseline" if kind == "baselines" else "data set", [name], known)
    return known[name]


def read_toml(path: Path) -> dict[str, Any]:
    """Parses a TOML file; a syntax error becomes an InputError that names the file and the position."""
    try:
        return tomllib.loads(path.read_text(encoding="utf-8"))
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise InputError(f"{path}: not valid TOML: {error}") from error
