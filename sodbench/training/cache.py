"""The cache of training samples: every pair decoded and resized once, in one file mapped into memory.

The file holds four bytes per pixel, image and mask. Another name, size or time of an image file, or another
size to resize to, makes another cache.
"""

import hashlib
import json
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import numpy.typing as npt

from sodbench.data.folder import Sample
from sodbench.data.locations import CACHE_VARIABLE, cache_folder
from sodbench.errors import InputError
from sodbench.json_text import read_json
from sodbench.paths import real_path
from sodbench.training.augmentation import Pixels, Size
from sodbench.training.samples import read_pair, resize_pair
from sodbench.unfinished import temporary

_Block = tuple[int, int, int]  # offset in the file, height, width


class Cache:
    """Decoded and resized pairs, by the number of the sample."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        # a text in place of a block says why the pair could not be read
        self.blocks: list[_Block | str] = [
            entry if isinstance(entry, str) else (entry[0], entry[1], entry[2])
            for entry in read_json(folder / "index.json")
        ]
        path = folder / "pixels.bin"
        # an empty file, where no pair could be read, cannot be mapped
        self.pixels: npt.NDArray[np.uint8] = (
            np.memmap(path, np.uint8, "r") if path.stat().st_size else np.empty(0, np.uint8)
        )

    def __reduce__(self) -> tuple[type["Cache"], tuple[Path]]:
        # a loader process that is spawned maps the file itself instead of receiving a copy of it
        return Cache, (self.folder,)

    def read(self, number: int) -> tuple[Pixels, Pixels]:
        """The image h x w x 3 and mask h x w of one sample; raises InputError if it could not be read."""
        block = self.blocks[number]
        if isinstance(block, str):
            raise InputError(block)
        offset, height, width = block
        pixels = self.pixels[offset : offset + height * width * 4].reshape(height, width, 4)
        return np.ascontiguousarray(pixels[:, :, :3]), np.ascontiguousarray(pixels[:, :, 3])


def open_cache(samples: Sequence[Sample], resize: Size | None, progress: str | None = None) -> Cache:
    """The cache of these samples at this size, filled first if it is new; `progress` labels its bar."""
    folder = cache_folder() / "training" / _fingerprint(samples, resize)
    if not (folder / "index.json").is_file():
        _fill_cache(folder, samples, resize, progress)
    return Cache(folder)


def _fingerprint(samples: Sequence[Sample], resize: Size | None) -> str:
    digest = hashlib.sha256(repr(("v1", resize)).encode())
    for sample in samples:
        for path in (sample.image, sample.mask):
            if path is not None and path.is_file():
                stat = path.stat()
                digest.update(repr((str(real_path(path)), stat.st_size, stat.st_mtime_ns)).encode())
    return digest.hexdigest()[:32]


def _fill_cache(folder: Path, samples: Sequence[Sample], resize: Size | None, progress: str | None) -> None:
    from tqdm import tqdm

    def decode(sample: Sample) -> Pixels | str:
        try:
            image, mask = resize_pair(*read_pair(sample), resize)
        except InputError as error:
            return str(error)
        return np.dstack([image, mask])

    index: list[_Block | str] = []
    # filled under another name and renamed when complete: a crash or a second process leaves no half cache
    try:
        with temporary(folder) as part:
            part.mkdir()
            with (part / "pixels.bin").open("wb") as file, ThreadPoolExecutor() as pool:
                decoded = pool.map(decode, samples)
                for pixels in tqdm(decoded, progress, len(samples), disable=progress is None):
                    if isinstance(pixels, str):
                        index.append(pixels)
                    else:
                        index.append((file.tell(), pixels.shape[0], pixels.shape[1]))
                        file.write(pixels.tobytes())
            (part / "index.json").write_text(json.dumps(index))
            part.rename(folder)
    except OSError as error:
        if not (folder / "index.json").is_file():  # and not another process that was faster
            raise InputError(
                f"{folder}: the training cache could not be written ({error.strerror}); set "
                f"{CACHE_VARIABLE} to another folder, or train without a cache"
            ) from error
