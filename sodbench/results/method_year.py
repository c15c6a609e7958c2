"""The year of a method's paper: from the bibliography of the published numbers, or from a baseline's card."""

import re

from sodbench import catalog
from sodbench.errors import InputError
from sodbench.results.published import bibliography, method_of

# as cards name a paper: "Qin et al., ECCV 2022.", "BiRefNet (Zheng et al., 2024)"
_PAPER = re.compile(r"et al\.,[^.;()]*?\b((?:19|20)\d\d)\b")


def year_of(name: str) -> int | None:
    """The year of the paper of a method, by its name or by that of a baseline; None where it is not known.

    >>> year_of("DSS"), year_of("rembg-birefnet-general"), year_of("mine")
    (2017, 2024, None)
    """
    method = method_of(name)
    if method is not None:
        year = re.search(r"\byear\s*=\s*[{\"]?(\d{4})", bibliography().get(method.cite, ""))
        return int(year[1]) if year else None
    card = catalog.entries("baselines").get(name)
    if card is None:
        return None
    try:
        description = str(catalog.read_toml(card).get("description", ""))
    except InputError:  # an own card that cannot be read says nothing
        return None
    paper = _PAPER.search(description)
    return int(paper[1]) if paper else None
