"""The objects of a set in numbers and as one figure: size, count, position, border contact, contrast.

Masks count as object where > 128. Contrast is the distance between the mean colours of the object and of a
band around it (an eighth of the object's extent wide), in units of 255; 0 is camouflage.
"""

from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from sodbench.data.auditing.file_facts import in_threads
from sodbench.data.folder import DataSet, Sample
from sodbench.data.objects import components_of, surroundings, touches_border
from sodbench.files import atomic_path

GRID = 48  # cells per side of the map of positions


@dataclass(frozen=True)
class ObjectStatistics:
    """One value per sample, in the order of the samples, and the mean mask."""

    name: str
    title: str
    expected: int
    height: NDArray[np.int64]
    width: NDArray[np.int64]
    share: NDArray[np.float64]  # of object pixels, 0 to 1
    parts: NDArray[np.int64]  # connected objects
    border: NDArray[np.bool_]  # an object touches the image's border
    contrast: NDArray[np.float64]  # 0 to sqrt(3); NaN without object or surroundings
    positions: NDArray[np.float64]  # GRID x GRID: share of the samples with an object there

    def summary(self) -> dict[str, int | float | None]:
        """The figure's contents in a few numbers."""
        contrast = self.contrast[~np.isnan(self.contrast)]
        return {
            "pictures": len(self.share),
            "expected": self.expected,
            "object share, median": round(float(np.median(self.share)), 4),
            "objects a picture, mean": round(float(self.parts.mean()), 2),
            "several objects": round(float((self.parts > 1).mean()), 4),
            "touch the border": round(float(self.border.mean()), 4),
            "no object": round(float((self.share == 0).mean()), 4),
            "contrast, median": round(float(np.median(contrast)), 4) if contrast.size else None,
            "height, median": int(np.median(self.height)),
            "width, median": int(np.median(self.width)),
        }


def object_statistics(dataset: DataSet, workers: int | None = None) -> ObjectStatistics:
    """Reads every image and mask of a set once."""
    rows = in_threads(_of_sample, dataset.samples, workers)
    positions = np.mean([row[-1] for row in rows], axis=0)
    height, width, share, parts, border, contrast = (
        np.array([row[index] for row in rows]) for index in range(6)
    )
    return ObjectStatistics(
        name=dataset.name,
        title=dataset.title,
        expected=dataset.expected,
        height=height,
        width=width,
        share=share,
        parts=parts,
        border=border,
        contrast=contrast,
        positions=positions,
    )


def _of_sample(sample: Sample) -> tuple[int, int, float, int, bool, float, NDArray[np.float64]]:
    inside = sample.read_mask() > 128
    height, width = inside.shape
    parts, border = components_of(inside).counted, touches_border(inside)
    contrast = float("nan") if sample.image is None else _contrast(sample.read_image(), inside)
    rows, columns = (np.arange(GRID) * size // GRID for size in (height, width))
    positions = inside[np.ix_(rows, columns)].astype(np.float64)
    return height, width, float(inside.mean()), parts, border, contrast, positions


def _contrast(picture: NDArray[np.uint8], inside: NDArray[np.bool_]) -> float:
    if inside.shape != picture.shape[:2] or not inside.any() or inside.all():
        return float("nan")
    gap = picture[inside].mean(axis=0) - picture[surroundings(inside)].mean(axis=0)
    return float(np.sqrt((gap * gap).sum()) / 255)


def draw_statistics(statistics: ObjectStatistics, path: Path) -> None:
    """Draws the figure, written whole or not at all; the format is that of the name (.png, .svg, .pdf)."""
    from matplotlib.figure import Figure

    figure = Figure(figsize=(10.5, 6.2), layout="constrained")
    (sizes, counts, positions), (contrast, shapes, shares) = figure.subplots(2, 3)
    blue = "#0072B2"
    sizes.hist(statistics.share * 100, bins=25, range=(0, 100), color=blue)
    sizes.axvline(float(np.median(statistics.share)) * 100, color="black", linestyle="--", linewidth=1)
    sizes.set(title="Object size", xlabel="% of the image (dashed: median)", ylabel="images")
    most = 6
    counted = np.bincount(np.minimum(statistics.parts, most), minlength=most + 1)
    counts.bar(range(most + 1), counted, color=blue)
    counts.set(title="Objects per image", xlabel="connected components", ylabel="images")
    counts.set_xticks(range(most + 1), [*map(str, range(most)), f"{most}+"])
    shown = positions.imshow(
        statistics.positions * 100, cmap="viridis", vmin=0, extent=(0, 100, 100, 0), aspect="auto"
    )
    figure.colorbar(shown, ax=positions, label="% of images")
    positions.set(title="Object positions", xlabel="% of the width", ylabel="% of the height")
    known = statistics.contrast[~np.isnan(statistics.contrast)]
    contrast.hist(known, bins=25, range=(0, max(1.0, known.max(initial=0.0))), color=blue)
    contrast.set(
        title="Colour contrast to the surroundings",
        xlabel="distance of mean colours / 255",
        ylabel="images",
    )
    shapes.scatter(statistics.width, statistics.height, s=8, alpha=0.4, color=blue, linewidths=0)
    shapes.set(title="Picture sizes", xlabel="width, pixels", ylabel="height, pixels")
    shapes.set(xlim=(0, statistics.width.max() * 1.08), ylim=(0, statistics.height.max() * 1.08))
    kinds = {
        "object at the border": statistics.border,
        "several objects": statistics.parts > 1,
        "no object": statistics.share == 0,
    }
    bars = shares.barh(list(kinds), [100 * which.mean() for which in kinds.values()], color=blue)
    shares.bar_label(bars, fmt="%.1f %%", padding=3)
    shares.set(title="Share of images with ...", xlabel="% of images", xlim=(0, 100))
    shares.invert_yaxis()
    for axes in (sizes, counts, contrast, shapes, shares):
        axes.spines[["top", "right"]].set_visible(False)
    figure.suptitle(f"{statistics.title}: {len(statistics.share)} of {statistics.expected} pairs")
    with atomic_path(path) as part:
        figure.savefig(part, format=path.suffix.lstrip(".").lower() or "png", dpi=150)
