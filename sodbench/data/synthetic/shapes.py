"""The objects' shapes: animals, birds, fish, flowers, vessels, cars, people, stones, rings.

Each function draws one kind in its own proportions, as parts around (0, 0) with a radius of about 1.
"""

from collections.abc import Callable

import numpy as np

from sodbench.data.synthetic.numbers import Array, RandomStream, cosine, sine
from sodbench.data.synthetic.outlines import Part, contour, ellipse, limb, moved, smooth_polygon

Shape = list[Part]


def stone(stream: RandomStream) -> Shape:
    parts = [Part(contour(stream, stream.uniform(0.25, 0.9), stream.uniform(0.7, 1.5)))]
    if stream.chance(0.4):
        parts.append(Part(moved(contour(stream, 0.5), 0.45, 0.0, *_around(stream, 0.5)), "accent"))
    return parts


def ring(stream: RandomStream) -> Shape:
    aspect = stream.uniform(0.8, 1.3)
    hole = stream.uniform(0.35, 0.7)
    inner = moved(
        contour(stream, 0.25, aspect), hole, 0.0, stream.uniform(-0.1, 0.1), stream.uniform(-0.1, 0.1)
    )
    return [Part(contour(stream, 0.25, aspect)), Part(inner, "hole")]


def animal(stream: RandomStream) -> Shape:
    length, depth = stream.uniform(0.6, 0.8), stream.uniform(0.27, 0.42)
    leg, thick = stream.uniform(0.35, 0.75), stream.uniform(0.055, 0.1)
    parts = []
    for x in (-0.85, -0.6, 0.55, 0.8):
        foot = x * length + stream.uniform(-0.15, 0.15)
        path = np.array(
            [[x * length, depth * 0.3], [x * length, depth + leg * 0.4], [foot, depth * 0.8 + leg]]
        )
        parts.append(Part(limb(path, thick * 1.7, thick), "accent" if stream.chance(0.3) else "body"))
    tail = np.array(
        [[-length, -0.1], [-length - 0.2, _near(stream, -0.3)], [-length - 0.35, _near(stream, -0.1)]]
    )
    parts.append(Part(limb(tail, 0.07, stream.uniform(0.03, 0.09))))
    neck = np.array(
        [[length * 0.7, -0.1], [length * 0.95, -0.3], [length + 0.12, stream.uniform(-0.7, -0.3)]]
    )
    head_x, head_y = float(neck[2, 0]) + 0.1, float(neck[2, 1])
    size = stream.uniform(0.17, 0.27)
    parts.append(Part(moved(contour(stream, 0.25, length / depth), depth, 0.0, 0.0, 0.0)))
    parts.append(Part(limb(neck, depth * 0.7, size * 0.75)))
    parts.append(Part(ellipse(head_x, head_y, size * 1.4, size, stream.uniform(0.0, 0.1))))
    for dx in (-0.6, 0.1):
        root = [head_x + dx * size, head_y - size * 0.6]
        tip = [root[0] + stream.uniform(-0.12, 0.06), root[1] - stream.uniform(0.1, 0.3)]
        parts.append(Part(limb(np.array([root, root, tip]), size * 0.4, 0.03), "accent"))
    if stream.chance(0.5):
        parts.append(Part(ellipse(head_x + size, head_y + size * 0.2, size * 0.5, size * 0.4), "accent"))
    return parts


def bird(stream: RandomStream) -> Shape:
    parts = []
    for x in (-0.05, 0.12):
        path = np.array([[x, 0.3], [x, 0.6], [x + stream.uniform(-0.1, 0.1), 0.85]])
        parts.append(Part(limb(path, 0.035, 0.025), "accent"))
    tail = np.array([[-0.4, 0.1], [-0.7, 0.2], [-1.1, stream.uniform(0.1, 0.45)]])
    parts.append(Part(limb(tail, 0.16, stream.uniform(0.04, 0.14))))
    parts.append(Part(moved(contour(stream, 0.15, 1.5), 0.4, stream.uniform(-0.08, 0.02), 0.0, 0.05)))
    parts.append(Part(ellipse(0.5, -0.32, 0.24, 0.21)))
    beak = np.array([[0.68, -0.38], [0.68, -0.24], [0.68 + stream.uniform(0.12, 0.4), -0.27]])
    parts.append(Part(beak, "accent"))
    wing = [
        [0.3, -0.15],
        [stream.uniform(-0.3, 0.0), stream.uniform(-1.0, 0.0)],
        [-0.75, stream.uniform(-0.8, 0.3)],
    ]
    parts.append(Part(limb(np.array(wing), 0.22, 0.05), "accent"))
    return parts


def fish(stream: RandomStream) -> Shape:
    depth = stream.uniform(0.3, 0.55)
    fork = stream.uniform(0.3, 0.6)
    tail = np.array([[-0.55, 0.0], [-1.05, -fork], [-0.85, 0.0], [-1.05, fork]])
    fin = np.array([[0.2, -depth * 0.7], [-0.1, -depth - stream.uniform(0.1, 0.4)], [-0.45, -depth * 0.5]])
    belly = np.array([[0.1, depth * 0.6], [-0.1, depth + stream.uniform(0.05, 0.3)], [-0.2, depth * 0.6]])
    return [
        Part(smooth_polygon(tail, 2), "accent"),
        Part(smooth_polygon(fin, 2), "accent"),
        Part(smooth_polygon(belly, 2), "accent"),
        Part(moved(contour(stream, 0.12, 0.75 / depth), depth, 0.0, 0.0, 0.0)),
    ]


def flower(stream: RandomStream) -> Shape:
    petals = stream.whole(4, 9)
    turns = np.arange(180) * (1.0 / 180)
    wave = cosine(turns * petals)
    radius = 0.45 + stream.uniform(0.12, 0.25) * wave + 0.04 * cosine(turns * (petals + 1) + stream.uniform())
    bloom = np.stack([cosine(turns) * radius, sine(turns) * radius * stream.uniform(0.7, 1.0) - 0.4], axis=1)
    bend = stream.uniform(-0.3, 0.3)
    stem = limb(np.array([[0.0, -0.3], [bend, 0.3], [bend * 0.5, 1.0]]), 0.04, 0.05)
    parts = [Part(stem, "accent")]
    for side in (-1.0, 1.0):
        if stream.chance(0.6):
            leaf = [
                [bend * 0.7, 0.5],
                [side * 0.25, 0.2],
                [side * stream.uniform(0.4, 0.7), stream.uniform(0.0, 0.4)],
            ]
            parts.append(Part(limb(np.array(leaf), 0.1, 0.03), "accent"))
    return [*parts, Part(bloom), Part(ellipse(0.0, -0.4, 0.15, 0.13), "accent")]


def vessel(stream: RandomStream) -> Shape:
    """A vase, bottle or mug: a mirrored profile, often with a handle."""
    heights = np.array([-0.9, -0.8, -0.55, -0.2, 0.2, 0.6, 0.9])
    widths = np.array([stream.uniform(0.12, 0.6) for _ in heights])
    widths[1] = widths[0]
    profile = np.stack([widths, heights], axis=1)
    outline = smooth_polygon(np.concatenate([profile, (profile * np.array([[-1.0, 1.0]]))[::-1]]), 2)
    parts = []
    if stream.chance(0.5):
        side = float(widths[3])
        parts = [
            Part(ellipse(side + 0.1, -0.1, 0.32, 0.38)),
            Part(ellipse(side + 0.1, -0.1, 0.2, 0.26), "hole"),
        ]
    parts.append(Part(outline))
    band = np.array([[-0.8, -0.1], [0.8, -0.1], [0.8, stream.uniform(0.05, 0.4)], [-0.8, 0.2]])
    if stream.chance(0.5):
        parts.append(Part(band, "inside"))
    return parts


def car(stream: RandomStream) -> Shape:
    roof, front = stream.uniform(-0.6, -0.35), stream.uniform(0.2, 0.5)
    body = np.array(
        [
            [-1.0, 0.3],
            [-1.0, -0.05],
            [-0.7, -0.1],
            [-0.45, roof],
            [front, roof],
            [front + 0.3, -0.1],
            [1.0, 0.0],
            [1.0, 0.3],
        ]
    )
    glass = np.array([[-0.55, -0.1], [-0.4, roof + 0.07], [front - 0.05, roof + 0.07], [front + 0.15, -0.1]])
    parts = [Part(smooth_polygon(body, 2)), Part(smooth_polygon(glass, 1), "accent")]
    return [*parts, *(Part(ellipse(x, 0.3, 0.2, 0.2), "accent") for x in (-0.58, 0.6))]


def person(stream: RandomStream) -> Shape:
    sway = stream.uniform(-0.1, 0.1)
    parts = []
    for side in (-1.0, 1.0):
        foot = [side * stream.uniform(0.1, 0.35), 1.0]
        parts.append(
            Part(limb(np.array([[side * 0.1, 0.25], [side * 0.18, 0.6], foot]), 0.14, 0.08), "accent")
        )
        hand = [side * stream.uniform(0.25, 0.7), stream.uniform(-0.5, 0.3)]
        parts.append(Part(limb(np.array([[side * 0.2, -0.4], [side * 0.45, -0.1], hand]), 0.1, 0.06)))
    torso = np.array([[-0.28, -0.5], [0.28, -0.5], [0.22, 0.35], [-0.22, 0.35]])
    head = ellipse(sway, -0.75, 0.16, 0.2)
    return [*parts, Part(smooth_polygon(torso, 2)), Part(head, "accent")]


def mushroom(stream: RandomStream) -> Shape:
    stem = limb(
        np.array([[0.0, -0.1], [stream.uniform(-0.2, 0.2), 0.4], [0.0, 0.9]]),
        0.16,
        stream.uniform(0.16, 0.26),
    )
    cap = np.array([[-0.85, 0.0], [-0.6, -0.5], [0.0, -0.85], [0.6, -0.5], [0.85, 0.0], [0.0, 0.15]])
    parts = [Part(stem, "accent"), Part(smooth_polygon(cap))]
    for _ in range(stream.whole(0, 4)):
        x, y = stream.uniform(-0.5, 0.5), stream.uniform(-0.55, -0.15)
        parts.append(Part(ellipse(x, y, 0.1, 0.08), "accent"))
    return parts


def bush(stream: RandomStream) -> Shape:
    """Several blobs grown together, with gaps between."""
    parts = []
    for _ in range(stream.whole(3, 6)):
        x, y = _around(stream, 0.55)
        parts.append(Part(moved(contour(stream, 0.7), stream.uniform(0.25, 0.5), stream.uniform(), x, y)))
        path = np.array([[0.0, 0.3], [x * 0.5, y * 0.5], [x, y]])
        parts.append(Part(limb(path, 0.07, 0.05), "accent"))
    return parts


KINDS: tuple[Callable[[RandomStream], Shape], ...] = (
    stone, stone, ring, animal, animal, bird, bird, fish, flower, vessel, car, person, mushroom, bush,
)  # fmt: skip


def _around(stream: RandomStream, reach: float) -> tuple[float, float]:
    return stream.uniform(-reach, reach), stream.uniform(-reach, reach)


def _near(stream: RandomStream, value: float) -> float:
    return value + stream.uniform(-0.3, 0.3)


def bounds(shape: Shape) -> tuple[Array, Array]:
    """Lowest and highest (x, y) of a shape's parts, holes left out."""
    points = np.concatenate([part.outline for part in shape if part.role != "hole"])
    return points.min(axis=0), points.max(axis=0)
