"""The statistics of a set as one figure: sizes, counts, places, contrast, picture sizes, odd pictures."""

from pathlib import Path

import numpy as np

from sodbench.data.auditing.object_statistics import Statistics
from sodbench.files import atomic_path


def draw_statistics(found: Statistics, path: Path) -> None:
    """The figure of a set, written whole or not at all; the format is that of the name (.png, .svg, .pdf)."""
    from matplotlib.figure import Figure

    figure = Figure(figsize=(10.5, 6.2), layout="constrained")
    (sizes, counts, places), (contrast, shapes, words) = figure.subplots(2, 3)
    blue = "#0072B2"
    sizes.hist(found.share * 100, bins=25, range=(0, 100), color=blue)
    sizes.axvline(float(np.median(found.share)) * 100, color="black", linestyle="--", linewidth=1)
    sizes.set(title="Object size", xlabel="% of the picture (dashed: median)", ylabel="pictures")
    most = 6
    counted = np.bincount(np.minimum(found.parts, most), minlength=most + 1)
    counts.bar(range(most + 1), counted, color=blue)
    counts.set(title="Objects in a picture", xlabel="connected objects", ylabel="pictures")
    counts.set_xticks(range(most + 1), [*map(str, range(most)), f"{most}+"])
    shown = places.imshow(found.places * 100, cmap="viridis", vmin=0, extent=(0, 100, 100, 0), aspect="auto")
    figure.colorbar(shown, ax=places, label="% of pictures")
    places.set(title="Where objects are", xlabel="% of the width", ylabel="% of the height")
    known = found.contrast[~np.isnan(found.contrast)]
    contrast.hist(known, bins=25, range=(0, max(1.0, known.max(initial=0.0))), color=blue)
    contrast.set(
        title="Colour contrast to surroundings", xlabel="distance of mean colours / 255", ylabel="pictures"
    )
    shapes.scatter(found.width, found.height, s=8, alpha=0.4, color=blue, linewidths=0)
    shapes.set(title="Picture sizes", xlabel="width, pixels", ylabel="height, pixels")
    shapes.set(xlim=(0, found.width.max() * 1.08), ylim=(0, found.height.max() * 1.08))
    kinds = {
        "objects at the border": found.border,
        "several objects": found.parts > 1,
        "no object": found.share == 0,
    }
    bars = words.barh(list(kinds), [100 * which.mean() for which in kinds.values()], color=blue)
    words.bar_label(bars, fmt="%.1f %%", padding=3)
    words.set(title="Pictures with ...", xlabel="% of pictures", xlim=(0, 100))
    words.invert_yaxis()
    for axes in (sizes, counts, contrast, shapes, words):
        axes.spines[["top", "right"]].set_visible(False)
    figure.suptitle(f"{found.title}: {len(found.share)} of {found.expected} pairs")
    with atomic_path(path) as part:
        figure.savefig(part, format=path.suffix.lstrip(".").lower() or "png", dpi=150)
