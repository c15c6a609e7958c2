"""Terms of data sets: which images a published page may show, and the licence notes beside it.

A card states the licence, and whether the set may be redistributed. Only where it says "allowed" are
thumbnails shown without being asked for.
"""

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass

from sodbench.data.card import Citation, Terms
from sodbench.errors import unknown_names
from sodbench.reporting.gallery import Sharing
from sodbench.reporting.markdown import escape
from sodbench.results.card_of_run import card_of
from sodbench.results.run import Run

NO_CARD = Terms(source="a data set without a card")


@dataclass(frozen=True)
class DatasetTerms:
    """The terms of one data set, and whether its images are shown although its card does not allow it."""

    dataset: str
    title: str
    terms: Terms
    citation: Citation
    asked: bool = False

    @property
    def shown(self) -> bool:
        """Whether thumbnails of its images, masks and maps are shown."""
        return self.asked or self.terms.redistribution == "allowed"

    @property
    def sharing(self) -> Sharing:
        """What the page shows, with a note that says why."""
        terms = self.terms
        card = f"licence: {terms.licence}; redistribution: {terms.redistribution} ({terms.source})"
        if not self.shown:
            return Sharing(False, f"images, masks and maps of {self.title} are not shown; {card}")
        return Sharing(True, f"{self.title}: thumbnails only; {card}")


def terms_of(runs: Iterable[Run], pictures: Collection[str]) -> list[DatasetTerms]:
    """The terms of the runs' data sets, sorted by name; `pictures` are the sets to show in any case.

    Raises InputError for a name in `pictures` that no run has.
    """
    first: dict[str, Run] = {}
    for run in runs:
        first.setdefault(run.dataset, run)
    unknown = [name for name in pictures if name not in first]
    if unknown:
        raise unknown_names("data set", unknown, first)
    found = []
    for name, run in sorted(first.items()):
        card = card_of(run)
        terms = card.terms if card is not None else NO_CARD
        citation = card.citation if card is not None else Citation()
        found.append(DatasetTerms(name, run.title, terms, citation, asked=name in pictures))
    return found


def hidden_note(terms: Sequence[DatasetTerms]) -> str:
    """One line that names the data sets whose images are not shown, and how to show them; empty without."""
    hidden = [one.dataset for one in terms if not one.shown]
    if not hidden:
        return ""
    return (
        f"images of {', '.join(hidden)} are not shown, because no card says that they may be redistributed;"
        f" if you may, add --pictures {' '.join(hidden)}"
    )


def licence_notes(terms: Sequence[DatasetTerms]) -> str:
    """The licence notes in markdown: what the card of each data set says, and what is shown of its images."""
    lines = [
        "# Licence notes",
        "",
        "What the cards of the data sets say about their terms. Scores are measurements; images and masks"
        " belong to the authors of the data sets.",
        "",
        "| data set | licence | redistribution | source of this statement | images here |",
        "|---|---|---|---|---|",
    ]
    for one in terms:
        images = "thumbnails" if one.shown else "none"
        if one.asked and one.terms.redistribution != "allowed":
            images = "thumbnails, at the publisher's request"
        cells = (one.title, one.terms.licence, one.terms.redistribution, one.terms.source, images)
        lines.append(f"| {' | '.join(map(escape, cells))} |")
    cited = [one for one in terms if one.citation.text.partition(":")[0] not in ("none", Citation().text)]
    if cited:
        lines += ["", "## Citations", ""]
        lines += [f"- {escape(one.title)}: {escape(one.citation.text)}" for one in cited]
    return "\n".join(lines) + "\n"
