"""Durations as people read them."""


def duration(seconds: float | None) -> str:
    """Seconds in the unit that suits them.

    >>> duration(3.2), duration(190), duration(9000), duration(400_000), duration(None)
    ('3 s', '3 min', '2.5 h', '4.6 days', 'unknown')
    """
    if seconds is None:
        return "unknown"
    if seconds < 100:
        return f"{max(seconds, 1):.0f} s"
    if seconds < 5400:
        return f"{seconds / 60:.0f} min"
    return f"{seconds / 3600:.1f} h" if seconds < 172_800 else f"{seconds / 86_400:.1f} days"
