"""The sheet of `sodbench stress`: the images that suffer most from the worst corruption."""

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from sodbench.files import atomic_path
from sodbench.metrics.registry import split_name
from sodbench.reporting.figure_style import escape_dollars, new_figure
from sodbench.results.stress_record import StressRecord

if TYPE_CHECKING:
    from sodbench.robustness.predicting import Example

_TALLEST = 1.6  # height / width of a panel: an image that is longer is drawn narrower


def write_stress_sheet(record: StressRecord, examples: "Sequence[Example]", path: Path) -> Path | None:
    """Writes a PNG with one row per image: corrupted, mask, map, map of the clean image.

    None, and no file, where there is no example.
    """
    worst = record.worst_cell()
    if worst is None or not examples:
        return None
    ratios = [min(one.mask.shape[0] / one.mask.shape[1], _TALLEST) for one in examples]
    width = 8.0
    with new_figure(width, width / 4 * sum(ratios) + 0.3 * len(examples) + 0.7) as figure:
        panels = figure.subplots(len(examples), 4, squeeze=False, height_ratios=ratios)
        for row, (one, axes_row) in enumerate(zip(examples, panels, strict=True)):
            pictures = (one.corrupted, one.mask, one.saliency_map, one.clean_map)
            titles = (one.name, "mask", "map", "map of the clean image")
            for axes, pixels, title in zip(axes_row, pictures, titles, strict=True):
                axes.imshow(pixels, cmap="gray", vmin=0, vmax=255)
                axes.set_axis_off()
                if row == 0 or title == one.name:
                    axes.set_title(escape_dollars(title), fontsize=8.5)
        metric = split_name(record.leading)[0]
        figure.suptitle(
            escape_dollars(
                f"{record.name} on {record.dataset}: {worst.kind}, severity {worst.severity}, costs most "
                f"{metric} ({record.fall(worst, record.leading):.3f})"
            ),
            x=0.01,
            ha="left",
            fontsize=10,
        )
        path.parent.mkdir(parents=True, exist_ok=True)
        with atomic_path(path) as part:
            figure.savefig(part, format="png", dpi=110, metadata={"Software": None})
    return path
