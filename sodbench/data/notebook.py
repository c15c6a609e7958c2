"""How data sets and samples show themselves in a notebook: HTML with the images inside."""

import base64
import io
from collections.abc import Callable
from html import escape
from pathlib import Path

import numpy as np
from PIL import Image

from sodbench.data.card import Card
from sodbench.data.images import Pixels, read_image, read_map, read_mask
from sodbench.errors import InputError

LONGEST_SIDE = 320  # pixels
IN_A_ROW = 3


Source = Path | str | Pixels  # an image file, or its pixels


def sample_html(name: str, image: Path | None, mask: Path | None, saliency: Source | None) -> str:
    """Image, mask and saliency map side by side, those that there are; unreadable files as their error."""
    figures = []
    columns: tuple[tuple[str, Source | None, Callable[[Path], Pixels]], ...] = (
        ("image", image, read_image),
        ("mask", mask, read_mask),
        ("saliency map", saliency, read_map),
    )
    for title, source, read in columns:
        if source is not None:
            figures.append(_figure(title, source, read))
    width = IN_A_ROW * (LONGEST_SIDE + 8)
    row = f"display:flex;flex-wrap:wrap;gap:8px;align-items:flex-start;max-width:{width}px"
    return f'<div><strong>{escape(name)}</strong><div style="{row}">{"".join(figures)}</div></div>'


def dataset_html(title: str, present: int, expected: int, folder: Path, card: Card | None) -> str:
    """Title, counts, folder, terms and known quirks of a data set."""
    rows = [("samples", f"{present} of {expected}"), ("folder", str(folder))]
    if card is not None:
        rows.append(("licence", card.terms.licence))
        rows.append(("redistribution", card.terms.redistribution))
        rows += [("known quirk", quirk.text) for quirk in card.quirks]
    left = ' style="text-align:left;vertical-align:top"'
    cells = "".join(
        f"<tr><th{left}>{escape(name)}</th><td{left}>{escape(value)}</td></tr>" for name, value in rows
    )
    return f"<div><strong>{escape(title)}</strong><table>{cells}</table></div>"


def image_html(pixels: Pixels, alt: str) -> str:
    """An image of at most 320 pixels a side, as an `<img>` that holds its PNG; never enlarged.

    `pixels` are H x W or H x W x 3 uint8.
    """
    image = Image.fromarray(np.ascontiguousarray(pixels))
    image.thumbnail((LONGEST_SIDE, LONGEST_SIDE), Image.Resampling.BILINEAR)
    buffer = io.BytesIO()
    image.save(buffer, format="PNG")
    data = base64.b64encode(buffer.getvalue()).decode("ascii")
    return (
        f'<img src="data:image/png;base64,{data}" alt="{escape(alt)}" '
        f'width="{image.width}" height="{image.height}">'
    )


def _figure(title: str, source: Source, read: Callable[[Path], Pixels]) -> str:
    try:
        content = image_html(read(Path(source)) if isinstance(source, Path | str) else source, title)
    except InputError as error:
        content = escape(str(error))
    caption = f"<figcaption>{title}</figcaption>"
    return f'<figure style="margin:0;max-width:{LONGEST_SIDE}px">{content}{caption}</figure>'
