"""Which files of a folder are saliency maps, and which part of a file's name is the name of its image."""

import re
from collections import Counter
from collections.abc import Collection
from functools import lru_cache
from pathlib import Path

from sodbench.data.image_files import image_files, scan
from sodbench.data.picture_files import SUFFIXES
from sodbench.errors import InputError, first_of

NAME = "{name}"
MAP_SUFFIXES = (*SUFFIXES, ".npy")
EXPECTED_MAPS = f"expected {', '.join(SUFFIXES[:4])} or .npy files"
_LOOKED_AT = 20  # file names from which a pattern is guessed


def checked_pattern(pattern: str | None) -> str | None:
    """The pattern of file names, `{name}_sal.png`; None: the whole stem is the name.

    `{name}` is there once and stands for the name of the image. An ending such as `.png` is part of the
    pattern or left out; then any ending fits. All else stands for itself. Raises InputError.
    """
    if pattern is None:
        return None
    if not isinstance(pattern, str):
        raise InputError(f"pattern: expected a text such as {NAME}_sal.png, found {type(pattern).__name__}")
    rest = pattern.replace(NAME, "", 1)
    if rest == pattern or re.search(r"[{}]", rest):
        raise InputError(
            f"pattern {pattern!r}: expected {NAME} once, where the image's name stands in a file's name, and "
            f"no other field: for example {NAME}_sal.png"
        )
    if re.search(r"[/\\\x00-\x1f]", pattern):
        raise InputError(
            f"pattern {pattern!r}: expected a file's name; folders belong to the layout of a tree (--layout)"
        )
    return None if pattern == NAME else pattern


def list_maps(folder: Path, pattern: str | None = None) -> dict[str, Path]:
    """The maps directly inside a folder, name of the image -> path, sorted by name.

    Files whose names do not fit the `pattern` (see `checked_pattern`) are passed over. Raises InputError for
    two maps of one image, for a pattern that fits no file, and as `list_images` does.
    """
    paths = image_files(folder, MAP_SUFFIXES)
    maps: dict[str, Path] = {}
    twice = []
    for path in paths:
        name = name_of(path.name, pattern)
        if name is None:
            continue
        if name in maps:
            twice.append(f"{maps[name].name} and {path.name}")
        maps[name] = path
    if twice:
        raise InputError(
            f"{folder}: two maps of one image: {first_of(twice, 3)}; remove the wrong ones, or choose by the "
            f"names of files, as with --pattern '{NAME}.png'"
        )
    if paths and not maps:
        names = [path.name for path in paths]
        raise InputError(
            f"{folder}: the pattern {pattern!r} fits none of its {len(paths)} files: found "
            f"{first_of(names, 3)}"
        )
    return dict(sorted(maps.items()))


def maps_now(folder: Path | None, pattern: str | None = None) -> dict[str, Path]:
    """The maps that a folder holds now, name of the image -> path: for a run that was scored before.

    Nothing is refused: of two files of one image the picture is taken; a folder that is not there is empty.
    """
    if folder is None or not folder.is_dir():
        return {}
    paths = scan(folder, MAP_SUFFIXES).pictures
    maps: dict[str, Path] = {}
    for path in paths:
        name = name_of(path.name, pattern)
        if name is not None and (name not in maps or path.suffix.lower() != ".npy"):
            maps[name] = path
    return dict(sorted(maps.items()))


def name_of(file_name: str, pattern: str | None) -> str | None:
    """The name of the image of which a file is the map; None where the file's name does not fit.

    >>> name_of("0001_sal.PNG", "{name}_sal.png"), name_of("0001_sal.npy", "{name}_sal")
    ('0001', '0001')
    """
    stem, suffix = Path(file_name).stem, Path(file_name).suffix
    if pattern is None:
        return stem
    before, after, ending = _parts(pattern)
    fits = stem.startswith(before) and stem.endswith(after) and len(stem) > len(before) + len(after)
    if not fits or ending not in ("", suffix.lower()):
        return None
    return stem[len(before) : len(stem) - len(after)]


@lru_cache(maxsize=8)
def _parts(pattern: str) -> tuple[str, str, str]:
    """What stands before and after the name, and the ending of the file in lower case."""
    before, _, after = pattern.partition(NAME)
    suffix = Path(f"x{after}").suffix
    if suffix.lower() not in MAP_SUFFIXES:
        return before, after, ""
    return before, after.removesuffix(suffix), suffix.lower()


def pattern_hint(stems: Collection[str], names: Collection[str]) -> str:
    """The pattern by which maps would fit the images, as a half sentence; empty where none shows."""
    known = sorted(names, key=len, reverse=True)
    fits: Counter[str] = Counter()
    looked_at = sorted(stems)[:_LOOKED_AT]
    for stem in looked_at:
        name = next((one for one in known if one in stem), None)
        if name is not None:
            before, _, after = stem.partition(name)
            fits[f"{before}{NAME}{after}"] += 1
    if not fits:
        return ""
    pattern, count = fits.most_common(1)[0]
    return f'; --pattern "{pattern}" would fit' if 2 * count > len(looked_at) else ""
