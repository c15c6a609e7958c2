"""Which images a reader should look at - worst, best, most disputed - and their thumbnails.

Thumbnails are written once into `reports/gallery/<data set>/` and loaded by the page when they come into
view. Other images are shown from where they lie, as long as they lie there.
"""

import os
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path, PurePath
from typing import Any
from urllib.parse import quote

import numpy as np
from numpy.typing import NDArray

from sodbench.data.images import read_image, read_map, read_mask
from sodbench.errors import InputError
from sodbench.files import atomic_path
from sodbench.names import folder_name
from sodbench.report.labels import label
from sodbench.report.pictures import Pictures, thumbnail
from sodbench.results.run import Run

LONGEST = 320
# per-image scores by which images are chosen, in order of preference
PREFERRED = ("S", "wF", "MAE", "adpF")


@dataclass(frozen=True)
class Gallery:
    """The chosen images of a data set, and where a page in the reports folder finds files.

    `thumbnails` maps images to {"picture" | "mask" | method: address}; `sources` maps the same keys to the
    addresses of all images (None where a file is not at hand). Addresses are relative to the page.
    """

    thumbnails: dict[str, dict[str, str]] = field(default_factory=dict)
    sources: dict[str, list[str | None]] = field(default_factory=dict)
    notes: list[str] = field(default_factory=list)


def chosen_images(scores: "NDArray[np.float64]", higher_is_better: bool, count: int) -> list[int]:
    """Indices of the worst, the best and the most disputed images, each once.

    `scores` is methods x images, NaN where a method has none. Worst and best go by the mean over methods,
    disputed by the range.
    """
    if not scores.size:
        return []
    valid = ~np.isnan(scores)
    filled = np.where(valid, scores, 0.0)
    seen = valid.sum(axis=0)
    mean = np.divide(filled.sum(axis=0), seen, out=np.full(scores.shape[1], np.nan), where=seen > 0)
    quality = mean if higher_is_better else -mean
    low, high = np.where(valid, scores, np.inf).min(axis=0), np.where(valid, scores, -np.inf).max(axis=0)
    disputed = np.where(seen > 1, high - low, np.nan)
    order = [np.argsort(quality, kind="stable"), np.argsort(-quality, kind="stable")]
    picked = [index for one in order for index in one[:count] if not np.isnan(quality[index])]
    if np.isfinite(disputed).any():
        picked += [i for i in np.argsort(-disputed, kind="stable")[:count] if np.isfinite(disputed[i])]
    return list(dict.fromkeys(int(index) for index in picked))


def make_gallery(
    reports: Path, runs: Sequence[Run], images: Sequence[str], scores: Mapping[str, Any], count: int
) -> Gallery:
    """Finds the files of all images and writes the thumbnails of the chosen ones.

    `runs` are those of one data set, `images` its image names, `scores` per-image scores by metric (methods
    x images). A file that is gone or unreadable is left out and said in the notes.
    """
    folder = reports / "gallery" / folder_name(runs[0].dataset)
    pictures = [Pictures(run) for run in runs]
    notes = _gone(pictures)
    sources = _sources(reports, runs, pictures, images)
    metric = next((name for name in PREFERRED if name in scores), None)
    picked: list[int] = []
    if metric is not None and count > 0:
        picked = chosen_images(scores[metric], label(metric).better == "up", count)
    jobs = [(number, index) for number, index in enumerate(picked)]

    def draw(job: tuple[int, int]) -> tuple[str, dict[str, str], list[str]]:
        return _thumbnails(reports, folder, runs, pictures, images[job[1]], job[0])

    with ThreadPoolExecutor(max_workers=min(8, os.cpu_count() or 1)) as pool:
        drawn = list(pool.map(draw, jobs))
    for _, _, problems in drawn:
        notes += [problem for problem in problems if problem not in notes]
    return Gallery({image: files for image, files, _ in drawn if files}, sources, notes)


def _gone(pictures: Sequence[Pictures]) -> list[str]:
    """What is not at hand any more, in few lines however many methods there are."""
    notes = [note for note in [_with_data(pictures).missing_data()] if note]
    maps = [note for one in pictures if (note := one.missing_maps())]
    if len(maps) > 3:
        names = ", ".join(one.run.name for one in pictures if one.missing_maps())
        maps = [f"the maps of {len(maps)} methods are not at hand: {names}"]
    return notes + maps


def _sources(
    reports: Path, runs: Sequence[Run], pictures: Sequence[Pictures], images: Sequence[str]
) -> dict[str, list[str | None]]:
    """Addresses of all pictures, masks and maps that are there, without opening any."""
    base = reports.resolve()
    data = _with_data(pictures)
    found: dict[str, list[str | None]] = {
        "picture": [_address(base, data.picture(image)) for image in images],
        "mask": [_address(base, data.mask(image)) for image in images],
    }
    for run, one in zip(runs, pictures, strict=True):
        found[f"map:{run.name}"] = [_address(base, one.map(image)) for image in images]
    return found


def _with_data(pictures: Sequence[Pictures]) -> Pictures:
    """A run whose data folder is still there; all runs of a data set show the same pictures."""
    return next((p for p in pictures if p.data_folder is not None and p.data_folder.is_dir()), pictures[0])


def _address(base: Path, path: Path | None) -> str | None:
    """A relative address for a page in `base`, with every character quoted that a URL cannot hold."""
    if path is None:
        return None
    try:
        relative = os.path.relpath(path, base)
    except ValueError:  # another drive on Windows
        return path.as_uri()
    return quote(PurePath(relative).as_posix())


def _thumbnails(
    reports: Path, folder: Path, runs: Sequence[Run], pictures: Sequence[Pictures], image: str, number: int
) -> tuple[str, dict[str, str], list[str]]:
    """Writes one image's thumbnails; (image, addresses by key, problems)."""
    files: dict[str, str] = {}
    problems: list[str] = []
    data = _with_data(pictures)
    wanted: list[tuple[str, Path | None, Any, str]] = [
        ("picture", data.picture(image), read_image, "picture.jpg"),
        ("mask", data.mask(image), read_mask, "mask.png"),
    ]
    wanted += [
        (f"map:{run.name}", one.map(image), read_map, f"{folder_name(run.name)}.jpg")
        for run, one in zip(runs, pictures, strict=True)
    ]
    for key, path, read, name in wanted:
        if path is None:
            continue
        try:
            small = thumbnail(read(path), LONGEST)
        except (InputError, OSError) as error:
            problems.append(f"not shown: {error}")
            continue
        target = folder / f"{number:03d}-{name}"
        with atomic_path(target) as part:
            options: dict[str, Any] = {"quality": 82} if name.endswith("jpg") else {"optimize": True}
            small.save(part, format="JPEG" if name.endswith("jpg") else "PNG", **options)
        files[key] = quote(target.relative_to(reports).as_posix())
    return image, files, problems
