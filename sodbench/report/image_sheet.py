"""One image of a run on one sheet: picture, mask, map, errors, scores."""

from pathlib import Path

import numpy as np

from sodbench.data.images import read_image, read_map, read_mask
from sodbench.errors import InputError
from sodbench.report.cells import number
from sodbench.report.labels import arrow, split_name
from sodbench.report.pictures import FALSE_NEGATIVE, FALSE_POSITIVE, Pictures, error_overlay, scores_of_image
from sodbench.report.style import new_figure, plain
from sodbench.results.run import Run


def write_sheet(run: Run, image: str, path: Path) -> None:
    """Writes the sheet as PNG. Raises InputError where mask or map are gone; a picture may be missing."""
    from sodbench.files import atomic_path

    files = Pictures(run)
    mask_file, map_file, picture_file = files.mask(image), files.map(image), files.picture(image)
    for what, file in (("mask", mask_file), ("map", map_file)):
        if file is None:
            reason = files.missing() or f"the folders are there, a file for {image} is not"
            raise InputError(
                f"no {what} of {image} to show: {reason}; score the maps again where they are now"
            )
    assert mask_file is not None and map_file is not None
    mask, saliency = read_mask(mask_file), read_map(map_file)
    picture = read_image(picture_file) if picture_file else None
    if saliency.shape != mask.shape:
        raise InputError(
            f"{map_file}: {saliency.shape[1]} x {saliency.shape[0]} pixels, its mask {mask.shape[1]} x"
            f" {mask.shape[0]}; write maps at the pictures' own size"
        )
    panels = [
        ("picture", picture if picture is not None else np.full((*mask.shape, 3), 40, np.uint8)),
        ("mask", mask),
        ("map", saliency),
        ("errors", error_overlay(picture, mask, saliency)),
    ]
    lines = _score_lines(run, image)
    width, below = 11.0, 0.3 + 0.18 * len(lines)
    above = width / len(panels) * mask.shape[0] / mask.shape[1] + 0.6
    with new_figure(width, above + below) as figure:
        rows = figure.add_gridspec(2, len(panels), height_ratios=(above, below))
        for place, (title, pixels) in enumerate(panels):
            axes = figure.add_subplot(rows[0, place])
            axes.imshow(pixels, cmap="gray", vmin=0, vmax=255)
            axes.set_title(title)
            axes.set_axis_off()
        for place, (said, colour) in enumerate((("too much", FALSE_POSITIVE), ("missed", FALSE_NEGATIVE))):
            rgb = tuple(part / 255 for part in colour)
            axes.text(0.45 + 0.32 * place, 1.02, f"■ {said}", color=rgb, transform=axes.transAxes, fontsize=9)
        words = figure.add_subplot(rows[1, :])
        words.set_axis_off()
        words.text(
            0, 1, "\n".join(lines), va="top", family="monospace", fontsize=9, transform=words.transAxes
        )
        figure.suptitle(
            f"{plain(run.title)} {plain(image)}: {plain(run.name)}", x=0.01, ha="left", fontsize=11
        )
        with atomic_path(path) as part:
            figure.savefig(part, format="png", dpi=130, bbox_inches="tight", metadata={"Software": None})


def _score_lines(run: Run, image: str) -> list[str]:
    """A line a protocol: `pysodmetrics  MAE↓ .021  S↑ .913 ...`."""
    lines: dict[str, list[str]] = {}
    for full, value in scores_of_image(run, image).items():
        metric, protocol = split_name(full)
        lines.setdefault(protocol, []).append(f"{metric}{arrow(metric)} {number(value)}")
    return [f"{protocol:14}{'  '.join(parts)}" for protocol, parts in lines.items()]
