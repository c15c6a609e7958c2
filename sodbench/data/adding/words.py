"""Words in names of folders, files and columns that tell images from masks."""

import re
from collections.abc import Sequence

MASK_WORDS = (
    "mask", "gt", "ground", "truth", "label", "seg", "annot", "matte", "alpha", "saliency", "target",
    "object",
)  # fmt: skip
IMAGE_WORDS = ("image", "img", "im", "rgb", "photo", "picture", "input", "source", "src", "jpeg")
MASK_SUFFIXES = (
    "_mask", "-mask", "_masks", "_gt", "-gt", "_GT", "_label", "_labels", "_seg", "_segmentation", "_matte",
    "_alpha", "_saliency", "_annotation", ".mask", "_target",
)  # fmt: skip


def has_word(name: str, words: Sequence[str]) -> bool:
    """True if a part of the name is one of the words, or begins with one of more than three letters."""
    parts = re.split(r"[^a-z]+", name.lower())
    return any(
        part.startswith(word) and (len(word) > 3 or part in (word, word + "s"))
        for part in parts
        for word in words
    )
