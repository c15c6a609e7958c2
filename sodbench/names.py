"""Conversion of names of methods and data sets to safe folder names, and back."""

from urllib.parse import quote, unquote

from sodbench.errors import InputError

# readable in a folder listing and harmless on every file system; everything else is percent-encoded
_KEPT = " +-_.,=@()[]"
# what Windows does not take as a file name, with any extension
_RESERVED = {
    "con",
    "prn",
    "aux",
    "nul",
    *(f"com{n}" for n in range(1, 10)),
    *(f"lpt{n}" for n in range(1, 10)),
}
_LONGEST = 200


def folder_name(name: str) -> str:
    """The folder of a method or data set: `name` itself where harmless, percent-encoded where not.

    Two names never share a folder, and `original_name` gives the name back.
    Raises InputError for an empty name and one too long for a folder.

    >>> folder_name("U2-Net/ours"), folder_name(".."), folder_name("BASNet (2019)")
    ('U2-Net%2Fours', '%2E.', 'BASNet (2019)')
    """
    if not isinstance(name, str):
        raise InputError(f"a name of type {type(name).__name__}; expected a string")
    if not name:
        raise InputError("a run needs a name, found an empty one; give one with --name")
    try:
        safe = quote(name, safe=_KEPT)
    except UnicodeEncodeError:
        raise InputError(
            f"the name {name!r} holds characters that are not text; choose another one"
        ) from None
    if safe[0] in ". ":
        # a leading dot hides the folder and marks unfinished records
        safe = f"%{ord(safe[0]):02X}{safe[1:]}"
    if safe[-1] in ". ":
        # Windows drops it
        safe = f"{safe[:-1]}%{ord(safe[-1]):02X}"
    if safe.partition(".")[0].rstrip().lower() in _RESERVED:
        safe = f"%{ord(safe[0]):02X}{safe[1:]}"
    if len(safe) > _LONGEST:
        raise InputError(
            f"the name {name[:40]!r}... makes a folder name of {len(safe)} characters,"
            f" at most {_LONGEST} fit; choose a shorter one"
        )
    return safe


def original_name(folder: str) -> str:
    """The name that `folder_name` turned into `folder`."""
    return unquote(folder)
