"""A figure of one image of a run: image, mask, map, errors, scores."""

from pathlib import Path

import numpy as np

from sodbench.arguments import checked_filter
from sodbench.data.images import read_image, read_map, read_mask
from sodbench.data.overwriting import refuse_overwriting
from sodbench.errors import InputError, unknown_names
from sodbench.files import atomic_path
from sodbench.metrics.resizing import resized
from sodbench.reporting.cell_text import number
from sodbench.reporting.figure_style import escape_dollars, new_figure
from sodbench.reporting.labels import arrow, label, order, split_name
from sodbench.reporting.pictures import FALSE_NEGATIVE, FALSE_POSITIVE, Pictures, error_overlay
from sodbench.results.run import Run

TALLEST = 4.0  # height / width of a panel: an image that is longer is drawn narrower


def write_sheet(run: Run, image: str, path: Path) -> None:
    """Writes the sheet of `image` (a name as recorded, see `recorded_image`) as PNG.

    Raises InputError where the mask or the map is not available, and where `path` lies among them; the image
    may be missing.
    """
    files = Pictures(run)
    mask_file, map_file, picture_file = files.mask(image), files.map(image), files.picture(image)
    if mask_file is None or map_file is None:
        what = "mask" if mask_file is None else "map"
        reason = files.missing() or f"the folders exist, but hold no file of {image}"
        raise InputError(f"no {what} of {image} to show: {reason}; score the maps again where they are now")
    inputs = [file for file in (mask_file, map_file, picture_file) if file is not None]
    refuse_overwriting([path], inputs, str(path.parent))
    mask, saliency = read_mask(mask_file), read_map(map_file)
    picture = read_image(picture_file) if picture_file else None
    if saliency.shape != mask.shape and (resize := checked_filter(run.provenance.map_resize)):
        saliency = resized(saliency, (mask.shape[0], mask.shape[1]), resize)
    if saliency.shape != mask.shape:
        raise InputError(
            f"{map_file}: found {saliency.shape[1]} x {saliency.shape[0]} pixels, expected"
            f" {mask.shape[1]} x {mask.shape[0]} as its mask has; write maps at the size of the images"
        )
    fits = picture is not None and picture.shape[:2] == mask.shape
    panels = [
        ("image", picture if picture is not None else np.full((*mask.shape, 3), 40, np.uint8)),
        ("mask", mask),
        ("map", saliency),
        ("errors", error_overlay(picture if fits else None, mask, saliency)),
    ]
    lines = _score_lines(run, image)
    width, below = 11.0, 0.3 + 0.18 * len(lines)
    above = width / len(panels) * min(mask.shape[0] / mask.shape[1], TALLEST) + 0.6
    with new_figure(width, above + below) as figure:
        grid = figure.add_gridspec(2, len(panels), height_ratios=(above, below))
        for place, (title, pixels) in enumerate(panels):
            axes = figure.add_subplot(grid[0, place])
            axes.imshow(pixels, cmap="gray", vmin=0, vmax=255)
            axes.set_title(title)
            axes.set_axis_off()
        key = (("false positive", FALSE_POSITIVE, 0.26), ("false negative", FALSE_NEGATIVE, 0.64))
        for name, colour, x in key:
            rgb = tuple(part / 255 for part in colour)
            axes.text(x, 1.02, f"■ {name}", color=rgb, transform=axes.transAxes, fontsize=8)
        words = figure.add_subplot(grid[1, :])
        words.set_axis_off()
        words.text(
            0, 1, "\n".join(lines), va="top", family="monospace", fontsize=9, transform=words.transAxes
        )
        title = escape_dollars(f"{run.title} {image}: {run.name}")
        figure.suptitle(title, x=0.01, ha="left", fontsize=11)
        with atomic_path(path) as part:
            figure.savefig(part, format="png", dpi=130, bbox_inches="tight", metadata={"Software": None})


def recorded_image(run: Run, name: str) -> str:
    """The image's name as recorded; a file name with its ending will do. InputError for an unknown one."""
    images = run.images
    for candidate in (name, Path(name).stem):
        if candidate in images:
            return candidate
    message = str(unknown_names("image", [name], images)).partition("; known: ")[0]
    raise InputError(f"{message}; {run.name} has {len(images)} images on {run.dataset}")


def scores_of_image(run: Run, image: str) -> dict[str, float]:
    """All scores of one image by full metric name, in the order in which tables print them."""
    scores: dict[str, float] = {}
    for protocol, table in run.tables.items():
        if image in table.per_image.index:
            row = table.per_image.loc[[image]].iloc[0]
            names = [str(name) for name in row.index if label(str(name)).higher_is_better is not None]
            scores |= {f"{name}@{protocol}": float(row[name]) for name in sorted(names, key=order)}
    return scores


def _score_lines(run: Run, image: str) -> list[str]:
    """One line per protocol: `pysodmetrics  MAE↓ .021  S↑ .913 ...`."""
    lines: dict[str, list[str]] = {}
    for full, value in scores_of_image(run, image).items():
        metric, protocol = split_name(full)
        lines.setdefault(protocol, []).append(f"{metric}{arrow(metric)} {number(value)}")
    return [f"{protocol:14}{'  '.join(parts)}" for protocol, parts in lines.items()]
