"""Writes docs/pictures/: the page's overview, its images and a figure; five methods on the embedded sample.

    python -m docs.write_pictures [FOLDER]       needs chromium and chromedriver; takes about three minutes

All images are procedural (the embedded sample), so the pictures may be published. FOLDER keeps the runs: a
later call draws them again without computing them.
"""

import base64
import contextlib
import io
import os
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image

import sodbench as sb
from sodbench.cli.main import main as sodbench
from sodbench.data.corruptions import corrupt
from tests.report.browser import Browser

PICTURES = Path(__file__).resolve().parent / "pictures"
MOST_BYTES = 300_000  # of all pictures together
WIDTH = 1120
CARDS = 3  # images of the gallery that are shown
SETS = {  # data set -> (title, corruption or none, severity)
    "sample": ("Sample", "", 0),
    "sample-noise": ("Sample, noise", "gaussian-noise", 3),
    "sample-blur": ("Sample, blur", "gaussian-blur", 3),
}
SMALL = """title = "BASNet, a quarter of the width, at 96 pixels"
extends = "basnet-tiny"
[input]
height = 96
width = 96
"""


def contrast(image: NDArray[np.uint8]) -> NDArray[np.float64]:
    """Distance of each pixel's colour from the mean colour of the image."""
    pixels = image.astype(float)
    distance = np.linalg.norm(pixels - pixels.mean((0, 1)), axis=2)
    return distance / distance.max()


def centre_prior(image: NDArray[np.uint8]) -> NDArray[np.float64]:
    """A Gaussian in the middle of the image, whatever it shows."""
    y, x = (np.linspace(-1, 1, side) for side in image.shape[:2])
    return np.exp(-2 * (y[:, None] ** 2 + x[None, :] ** 2))


def centred_contrast(image: NDArray[np.uint8]) -> NDArray[np.float64]:
    return contrast(image) * centre_prior(image)


CLASSICAL: dict[str, Callable[[NDArray[np.uint8]], NDArray[np.float64]]] = {
    "contrast": contrast,
    "centre-prior": centre_prior,
    "centred-contrast": centred_contrast,
}


def make_sets() -> None:
    """The sample with corrupted images, as data sets of the current folder."""
    for name, (title, kind, severity) in SETS.items():
        if not kind:
            continue
        for part in ("images", "masks"):
            Path(name, part).mkdir(parents=True)
        for sample in sb.open_dataset("sample").samples:
            pixels = corrupt(sample.read_image(), kind, severity, sample.name)
            Image.fromarray(pixels).save(f"{name}/images/{sample.name}.png")
            Image.fromarray(sample.read_mask()).save(f"{name}/masks/{sample.name}.png")
        with contextlib.redirect_stdout(io.StringIO()):
            sodbench(["datasets", "add", name, "--name", name, "--title", title])


def make_runs() -> None:
    """Five methods on all data sets, recorded in reports/."""
    Path("basnet-tiny-at-96.toml").write_text(SMALL)
    weights = sb.load_baseline("basnet-tiny").weights_path()
    for name in SETS:
        for baseline in ("basnet-tiny", "basnet-tiny-at-96.toml"):
            sb.evaluate(baseline, name, weights=weights)
        for method, saliency in CLASSICAL.items():
            folder = Path("maps", method, name)
            folder.mkdir(parents=True)
            for sample in sb.open_dataset(name).samples:
                pixels = np.uint8(np.rint(255 * saliency(sample.read_image())))
                Image.fromarray(pixels).save(folder / f"{sample.name}.png")
            sb.score_maps(folder, name, name=method)


def photograph() -> dict[str, bytes]:
    """Name -> PNG of the parts of the page."""
    return {
        "overview": _part("section.overview, section.dataset", "header.top"),
        "images": _part(
            "section.dataset[data-dataset=sample] .images",
            f".card:nth-child(n+{CARDS + 1}), .cards ~ *",
            width=1470,
        ),
    }


ALONE = """
const [selector, besides] = a;
const part = document.querySelector(selector);
part.scrollIntoView();
for (const picture of part.querySelectorAll("img, canvas")) {
  picture.scrollIntoView();
  await new Promise((then) => setTimeout(then, 100));
}
for (const scrolled of part.querySelectorAll("*")) scrolled.scrollLeft = 0;
for (let at = part; at !== document.body; at = at.parentElement) {
  for (const other of at.parentElement.children) {
    if (other !== at && !other.matches("header.top")) other.style.display = "none";
  }
}
for (const other of part.querySelectorAll(besides)) other.style.display = "none";
if (besides !== "header.top") document.querySelector("header.top").style.display = "none";
scrollTo(0, 0);
await new Promise((then) => setTimeout(then, 500));
return part.getBoundingClientRect().bottom;
"""


def _part(selector: str, besides: str, width: int = WIDTH) -> bytes:
    """A PNG of one element of the page without its surroundings.

    besides: what is left out of the element; the title of the page stays if it is named here.
    """
    with Browser(width, 900) as browser:
        browser.resize(width, 900)
        browser.dark(False)
        browser.open(Path("reports/index.html"))
        browser.wait("document.querySelector('section.dataset .images .card') !== null")
        bottom = browser.run(ALONE, selector, besides)
        clip = {"x": 0, "y": 0, "width": width, "height": bottom + 16, "scale": 1}
        shot = browser.command("Page.captureScreenshot", captureBeyondViewport=True, clip=clip)
    return base64.b64decode(shot["data"])


def save(name: str, png: bytes, colours: int) -> int:
    """Writes one picture with few colours; returns its size in bytes."""
    path = PICTURES / f"{name}.png"
    picture = Image.open(io.BytesIO(png)).convert("RGB")
    if picture.width > WIDTH:
        size = (WIDTH, round(picture.height * WIDTH / picture.width))
        picture = picture.resize(size, Image.Resampling.LANCZOS)
    picture.quantize(colours, dither=Image.Dither.NONE).save(path, optimize=True)
    return path.stat().st_size


def write(folder: Path) -> None:
    """Makes everything in `folder` and writes the pictures."""
    folder.mkdir(parents=True, exist_ok=True)
    os.chdir(folder)
    if not Path("reports").exists():
        make_sets()
        make_runs()
    sb.report(sb.load_runs("reports"), "reports", formats=["html"])
    PICTURES.mkdir(exist_ok=True)
    parts = photograph()
    parts["curves"] = Path("reports/figures/pr-sample.png").read_bytes()
    size = sum(save(name, png, 256 if name == "images" else 128) for name, png in parts.items())
    print(f"{PICTURES}: {', '.join(parts)}; {size:,} bytes")
    if size > MOST_BYTES:
        sys.exit(f"{PICTURES}: {size:,} bytes, more than {MOST_BYTES:,}: lower WIDTH")


if __name__ == "__main__":
    if len(sys.argv) > 1:
        write(Path(sys.argv[1]))
    else:
        with tempfile.TemporaryDirectory() as folder:
            write(Path(folder))
