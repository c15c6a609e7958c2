"""The metrics, one family per file; `sodbench.metrics.registry` finds them here."""
