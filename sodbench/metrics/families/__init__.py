"""The metrics, one family a file; `sodbench.metrics.registry` finds them here."""
