"""The gallery: the worst images, the best and those with the largest disagreement, and their thumbnails.

Thumbnails are written once, into `gallery/<data set>/`, and loaded by the page when they come into view. The
other images are shown from their own files, as long as these exist; on a page that is published, not at all.
"""

import os
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path, PurePath
from urllib.parse import quote

import numpy as np
from numpy.typing import NDArray

from sodbench.cores import core_count
from sodbench.data.images import read_image, read_map, read_mask
from sodbench.errors import InputError
from sodbench.files import atomic_path
from sodbench.names import folder_name
from sodbench.paths import real_path
from sodbench.reporting.labels import label
from sodbench.reporting.pictures import Pictures, Pixels
from sodbench.results.run import Run

NOT_SHOWN = (".npy", ".tif", ".tiff")  # files that browsers cannot show
LONGEST = 320  # pixels of a thumbnail's longer side
# the score by which images are chosen: the first of these that was recorded
PREFERRED = ("S", "wF", "MAE", "adpF")


@dataclass(frozen=True)
class Gallery:
    """The chosen images of a data set, and the addresses of all files for a page in the same folder.

    `thumbnails`: {image: {"picture" | "mask" | "map:<method>": address}}; `sources`: under the same keys the
    addresses of all images in order, None where a file is not available. Addresses are relative to the page.
    """

    thumbnails: dict[str, dict[str, str]] = field(default_factory=dict)
    sources: dict[str, list[str | None]] = field(default_factory=dict)
    notes: list[str] = field(default_factory=list)


@dataclass(frozen=True)
class Sharing:
    """What a page that leaves this machine shows of a data set's images: thumbnails, or nothing.

    `note` tells the reader under which terms.
    """

    thumbnails: bool
    note: str


def make_gallery(
    folder: Path,
    runs: Sequence[Run],
    images: Sequence[str],
    scores: Mapping[str, NDArray[np.float64]],
    count: int,
    sharing: Sharing | None = None,
) -> Gallery:
    """Finds the files of all images and writes the thumbnails of the chosen ones into `folder`.

    `runs` are those of one data set, `images` its image names, `scores` the per-image scores by metric
    (methods x images). A file that is missing or unreadable is left out and named in the notes. With
    `sharing` the page leaves this machine: no address leads out of its folder, and no note holds a path.
    """
    pictures = [Pictures(run) for run in runs]
    notes = _missing(pictures)
    if sharing is not None and not sharing.thumbnails:
        count = 0
    metric = next((name for name in PREFERRED if name in scores), None)
    chosen: list[int] = []
    if metric is not None and count > 0:
        chosen = chosen_images(scores[metric], label(metric).higher_is_better is not False, count)

    def draw(place: int) -> tuple[dict[str, str], list[str]]:
        return _thumbnails(folder, pictures, images[chosen[place]], place)

    with ThreadPoolExecutor(max_workers=min(8, core_count())) as pool:
        drawn = list(pool.map(draw, range(len(chosen))))
    for _, problems in drawn:
        notes += [problem for problem in problems if problem not in notes]
    thumbnails = {images[index]: files for index, (files, _) in zip(chosen, drawn, strict=True) if files}
    if sharing is not None:
        left_out = ["some images or maps were not available when this page was written"] if notes else []
        notes = [sharing.note, *(left_out if sharing.thumbnails else [])]
        return Gallery(thumbnails, {}, notes)
    return Gallery(thumbnails, _sources(folder, pictures, images), notes)


def chosen_images(scores: NDArray[np.float64], higher_is_better: bool, count: int) -> list[int]:
    """Indices of the `count` worst and best images and those with the largest disagreement, each once.

    `scores` is methods x images, NaN where a method has none. Worst and best go by the mean over methods,
    disagreement by the range over methods.
    """
    if not scores.size:
        return []
    valid = ~np.isnan(scores)
    methods = valid.sum(axis=0)
    total = np.where(valid, scores, 0.0).sum(axis=0)
    mean = np.divide(total, methods, out=np.full(scores.shape[1], np.nan), where=methods > 0)
    quality = mean if higher_is_better else -mean
    low, high = np.where(valid, scores, np.inf).min(axis=0), np.where(valid, scores, -np.inf).max(axis=0)
    ranges = np.where(methods > 1, high - low, np.nan)
    chosen = []
    for order in (np.argsort(quality, kind="stable"), np.argsort(-quality, kind="stable")):
        chosen += [index for index in order[:count] if not np.isnan(quality[index])]
    disagreement = np.argsort(-ranges, kind="stable")[:count]
    chosen += [index for index in disagreement if not np.isnan(ranges[index])]
    return list(dict.fromkeys(int(index) for index in chosen))


def _missing(pictures: Sequence[Pictures]) -> list[str]:
    """What is no longer available, in few lines for any number of methods."""
    notes = [note for note in [_with_data(pictures).missing_data()] if note]
    maps = {one.run.name: note for one in pictures if (note := one.missing_maps())}
    if len(maps) > 3:
        return [*notes, f"the maps of {len(maps)} methods are not available: {', '.join(maps)}"]
    return [*notes, *maps.values()]


def _sources(
    folder: Path, pictures: Sequence[Pictures], images: Sequence[str]
) -> dict[str, list[str | None]]:
    """Addresses of all images, masks and maps that exist, without opening any."""
    page = real_path(folder)
    data = _with_data(pictures)
    sources = {
        "picture": [_address(page, data.picture(image)) for image in images],
        "mask": [_address(page, data.mask(image)) for image in images],
    }
    for one in pictures:
        sources[f"map:{one.run.name}"] = [_address(page, one.map(image)) for image in images]
    return sources


def _with_data(pictures: Sequence[Pictures]) -> Pictures:
    """A run whose data folder exists; all runs of a data set show the same images."""
    return next((p for p in pictures if p.data_folder is not None and p.data_folder.is_dir()), pictures[0])


def _address(page: Path, path: Path | None) -> str | None:
    """The address of a file relative to the page's folder, quoted as URLs need it.

    None where there is no file, or none that browsers show.
    """
    if path is None or path.suffix.lower() in NOT_SHOWN:
        return None
    try:
        relative = os.path.relpath(path, page)
    except ValueError:  # another drive on Windows
        return path.as_uri()
    return quote(PurePath(relative).as_posix())


def _thumbnails(
    folder: Path, pictures: Sequence[Pictures], image: str, place: int
) -> tuple[dict[str, str], list[str]]:
    """Writes the thumbnails of one image; (addresses by key, problems)."""
    files: dict[str, str] = {}
    problems: list[str] = []
    data = _with_data(pictures)
    wanted: list[tuple[str, Path | None, Callable[[Path], Pixels], str]] = [
        ("picture", data.picture(image), read_image, "picture.jpg"),
        ("mask", data.mask(image), read_mask, "mask.png"),
    ]
    wanted += [
        (f"map:{one.run.name}", one.map(image), read_map, f"{folder_name(one.run.name)}.jpg")
        for one in pictures
    ]
    for key, path, read, name in wanted:
        if path is None:
            continue
        try:
            pixels = read(path)
        except (InputError, OSError) as error:
            problems.append(f"not shown: {error}")
            continue
        target = folder / "gallery" / folder_name(data.run.dataset) / f"{place:03d}-{name}"
        _write_thumbnail(target, pixels)
        files[key] = quote(target.relative_to(folder).as_posix())
    return files, problems


def _write_thumbnail(path: Path, pixels: Pixels) -> None:
    """Writes JPEG or PNG, by the ending of `path`; never enlarged."""
    from PIL import Image

    image = Image.fromarray(pixels)
    image.thumbnail((LONGEST, LONGEST), Image.Resampling.BILINEAR)
    with atomic_path(path) as part:
        if path.suffix == ".jpg":
            image.save(part, format="JPEG", quality=82)
        else:
            image.save(part, format="PNG", optimize=True)
