"""Backgrounds: meadow, foliage, water, sky over land, walls, sand, wood, rooms out of focus."""

from collections.abc import Callable

import numpy as np

from sodbench.data.synthetic.noise import blur, fractal, warped
from sodbench.data.synthetic.numbers import Array, RandomStream, cosine, exact_mean, mix, smooth_step

Colour = tuple[float, float, float]

GREENS: tuple[Colour, ...] = ((0.16, 0.25, 0.08), (0.33, 0.43, 0.15), (0.52, 0.56, 0.26), (0.24, 0.36, 0.22))
EARTHS: tuple[Colour, ...] = ((0.35, 0.26, 0.18), (0.52, 0.42, 0.3), (0.66, 0.56, 0.42), (0.28, 0.22, 0.18))
SANDS: tuple[Colour, ...] = ((0.72, 0.64, 0.5), (0.8, 0.74, 0.62), (0.6, 0.52, 0.4), (0.86, 0.83, 0.77))
STONES: tuple[Colour, ...] = ((0.45, 0.45, 0.44), (0.6, 0.59, 0.56), (0.33, 0.33, 0.35), (0.72, 0.7, 0.67))
WATERS: tuple[Colour, ...] = ((0.12, 0.25, 0.34), (0.22, 0.4, 0.48), (0.42, 0.56, 0.6), (0.16, 0.3, 0.28))
SKIES: tuple[Colour, ...] = ((0.42, 0.6, 0.82), (0.62, 0.74, 0.88), (0.82, 0.86, 0.9), (0.88, 0.74, 0.6))
WOODS: tuple[Colour, ...] = ((0.45, 0.3, 0.18), (0.6, 0.43, 0.27), (0.36, 0.24, 0.15), (0.7, 0.55, 0.38))
WALLS: tuple[Colour, ...] = ((0.55, 0.3, 0.22), (0.76, 0.72, 0.65), (0.5, 0.46, 0.42), (0.66, 0.56, 0.5))
SNOWS: tuple[Colour, ...] = ((0.85, 0.88, 0.92), (0.74, 0.79, 0.86), (0.93, 0.94, 0.95))
NIGHTS: tuple[Colour, ...] = ((0.08, 0.09, 0.13), (0.16, 0.14, 0.16), (0.25, 0.2, 0.18))


def colour(red: float, green: float, blue: float) -> Array:
    """A colour as 3 x 1 x 1, to be spread over a picture of 3 x H x W."""
    return np.array([red, green, blue]).reshape(3, 1, 1)


def tint(stream: RandomStream, palette: tuple[Colour, ...], spread: float = 0.06) -> Array:
    """A colour of the palette, slightly changed."""
    lightness = stream.uniform(-spread, spread)
    return np.clip(
        colour(*stream.choice(palette)) + lightness + (stream.grid(3, 1, 1) - 0.5) * spread, 0.02, 0.98
    )


def blend(colours: list[Array], share: Array) -> Array:
    """3 x H x W: the colours along a line, by a field of [0, 1]."""
    steps = len(colours) - 1
    position = np.clip(share, 0.0, 1.0) * steps
    out = np.broadcast_to(colours[0], (3, *share.shape))
    for index in range(steps):
        out = mix(out, colours[index + 1], np.clip(position - index, 0.0, 1.0))
    return out


def meadow(stream: RandomStream, h: int, w: int) -> Array:
    """Grass: upright blades in front of large patches, finer towards the top."""
    palette = stream.choice((GREENS, GREENS, EARTHS, SANDS))
    patches = fractal(stream, h, w, stream.uniform(25, 60), 3, stretch=2.0)
    blades = fractal(stream, w, h, stream.uniform(2.0, 4.0), 2, 0.7, stretch=stream.uniform(3.0, 7.0)).T
    blades = warped(stream, blades, 3.0, 14.0)
    share = patches * 0.5 + blades * stream.uniform(0.35, 0.7)
    picture = blend([tint(stream, palette) for _ in range(3)], share)
    flowers = fractal(stream, h, w, 3.0, 2, 0.6)
    bright = smooth_step((flowers - stream.uniform(0.82, 0.98)) * 12.0)
    return mix(picture, colour(*(stream.uniform(0.4, 0.95) for _ in range(3))), bright * 0.7)


def foliage(stream: RandomStream, h: int, w: int) -> Array:
    """Leaves: ridges of warped noise, light above dark."""
    base = fractal(stream, h, w, stream.uniform(7, 16), 3, 0.6)
    leaves = 1.0 - np.abs(warped(stream, base, stream.uniform(4, 10), 12.0) * 2.0 - 1.0)
    depth = fractal(stream, h, w, stream.uniform(25, 50), 2)
    palette = stream.choice((GREENS, GREENS, EARTHS))
    colours = [
        tint(stream, NIGHTS),
        tint(stream, palette),
        tint(stream, palette),
        tint(stream, palette, 0.15),
    ]
    return blend(colours, leaves * leaves * 0.6 + depth * 0.5 - 0.1)


def water(stream: RandomStream, h: int, w: int) -> Array:
    """Waves on a swell, with glints."""
    rows = (np.arange(h) * (1.0 / h))[:, None]
    waves = fractal(stream, h, w, stream.uniform(2.5, 6.0), 3, 0.6, stretch=stream.uniform(3.0, 7.0))
    swell = fractal(stream, h, w, stream.uniform(12, 30), 2, stretch=3.0)
    share = mix(0.65, 0.25, rows) + (waves - 0.5) * stream.uniform(0.4, 0.9) + (swell - 0.5) * 0.5
    picture = blend([tint(stream, WATERS), tint(stream, WATERS), tint(stream, SKIES)], share)
    glint = smooth_step((waves - 0.85) * 8.0) * stream.uniform(0.0, 0.8)
    return mix(picture, colour(0.95, 0.95, 0.92), glint)


def landscape(stream: RandomStream, h: int, w: int) -> Array:
    """Sky with clouds over one to three ridges, and a foreground of another kind."""
    rows = (np.arange(h) * (1.0 / h))[:, None]
    clouds = warped(stream, fractal(stream, h, w, 45.0, 6, 0.55, stretch=1.8), 12.0, 30.0)
    clouds = smooth_step((clouds - stream.uniform(0.2, 0.6)) * stream.uniform(1.3, 2.5))
    sky = blend([tint(stream, SKIES), tint(stream, SKIES)], np.broadcast_to(rows * 1.4, (h, w)))
    picture = mix(sky, tint(stream, SNOWS), (clouds * stream.uniform(0.0, 0.9)))
    horizon = stream.uniform(0.2, 0.65)
    ridges = stream.whole(1, 3)
    y = np.arange(h)[:, None]
    for ridge in range(ridges):
        line = fractal(stream, 2, w, stream.uniform(15, 60), 4, 0.55)[0] - 0.5
        top = (horizon + 0.1 * ridge + line * stream.uniform(0.03, 0.25)) * h
        land = np.clip(y - top[None, :] + 0.5, 0.0, 1.0)
        palette = stream.choice((GREENS, EARTHS, STONES, GREENS))
        grain = fractal(stream, h, w, stream.uniform(5, 15), 4, 0.7)
        slope = blend([tint(stream, palette), tint(stream, palette)], grain)
        haze = 0.6 * (1.0 - (ridge + 1.0) / ridges)
        picture = mix(picture, mix(slope, tint(stream, SKIES), haze), land)
    if stream.chance(0.6):
        front = stream.choice((meadow, sand, water))(stream, h, w)
        below = smooth_step((rows - horizon - stream.uniform(0.1, 0.25)) * stream.uniform(5.0, 40.0))
        picture = mix(picture, front, np.broadcast_to(below, (h, w)))
    return picture


def sand(stream: RandomStream, h: int, w: int) -> Array:
    """Sand, gravel, snow, asphalt: grain over soft dunes."""
    palette = stream.choice((SANDS, STONES, SNOWS, EARTHS))
    dunes = fractal(stream, h, w, stream.uniform(30, 80), 3, stretch=stream.uniform(1.0, 3.0))
    grain = fractal(stream, h, w, stream.uniform(2.0, 7.0), 3, 0.8)
    colours = [tint(stream, palette), tint(stream, palette), tint(stream, palette)]
    return blend(colours, dunes * 0.7 + grain * stream.uniform(0.15, 0.6) - 0.1)


def planks(stream: RandomStream, h: int, w: int) -> Array:
    """Boards with their grain and the gaps between them, horizontal or vertical."""
    upright = stream.chance(0.5)
    a, b = (w, h) if upright else (h, w)
    grain = fractal(stream, a, b, stream.uniform(2.5, 5.0), 3, 0.7, stretch=stream.uniform(8.0, 16.0))
    grain = warped(stream, grain, 3.0, 30.0)
    size = stream.uniform(14, 45)
    position = np.arange(a) * (1.0 / size) + stream.uniform()
    board = np.floor(position).astype(np.int64)
    tone = (stream.grid(int(board.max()) + 1)[board] - 0.5)[:, None] * stream.uniform(0.1, 0.6)
    gap = smooth_step(np.minimum(position - board, 1.0 - (position - board)) * size * 0.7)[:, None]
    picture = blend([tint(stream, WOODS), tint(stream, WOODS)], grain * 0.8 + tone + 0.1) * mix(
        0.45, 1.0, gap
    )
    return picture.transpose(0, 2, 1) if upright else picture


def bricks(stream: RandomStream, h: int, w: int) -> Array:
    """Bricks, tiles, blocks: rows shifted by half a brick, each of its own tone."""
    height = stream.uniform(8, 22)
    width = height * stream.uniform(1.2, 2.8)
    y, x = np.indices((h, w)).astype(np.float64)
    wobble = (fractal(stream, h, w, 40.0, 2) - 0.5) * 2.0
    row = (y + wobble) * (1.0 / height)
    row_number = np.floor(row)
    column = (x + wobble) * (1.0 / width) + (row_number - 2.0 * np.floor(row_number * 0.5)) * 0.5
    number = (np.floor(column) + 3.0 * row_number).astype(np.int64)
    fy, fx = row - row_number, column - np.floor(column)
    edge = np.minimum(np.minimum(fy, 1.0 - fy) * height, np.minimum(fx, 1.0 - fx) * width)
    tones = stream.grid(64)[number & 63]
    grain = fractal(stream, h, w, 5.0, 3, 0.8)
    palette = stream.choice((WALLS, STONES, WALLS, SANDS))
    picture = blend(
        [tint(stream, palette), tint(stream, palette), tint(stream, palette)], tones * 0.6 + grain * 0.4
    )
    return mix(tint(stream, STONES), picture, smooth_step(edge * stream.uniform(0.4, 1.0)))


def room(stream: RandomStream, h: int, w: int) -> Array:
    """A room or street out of focus: large soft fields of different colours, lights."""
    palettes = (WALLS, WOODS, STONES, NIGHTS, SANDS, GREENS, WATERS)
    picture = np.broadcast_to(tint(stream, stream.choice(palettes)), (3, h, w)) + 0.0
    y, x = np.indices((h, w)).astype(np.float64)
    for _ in range(stream.whole(4, 9)):
        top, left = stream.uniform(-0.2, 0.9) * h, stream.uniform(-0.2, 0.9) * w
        high, wide = stream.uniform(0.15, 0.7) * h, stream.uniform(0.1, 0.6) * w
        inside = (y > top) & (y < top + high) & (x > left) & (x < left + wide)
        tone = mix(exact_mean(picture), tint(stream, stream.choice(palettes), 0.1), stream.uniform(0.4, 1.0))
        picture = np.where(inside, tone, picture)
    for _ in range(stream.whole(0, 7)):
        dy, dx = y - stream.uniform() * h, x - stream.uniform() * w
        radius = stream.uniform(3, 10)
        light = smooth_step((radius - np.sqrt(dy * dy + dx * dx)) * 0.7)
        picture = mix(picture, colour(0.95, stream.uniform(0.6, 0.95), stream.uniform(0.3, 0.9)), light * 0.7)
    texture = fractal(stream, h, w, stream.uniform(4, 20), 3)
    return blur(picture, stream.whole(2, 6), 3) * mix(0.8, 1.2, texture)


def trunks(stream: RandomStream, h: int, w: int) -> Array:
    """A wood: standing trunks of different width before foliage."""
    picture = blur(foliage(stream, h, w), 1)
    columns = np.arange(w)
    bark = fractal(stream, w, h, 3.0, 3, 0.8, stretch=6.0).T
    for _ in range(stream.whole(2, 7)):
        middle = stream.uniform() * w + (fractal(stream, 2, h, 60.0, 2)[0] - 0.5)[:, None] * 14.0
        half = stream.uniform(1.5, 9.0)
        across = (columns[None, :] - middle) * (1.0 / half)
        inside = np.clip((1.0 - np.abs(across)) * half + 0.5, 0.0, 1.0)
        tone = np.clip(0.75 - across * 0.35 + (bark - 0.5) * 0.7, 0.1, 1.3)
        picture = mix(picture, tint(stream, stream.choice((WOODS, STONES, EARTHS))) * tone, inside)
    return picture


def stripes(stream: RandomStream, h: int, w: int) -> Array:
    """Cloth, corrugated iron, ploughed land: wavy parallel bands."""
    y, x = np.indices((h, w)).astype(np.float64)
    turn = np.array([stream.uniform()])
    c, s = float(cosine(turn)[0]), float(cosine(turn - 0.25)[0])
    bend = (fractal(stream, h, w, 50.0, 2) - 0.5) * stream.uniform(0.0, 40.0)
    bands = cosine((y * c + x * s + bend) * (1.0 / stream.uniform(7, 30))) * 0.5 + 0.5
    grain = fractal(stream, h, w, stream.uniform(2, 6), 3, 0.8)
    palette = stream.choice((WALLS, SANDS, EARTHS, WATERS, STONES, GREENS))
    strength = stream.uniform(0.3, 0.8)
    return blend([tint(stream, palette), tint(stream, palette)], bands * strength + grain * (1.0 - strength))


SCENES: tuple[Callable[[RandomStream, int, int], Array], ...] = (
    meadow, foliage, water, landscape, landscape, sand, planks, bricks, room, room, trunks, stripes,
)  # fmt: skip


def scenery(stream: RandomStream, h: int, w: int) -> Array:
    """A background, 3 x H x W in [0, 1], lit unevenly: gradients, sun spots and shade."""
    picture = np.clip(stream.choice(SCENES)(stream, h, w), 0.0, 1.0)
    if stream.chance(0.45):  # two surfaces that meet: wall and floor, path and grass, shore
        other = np.clip(stream.choice(SCENES)(stream, h, w), 0.0, 1.0)
        y, x = np.indices((h, w)).astype(np.float64)
        lean = stream.uniform(-0.6, 0.6)
        along = y + x * lean if stream.chance(0.7) else x + y * lean
        edge = (fractal(stream, h, w, stream.uniform(20, 60), 4) - 0.5) * stream.uniform(0.0, 50.0)
        middle = float(along.max() + along.min()) * 0.5 + stream.uniform(-0.3, 0.3) * h
        share = smooth_step((along - middle + edge) * stream.uniform(0.03, 0.5) + 0.5)
        picture = mix(picture, other, share)
    light = fractal(stream, h, w, stream.uniform(40, 120), 2)
    if stream.chance(0.4):  # dappled light through leaves, or the shadow of something outside
        spots = smooth_step(
            (fractal(stream, h, w, stream.uniform(15, 50), 2) - 0.5) * stream.uniform(2.0, 4.0) + 0.5
        )
        light = light * 0.4 + spots * 0.6
    depth = stream.uniform(0.15, 0.65)
    return np.clip(picture * (1.0 + depth * (light - exact_mean(light))), 0.0, 1.0)
