"""Objects in their material: colours, pattern, shading, shadow."""

import numpy as np
from numpy.typing import NDArray

from sodbench.data.synthetic import scenery
from sodbench.data.synthetic.noise import blur, fractal, warped
from sodbench.data.synthetic.numbers import Array, RandomStream, cosine, exact_mean, mix, smooth_step
from sodbench.data.synthetic.outlines import canvas, coverage, filled, moved
from sodbench.data.synthetic.shapes import Shape

Size = tuple[int, int]  # height, width
Light = tuple[float, float]  # where the light comes from: right, down

VIVID: tuple[scenery.Colour, ...] = (
    (0.75, 0.15, 0.12), (0.9, 0.5, 0.1), (0.9, 0.78, 0.2), (0.15, 0.35, 0.7), (0.55, 0.2, 0.5),
    (0.85, 0.5, 0.6), (0.2, 0.55, 0.5), (0.3, 0.6, 0.2),
)  # fmt: skip
PLAIN: tuple[scenery.Colour, ...] = (
    (0.3, 0.2, 0.13), (0.55, 0.38, 0.22), (0.12, 0.11, 0.11), (0.9, 0.88, 0.84), (0.5, 0.5, 0.5),
    (0.75, 0.62, 0.45), (0.65, 0.35, 0.2), (0.36, 0.38, 0.42),
)  # fmt: skip
SCENIC = (
    scenery.GREENS, scenery.EARTHS, scenery.SANDS, scenery.STONES,
    scenery.WATERS, scenery.WOODS, scenery.WALLS,
)  # fmt: skip


class PlacedShape:
    """A shape placed in a picture of H x W: which sub-pixels it fills, and which share of each pixel."""

    def __init__(
        self, shape: Shape, scale: float, turn: float, x: float, y: float, *, flip: bool, size: Size
    ) -> None:
        h, w = size
        body, accent = canvas(h, w), canvas(h, w)
        outlines = [moved(part.outline, scale, turn, x, y, flip) for part in shape]
        for part, outline in zip(shape, outlines, strict=True):
            area = filled(outline, h, w)
            whole, second = body[area.rows, area.columns], accent[area.rows, area.columns]
            if part.role == "hole":
                whole &= ~area.inside
                second &= ~area.inside
            elif part.role == "inside":
                second |= area.inside & whole
            else:
                whole |= area.inside
                if part.role == "accent":
                    second |= area.inside
                else:
                    second &= ~area.inside
        self.body: NDArray[np.bool_] = body
        self.cover = coverage(body)
        self.accent = coverage(accent)
        self.scale = scale
        # colours are computed only where the shape is, and as far around as a blurred edge reaches
        points = np.concatenate(outlines)
        left, right = _span(points[:, 0], w)
        top, bottom = _span(points[:, 1], h)
        self.box = (slice(top, bottom), slice(left, right))

    def onto(
        self,
        stream: RandomStream,
        picture: Array,
        colours: list[Array],
        light: Light,
        opacity: Array,
        relief: float,
    ) -> Array:
        """The picture with the shape drawn into it by `opacity` (H x W); `relief` 0 is flat."""
        rows, columns = self.box
        picture = picture.copy()
        behind = picture[:, rows, columns]
        picture[:, rows, columns] = mix(
            behind, self._surface(stream, colours, light, relief), opacity[self.box]
        )
        return picture

    def _surface(self, stream: RandomStream, colours: list[Array], light: Light, relief: float) -> Array:
        cover = self.cover[self.box]
        h, w = cover.shape
        surface = scenery.blend(colours[:2], pattern(stream, h, w, self.scale))
        share = np.clip(self.accent[self.box] / np.maximum(cover, 0.0625), 0.0, 1.0)
        if float(share.max()) > 0.0:
            other = scenery.blend([colours[2], colours[1]], pattern(stream, h, w, self.scale) * 0.5)
            surface = mix(surface, other, share)
        grain = fractal(stream, h, w, stream.uniform(3.0, 8.0), 3, 0.8) - 0.5
        surface = surface * (1.0 + grain * stream.uniform(0.1, 0.6))
        near, far = max(1, int(self.scale * 0.12)), max(1, int(self.scale * 0.3))
        dome = blur(cover, near) + blur(cover, far)
        height = dome * (self.scale * 0.28) - blur(share * cover, 1) * 0.7
        slope = _step(height, 1) * light[0] + _step(height, 0) * light[1]
        depth, hollow = stream.uniform(0.4, 1.1), stream.uniform(0.0, 0.3)
        shade = (dome - 1.2) * hollow - np.clip(slope, -0.8, 0.8) * depth
        surface = surface * np.clip(1.0 + shade * relief, 0.25, 1.7)
        if stream.chance(0.3 * relief):  # gloss
            surface = mix(surface, 1.0, smooth_step((-slope - 0.35) * 4.0) * stream.uniform(0.2, 0.7))
        return np.clip(surface, 0.0, 1.0)


def _span(coordinates: Array, size: int) -> tuple[int, int]:
    margin = 14
    first = int(np.clip(np.floor(coordinates.min()) - margin, 0, size - 8))
    return first, int(np.clip(np.ceil(coordinates.max()) + margin, first + 8, size))


def _step(field: Array, axis: int) -> Array:
    """The difference to the neighbour above or to the left."""
    before = np.concatenate([field.take([0], axis), field.take(np.arange(field.shape[axis] - 1), axis)], axis)
    return np.asarray(field - before)


def pattern(stream: RandomStream, h: int, w: int, scale: float) -> Array:
    """The share of the second colour: patches, spots, stripes, fur or nearly none; in [0, 1]."""
    kind = stream.whole(0, 5)
    grain = fractal(stream, h, w, stream.uniform(2.0, 4.0), 2, 0.8)
    if kind == 0:
        spots = fractal(stream, h, w, max(4.0, scale * stream.uniform(0.15, 0.35)), 2)
        return smooth_step((spots - 0.55) * 8.0) * 0.85 + grain * 0.15
    if kind == 1:
        y, x = np.indices((h, w)).astype(np.float64)
        turn = np.array([stream.uniform()])
        c, s = float(cosine(turn)[0]), float(cosine(turn - 0.25)[0])
        bend = (fractal(stream, h, w, 25.0, 2) - 0.5) * 20.0
        bands = cosine((y * c + x * s + bend) * (1.0 / max(4.0, scale * stream.uniform(0.15, 0.4))))
        return smooth_step(bands * 1.5 + 0.5) * 0.85 + grain * 0.15
    if kind == 2:
        fur = warped(stream, fractal(stream, h, w, 2.5, 2, 0.7, stretch=3.0), 6.0, 20.0)
        return fur * 0.7 + fractal(stream, h, w, 20.0, 2) * 0.3
    if kind == 3:
        return fractal(stream, h, w, max(6.0, scale * 0.6), 4, 0.6)
    return fractal(stream, h, w, max(8.0, scale), 2) * stream.uniform(0.1, 0.5) + grain * 0.1


def palette(stream: RandomStream) -> list[Array]:
    """Three colours of one object: main, second, accent."""
    family = stream.uniform()
    group = VIVID if family < 0.25 else PLAIN if family < 0.6 else stream.choice(SCENIC)
    main = scenery.tint(stream, group, 0.12)
    second = np.clip(main * stream.uniform(0.45, 1.5) + (stream.grid(3, 1, 1) - 0.5) * 0.12, 0.02, 0.98)
    accent = scenery.tint(stream, stream.choice((VIVID, PLAIN, PLAIN, group)), 0.12)
    if stream.chance(0.4):
        accent = np.clip(main * stream.uniform(0.4, 1.4), 0.02, 0.98)
    # surfaces outdoors are duller than paint: pull the colours towards their own grey
    dull = stream.uniform(0.0, 0.6)
    return [
        mix(colour, float(colour[1, 0, 0]) * 0.6 + float(colour[0, 0, 0]) * 0.4, dull)
        for colour in (main, second, accent)
    ]


def mean_colour(picture: Array, where: Array) -> Array:
    """The mean colour of a picture under a weight."""
    total = max(exact_mean(where), 1e-6)
    return scenery.colour(*(exact_mean(channel * where) / total for channel in picture))


def cast_shadow(stream: RandomStream, picture: Array, shape: PlacedShape, light: Light) -> Array:
    """Darkens the ground next to a shape, away from the light."""
    h, w = shape.cover.shape
    reach = shape.scale * stream.uniform(0.05, 0.4)
    down, right = int(-light[1] * reach + 0.1 * shape.scale), int(-light[0] * reach)
    padded = np.pad(shape.cover, ((abs(down), abs(down)), (abs(right), abs(right))))
    shadow = padded[abs(down) - down :, abs(right) - right :][:h, :w]
    shadow = blur(shadow, max(1, int(shape.scale * stream.uniform(0.04, 0.2))))
    return np.asarray(picture * (1.0 - shadow * stream.uniform(0.1, 0.6)))
