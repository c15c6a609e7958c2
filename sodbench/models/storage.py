"""Where weights that do not ship are kept."""

import os
from pathlib import Path


def weights_folder() -> Path:
    """`$SODBENCH_WEIGHTS`, else `sodbench/weights` in the user's data folder."""
    if named := os.environ.get("SODBENCH_WEIGHTS"):
        return Path(named).expanduser()
    home = os.environ.get("XDG_DATA_HOME")
    base = Path(home) if home else Path.home() / ".local" / "share"
    return base / "sodbench" / "weights"
