"""The card of the data set that a run was scored on."""

from sodbench.data.card import Card, card_names, load_card
from sodbench.results.run import Run


def card_of(run: Run) -> Card | None:
    """The card of a run's data set; None for folders of masks, and where no card here has its name.

    Raises InputError for a card that cannot be read.
    """
    known = run.provenance.masks is None and run.dataset in card_names()
    return load_card(run.dataset) if known else None
