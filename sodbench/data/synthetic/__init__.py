"""The embedded sample: small procedural photographs and their masks, the same on every machine.

`numbers` (exact random numbers and functions), `noise` (textures), `outlines` and `shapes` (the objects'
shapes), `scenery` (backgrounds), `objects` (material, shading, shadow), `picture` (one whole
picture), `png` and `files` (the files on disk).
"""

from sodbench.data.synthetic.files import COUNTS, VERSION, sample_folder, sample_place, write_sample
from sodbench.data.synthetic.picture import make_picture

__all__ = ["COUNTS", "VERSION", "make_picture", "sample_folder", "sample_place", "write_sample"]
