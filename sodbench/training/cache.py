"""Training pairs: read, resized, and decoded once into a cache when asked.

The cache is one flat file mapped into memory, four bytes a pixel. It is made again when a picture's name,
size or time, or the resize, changes.
"""

import hashlib
import json
import shutil
import tempfile
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import numpy.typing as npt

from sodbench.data.folder import Sample
from sodbench.data.images import read_image, read_mask
from sodbench.data.locations import cache_folder
from sodbench.data.preprocessing import resize_bilinear
from sodbench.errors import InputError

Pixels = npt.NDArray[np.uint8]
Size = tuple[int, int]


def read_pair(sample: Sample) -> tuple[Pixels, Pixels]:
    """Reads picture and mask; raises InputError where one is missing or their sizes differ."""
    if sample.image is None or sample.mask is None:
        raise InputError(f"{sample.name}: training needs a picture and a mask")
    image, mask = read_image(sample.image), read_mask(sample.mask)
    if image.shape[:2] != mask.shape:
        raise InputError(
            f"{sample.mask}: the mask is {mask.shape[1]} x {mask.shape[0]} and its picture "
            f"{image.shape[1]} x {image.shape[0]}; repair or remove the pair"
        )
    return image, mask


def resize_pair(image: Pixels, mask: Pixels, size: Size | None) -> tuple[Pixels, Pixels]:
    """Picture bilinear without anti-aliasing (as at inference), mask by the nearest pixel."""
    if size is None or mask.shape == size:
        return image, mask
    small = np.rint(resize_bilinear(image, *size)).astype(np.uint8)
    rows = ((np.arange(size[0]) + 0.5) * (mask.shape[0] / size[0])).astype(np.intp)
    columns = ((np.arange(size[1]) + 0.5) * (mask.shape[1] / size[1])).astype(np.intp)
    return small, mask[rows][:, columns]


class Cache:
    """Decoded and resized pairs, by the number of the sample."""

    def __init__(self, folder: Path) -> None:
        index = json.loads((folder / "index.json").read_text())
        self.places: list[tuple[int, int, int] | str] = [
            entry if isinstance(entry, str) else (entry[0], entry[1], entry[2]) for entry in index
        ]
        self.path = folder / "pixels.bin"
        self.pixels: npt.NDArray[np.uint8] = np.memmap(self.path, np.uint8, "r")

    def read(self, number: int) -> tuple[Pixels, Pixels]:
        """The pair of one sample; raises InputError for one that could not be read."""
        place = self.places[number]
        if isinstance(place, str):
            raise InputError(place)
        offset, height, width = place
        block = self.pixels[offset : offset + height * width * 4].reshape(height, width, 4)
        return np.ascontiguousarray(block[:, :, :3]), np.ascontiguousarray(block[:, :, 3])


def open_cache(samples: Sequence[Sample], resize: Size | None, progress: str | None = None) -> Cache:
    """Opens the cache of these samples at this size, made first if it is not there yet."""
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
                digest.update(repr((str(path.resolve()), stat.st_size, stat.st_mtime_ns)).encode())
    return digest.hexdigest()[:32]


def _fill_cache(folder: Path, samples: Sequence[Sample], resize: Size | None, progress: str | None) -> None:
    from tqdm import tqdm

    def block(sample: Sample) -> Pixels | str:
        try:
            image, mask = resize_pair(*read_pair(sample), resize)
        except InputError as error:
            return str(error)
        return np.dstack([image, mask])

    folder.parent.mkdir(parents=True, exist_ok=True)
    index: list[tuple[int, int, int] | str] = []
    # filled under another name and renamed when complete: a crash or a second process leaves no half cache
    with tempfile.TemporaryDirectory(prefix=".filling-", dir=folder.parent) as making:
        part = Path(making)
        try:
            with (part / "pixels.bin").open("wb") as file, ThreadPoolExecutor() as pool:
                for result in tqdm(
                    pool.map(block, samples), progress, len(samples), disable=progress is None
                ):
                    if isinstance(result, str):
                        index.append(result)
                    else:
                        index.append((file.tell(), result.shape[0], result.shape[1]))
                        file.write(result.tobytes())
            (part / "index.json").write_text(json.dumps(index))
        except OSError as error:
            raise InputError(
                f"{folder}: the training cache could not be written ({error.strerror})"
            ) from error
        done = Path(tempfile.mkdtemp(prefix=".full-", dir=folder.parent))
        done.rmdir()
        part.rename(done)
        part.mkdir()
    try:
        done.rename(folder)
    except OSError:  # another process was faster
        shutil.rmtree(done)
