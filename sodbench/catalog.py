"""The folders of TOML files: `baselines/`, `datasets/` and `suites/`.

They ship inside the wheel; in a checkout they are the folders at its top. A user's own
`./baselines/*.toml`, `./datasets/*.toml` and `./suites/*.toml` extend them. The names of shipped entries are
reserved: a user's file of such a name is never read, and refused where it is asked for.
"""

import tomllib
from pathlib import Path
from typing import Any, Literal

from sodbench.errors import InputError, unknown_names
from sodbench.paths import refuse_special

Kind = Literal["baselines", "datasets", "suites"]
MOST_BYTES = 1_000_000  # of a TOML file; the largest that ships has 6,000
MOST_DOTS = 300  # in a line: a key a.a.a... takes tomllib memory that grows with the square of its parts


def shipped_folder(kind: Kind) -> Path:
    """The folder that came with the package: inside the wheel, or at the top of a checkout."""
    package = Path(__file__).resolve().parent
    installed = package / "_catalog" / kind
    return installed if installed.is_dir() else package.parent / kind


def entries(kind: Kind) -> dict[str, Path]:
    """All entries by name (the file's stem): the shipped ones, and the user's own in the working directory.

    Own files of a shipped name are left out, see `shadowing`.
    """
    shipped = _shipped(kind)
    own = {path.stem: path for path in _own(kind) if path.stem.casefold() not in shipped}
    return {path.stem: path for path in shipped.values()} | own


def shadowing(kind: Kind) -> dict[str, Path]:
    """The user's own files that have the name of a shipped entry, in any letter case, by that name.

    A copy with the same content, as in a checkout beside an installed package, is none of them.
    """
    shipped = _shipped(kind)
    return {
        shipped[path.stem.casefold()].stem: path
        for path in _own(kind)
        if is_shipped_name(kind, path.stem) and not _same(path, shipped[path.stem.casefold()])
    }


def is_shipped(kind: Kind, path: Path) -> bool:
    """Whether a file is one that came with the package, or a copy of it under its name."""
    shipped = _shipped(kind).get(path.stem.casefold())
    return shipped is not None and _same(path, shipped)


def is_shipped_name(kind: Kind, name: str) -> bool:
    """Whether a shipped entry has this name, in any letter case."""
    return name.casefold() in _shipped(kind)


def refuse_shadowing(kind: Kind, name: str) -> None:
    """Raises InputError where the user has a file of their own under this name of a shipped entry."""
    path = shadowing(kind).get(name)
    if path is not None:
        raise taken_name(kind, path)


def taken_name(kind: Kind, path: Path) -> InputError:
    """The error for a user's file that has the name of a shipped entry."""
    name = path.stem.casefold()
    return InputError(
        f"{path}: has the name of the shipped {_noun(kind)} {name!r}; give the file another name"
    )


def find(kind: Kind, name: str) -> Path:
    """The TOML file of one entry.

    Raises InputError with the nearest names if there is none, and for a user's file of a shipped name.
    """
    known = entries(kind)
    if name not in known:
        raise unknown_names(_noun(kind), [name], known)
    refuse_shadowing(kind, name)
    return known[name]


def read_toml(path: Path) -> dict[str, Any]:
    """Parses a TOML file; InputError names a file that cannot be read, or is no TOML, and the position."""
    refuse_special(path)
    try:
        with path.open("rb") as file:
            content = file.read(MOST_BYTES + 1)
    except OSError as error:
        raise InputError(f"{path}: cannot be read ({error.strerror or error})") from error
    if len(content) > MOST_BYTES:
        raise InputError(f"{path}: expected a TOML file of at most {MOST_BYTES:,} bytes, found more")
    try:
        text = content.decode("utf-8")
        for number, line in enumerate(text.split("\n"), 1):
            if line.count(".") > MOST_DOTS:
                raise InputError(
                    f"{path}: expected at most {MOST_DOTS} dots in a line, found more in line {number}"
                )
        return tomllib.loads(text)
    except RecursionError as error:
        raise InputError(f"{path}: not valid TOML: nested too deeply") from error
    except InputError:
        raise
    except ValueError as error:  # of tomllib, of the encoding, of a whole number with too many digits
        raise InputError(f"{path}: not valid TOML: {error}") from error


def _shipped(kind: Kind) -> dict[str, Path]:
    """The shipped files by their names in lower case."""
    return {path.stem.casefold(): path for path in sorted(shipped_folder(kind).glob("*.toml"))}


def _own(kind: Kind) -> list[Path]:
    return sorted((Path.cwd() / kind).glob("*.toml"))


def _same(path: Path, shipped: Path) -> bool:
    try:
        return path.samefile(shipped) or (path.is_file() and path.read_bytes() == shipped.read_bytes())
    except OSError:
        return False


def _noun(kind: Kind) -> str:
    return {"baselines": "baseline", "datasets": "data set", "suites": "suite"}[kind]
