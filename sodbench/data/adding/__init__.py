"""Adding a data set of one's own: guessing its layout, writing its card."""
