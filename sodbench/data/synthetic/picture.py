"""One picture of the sample and its mask, from its split and number alone."""

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

from sodbench.data.synthetic.noise import blur, fractal, soften
from sodbench.data.synthetic.numbers import Array, RandomStream, mix, smooth_step
from sodbench.data.synthetic.objects import Light, PlacedShape, cast_shadow, mean_colour, palette
from sodbench.data.synthetic.outlines import canvas, contour, coverage, filled, moved
from sodbench.data.synthetic.scenery import colour, scenery
from sodbench.data.synthetic.shapes import KINDS, Shape, bounds

SEED = 20190616  # of the whole sample; another number is another data set
SPLITS = {"train": 1, "test": 2}

Pixels = NDArray[np.uint8]


def make_picture(split: str, index: int) -> tuple[Pixels, Pixels]:
    """The picture (H x W x 3 uint8) and mask (H x W uint8, 0 or 255) of one number of a split."""
    stream = RandomStream(SEED, SPLITS[split], index)
    w, h = stream.whole(160, 200), stream.whole(120, 150)
    if stream.chance(0.2):
        w, h = h, w
    turn = stream.uniform(-1.0, 1.0)
    light = (turn, stream.uniform(0.3, 1.0))
    picture = scenery(stream, h, w)
    for _ in range(stream.whole(0, 5)):
        picture = _add_distractor(stream, picture, light)
    if stream.chance(0.55):
        picture = blur(picture, stream.whole(1, 3), 2)
    inside = canvas(h, w)
    kind, colours = stream.choice(KINDS), palette(stream)
    count = 1 if stream.chance(0.75) else stream.whole(2, 3)
    for _ in range(count):
        picture, body = _add_object(stream, picture, kind, colours, light, count)
        inside |= body
    if stream.chance(0.25):
        picture = _add_foreground(stream, picture)
    mask = np.where(coverage(inside) >= 0.5, np.uint8(255), np.uint8(0))
    return _photographed(stream, picture), mask


def _add_object(
    stream: RandomStream,
    picture: Array,
    kind: Callable[[RandomStream], Shape],
    colours: list[Array],
    light: Light,
    count: int,
) -> tuple[Array, NDArray[np.bool_]]:
    """The picture with one more salient object, and the sub-pixels of that object."""
    h, w = picture.shape[1:]
    shape = kind(stream)
    low, high = bounds(shape)
    extent = float((high - low).max())
    size = stream.uniform(0.55, 1.3) if count == 1 else stream.uniform(0.4, 0.7)
    scale = size * min(h, w) / extent
    spread = 0.16 if count == 1 else 0.34
    x = w * (0.5 + stream.uniform(-spread, spread))
    y = h * (0.52 + stream.uniform(-spread, spread) * 0.8)
    if stream.chance(0.15):  # cut by the border
        x = stream.choice((stream.uniform(0.0, 0.12), stream.uniform(0.88, 1.0))) * w
    placed = PlacedShape(
        shape, scale, stream.uniform(-0.06, 0.06), x, y, flip=stream.chance(0.5), size=(h, w)
    )
    around = np.clip(blur(placed.cover, max(2, int(scale * 0.3)), 2) * 4.0, 0.0, 1.0) * (1.0 - placed.cover)
    ground = mean_colour(picture, around)
    if stream.chance(0.35):  # in the colours of another place of the scene
        y, x = stream.whole(4, h - 5), stream.whole(4, w - 5)
        share = stream.uniform(0.5, 1.0)
        colours = [
            mix(colours[0], blur(picture[:, y - 4 : y + 5, x - 4 : x + 5], 4)[:, 4:5, 4:5], share),
            *colours[1:],
        ]
        colours[1] = mix(colours[1], colours[0], share * 0.6)
    if stream.chance(0.2):  # in the shade: bright and dark objects alike
        colours = [own * stream.uniform(0.35, 0.7) for own in colours]
    colours = _distinguished(stream, colours, ground)
    if stream.chance(0.7):
        picture = cast_shadow(stream, picture, placed, light)
    cover = soften(placed.cover) if stream.chance(0.6) else placed.cover
    return placed.onto(stream, picture, colours, light, cover, 1.0), placed.body


def _distinguished(stream: RandomStream, colours: list[Array], ground: Array) -> list[Array]:
    """Moves an object's colours away from those around it to make it visible; one in eight stays close."""
    least = stream.uniform(0.02, 0.06) if stream.chance(0.12) else stream.uniform(0.1, 0.2)
    gap = float(np.abs(colours[0] - ground).max())
    if gap >= least:
        return colours
    brighter = float(ground[1, 0, 0]) < (0.25 if stream.chance(0.5) else 0.55)
    push = (1.0 if brighter else -1.0) * (least - gap)
    return [np.clip(own + push, 0.02, 0.98) for own in colours]


def _add_distractor(stream: RandomStream, picture: Array, light: Light) -> Array:
    """A distractor: something small, or large and faint, that belongs to the background."""
    h, w = picture.shape[1:]
    shape = stream.choice(KINDS)(stream)
    large = stream.chance(0.35)
    scale = (stream.uniform(0.2, 0.5) if large else stream.uniform(0.04, 0.09)) * min(h, w)
    x, y = stream.uniform() * w, stream.uniform() * h
    placed = PlacedShape(shape, scale, stream.uniform(), x, y, flip=False, size=(h, w))
    near = mean_colour(picture, blur(placed.cover, 4, 2))
    own = stream.uniform(0.05, 0.2) if large else stream.uniform(0.3, 0.8)
    colours = [mix(near, other, own) for other in palette(stream)]
    if large:
        opacity = blur(placed.cover, stream.whole(1, 4)) * stream.uniform(0.4, 0.9)
        return placed.onto(stream, picture, colours, light, opacity, 0.25)
    return placed.onto(stream, picture, colours, light, soften(placed.cover) * 0.9, 0.7)


def _add_foreground(stream: RandomStream, picture: Array) -> Array:
    """A blurred leaf or edge close to the lens, in a corner."""
    h, w = picture.shape[1:]
    x, y = stream.choice((0.0, 1.0)) * w, stream.choice((0.0, 1.0)) * h
    outline = moved(
        contour(stream, 0.8, stream.uniform(0.5, 2.0)), stream.uniform(0.12, 0.3) * w, stream.uniform(), x, y
    )
    inside = canvas(h, w)
    area = filled(outline, h, w)
    inside[area.rows, area.columns] = area.inside
    cover = blur(coverage(inside), stream.whole(2, 6), 2)
    shade = mean_colour(picture, np.ones((h, w))) * stream.uniform(0.3, 1.4)
    return mix(picture, np.clip(shade, 0.0, 1.0), (cover * stream.uniform(0.4, 0.9)))


def _photographed(stream: RandomStream, picture: Array) -> Pixels:
    """Lens, light, sensor: vignette, colour cast, contrast, blur and noise; then 8 bits."""
    h, w = picture.shape[1:]
    y = (np.arange(h) * (2.0 / h) - 1.0)[:, None]
    x = (np.arange(w) * (2.0 / w) - 1.0)[None, :]
    far = y * y + x * x
    fall = stream.uniform(0.0, 0.35)
    picture = picture * (1.0 / (1.0 + far * fall * 0.5))
    picture = picture * (0.9 + 0.2 * stream.grid(3, 1, 1))
    exposure = stream.uniform(0.8, 1.25)
    picture = np.clip(picture * exposure, 0.0, 1.2)
    contrast = stream.uniform(0.0, 0.7)
    picture = mix(picture, smooth_step(picture), contrast)
    if stream.chance(0.5):
        picture = soften(picture)
    if stream.chance(0.2):
        haze = fractal(stream, h, w, 60.0, 2) * stream.uniform(0.05, 0.3)
        picture = mix(picture, colour(0.85, 0.86, 0.88), haze)
    strength = stream.uniform(0.005, 0.03)
    grain = stream.bells(3, h, w)
    if stream.chance(0.5):
        grain = soften(grain) * 1.8
    picture = picture + grain * strength
    levels = np.floor(np.clip(picture, 0.0, 1.0) * 255.0 + 0.5).astype(np.uint8)
    return np.array(levels.transpose(1, 2, 0))
