"""Size and first paint of the page: made-up records of many methods, reported and opened in Chromium.

    python benchmarks/page.py                                        40 methods on one data set of 5000 images
    python benchmarks/page.py --methods 16 --images 5000 1000 300    three data sets
    python benchmarks/page.py --keep FOLDER                          leaves records and page in FOLDER

The images are links to a few small pictures. `sodbench report --format html --figures` writes the page in a
process of its own. Printed: the seconds that took, the size of index.html and of the files beside it, and the
median over --loads openings from disk, each in a new tab, of the first contentful paint and of the end of the
page's scripts (the load event), as Chromium counts them. First paint needs chromium and chromedriver.
"""

import argparse
import os
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray
from PIL import Image

if TYPE_CHECKING:
    from sodbench.data.folder import DataSet

TESTS = Path(__file__).parent.parent / "tests"
DISTINCT = 20  # pictures that are drawn; the other names are links to them
SIZE = (80, 120)
ENDINGS = ("", "-tiny", "-resnet50", "", "-swin-b-384")
MAPS = 4  # folders of maps that the methods share
METRICS = ("MAE", "maxF", "meanF", "adpF", "maxE", "meanE", "adpE", "S", "wF", "relaxF", "relaxP", "relaxR")


def main() -> None:
    """Parses the options, makes the records, writes the page and measures it."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--methods", type=int, default=40)
    parser.add_argument("--images", type=int, nargs="+", default=[5000], help="of each data set")
    parser.add_argument("--loads", type=int, default=5)
    parser.add_argument("--keep", type=Path, help="work here and leave the files")
    args = parser.parse_args()
    with tempfile.TemporaryDirectory() as temporary:
        work = args.keep or Path(temporary)
        reports = work / "reports"
        for number, images in enumerate(args.images):
            make_dataset(work, number, images, args.methods)
        command = [sys.executable, "-m", "sodbench", "report", "--reports", reports, "--format", "html"]
        start = time.perf_counter()
        subprocess.run([*command, "--figures"], check=True, stdout=subprocess.DEVNULL)
        seconds = time.perf_counter() - start
        page = reports / "index.html"
        beside = [path.stat().st_size for path in (reports / "page").rglob("*.js")]
        print(f"{args.methods} methods, {' + '.join(map(str, args.images))} images")
        print(f"written in           {seconds:8.1f} s")
        print(f"index.html           {page.stat().st_size / 1e6:8.2f} MB")
        print(f"loaded when needed   {sum(beside) / 1e6:8.2f} MB in {len(beside)} files")
        paints, loads = timed(page, args.loads)
        for name, times in (("first paint", paints), ("load event", loads)):
            print(f"{name:21s}{statistics.median(times):8.0f} ms ({min(times):.0f} to {max(times):.0f})")


def make_dataset(work: Path, number: int, images: int, methods: int) -> None:
    """Pictures, masks, maps and the records of all methods on one data set; later sets lack some methods."""
    from sodbench.data.folder import DataSet, Sample

    title = f"Set-{'ABCDEFGHIJ'[number]}"
    root = work / title
    names = [f"picture_{image:06d}" for image in range(images)]
    draw_pictures(root, names)
    samples = tuple(
        Sample(name, root / "images" / f"{name}.jpg", root / "masks" / f"{name}.png") for name in names
    )
    data = DataSet(title.lower(), title, samples, images, root)
    difficulty = np.random.default_rng(number).normal(0, 0.9, images)
    for method in range(methods):
        if number < 3 or method % (number + 7) != number + 3:
            make_record(work / "reports", data, names, method, difficulty, root / f"maps-{method % MAPS}")


def draw_pictures(root: Path, names: Sequence[str]) -> None:
    """A bright ellipse on a noisy ground, its mask, and maps that miss it by more and more pixels."""
    draw = np.random.default_rng(0)
    rows, columns = np.mgrid[: SIZE[0], : SIZE[1]]
    for place, name in enumerate(names):
        first = names[place % DISTINCT]
        files: dict[str, NDArray[np.uint8]] = {}
        if place < DISTINCT:
            y, x = draw.uniform(25, 55), draw.uniform(30, 90)
            height, width = draw.uniform(12, 25), draw.uniform(12, 30)
            # the object, then what the maps show
            shapes = [
                ((rows - y) / height) ** 2 + ((columns - x - shift) / width) ** 2 < 1
                for shift in (0, *range(3, 3 + 5 * MAPS, 5))
            ]
            picture = draw.integers(30, 110, (*SIZE, 3))
            picture[shapes[0]] = picture[shapes[0]] // 3 + draw.integers(90, 200, 3)
            files["images"] = np.clip(picture, 0, 255).astype(np.uint8)
            files["masks"] = (shapes[0] * 255).astype(np.uint8)
            for number in range(MAPS):
                files[f"maps-{number}"] = (shapes[number + 1] * (255 - 40 * number)).astype(np.uint8)
        for folder in ("images", "masks", *(f"maps-{number}" for number in range(MAPS))):
            ending = "jpg" if folder == "images" else "png"
            path = root / folder / f"{name}.{ending}"
            path.parent.mkdir(parents=True, exist_ok=True)
            if files:
                Image.fromarray(files[folder]).save(path)
            else:
                os.link(root / folder / f"{first}.{ending}", path)


def make_record(
    reports: Path,
    data: "DataSet",
    names: Sequence[str],
    method: int,
    difficulty: NDArray[np.float64],
    maps: Path,
) -> None:
    """One record of made-up scores and curves, as a run writes it."""
    import pandas as pd

    from sodbench.metrics import Scorer, ScoreTable
    from sodbench.metrics.aggregate import dataset_scores
    from sodbench.results.new_run import new_run
    from sodbench.results.saving import save_run

    draw = np.random.default_rng([method, len(names)])
    protocol = Scorer().protocol
    skill = 2.2 - method / 25 + draw.normal(0, 0.1)
    good = 1 / (1 + np.exp(difficulty - skill + draw.normal(0, 0.5, len(names))))
    index = pd.Index(names, name="name")
    columns = {
        metric: np.clip(good + draw.normal(0, 0.03, len(names)) - place / 200, 0, 1)
        for place, metric in enumerate(METRICS)
    }
    columns["MAE"] = (1 - good) / 3
    per_image = pd.DataFrame(columns, index=index)
    level = np.linspace(0, 1, 256)
    mean = float(good.mean())
    curves = {
        "precision": mean + (1 - mean) * 0.6 * level,
        "recall": 1 - level ** (1 + 20 * mean),
        "F": mean * (0.75 + 0.25 * np.sin(np.pi * level**0.3)),
        "E": mean * (1 - 0.4 * (2 * level - 1) ** 4),
    }
    table = ScoreTable(
        protocol,
        dataset_scores(per_image, curves, protocol),
        per_image,
        pd.DataFrame(curves).rename_axis("level"),
        None,
        pd.DataFrame(
            {"height": 80, "width": 120, "object_share": draw.uniform(0.02, 0.6, len(names))}, index
        ),
    )
    name = f"network-{method:02d}{ENDINGS[method % len(ENDINGS)]}"
    save_run(reports, new_run(name, data, {protocol.name: table}, maps=maps, reports=reports))


def timed(page: Path, loads: int) -> tuple[list[float], list[float]]:
    """Milliseconds to the first contentful paint and to the load event, of each opening."""
    sys.path.insert(0, str(TESTS))
    from report.browser import Browser

    paints, ends = [], []
    with Browser() as browser:
        for _ in range(loads):
            browser.open("about:blank")
            browser.open(page)
            paints.append(
                browser.wait("performance.getEntriesByName('first-contentful-paint')[0]?.startTime")
            )
            ends.append(browser.run("return performance.getEntriesByType('navigation')[0].loadEventEnd"))
    return paints, ends


if __name__ == "__main__":
    main()
