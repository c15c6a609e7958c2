"""`sodbench` and `python -m sodbench`, the form torchrun uses: `torchrun -m sodbench train basnet`."""

import os
import sys
from contextlib import suppress

from sodbench.cli import signals


def start() -> None:
    """Runs the command line as a process of its own: with its signals, streams and exit code."""
    code: int | str | None
    try:
        signals.watch()
        # a file must not take the number of a stream that the caller has closed
        for number in range(3):
            try:
                os.fstat(number)
            except OSError:
                os.open(os.devnull, os.O_RDWR)
        from sodbench.cli.main import main

        code = main()
    except SystemExit as end:
        code = end.code
    except KeyboardInterrupt as stop:
        code = signals.exit_code(stop)
    with suppress(KeyboardInterrupt):
        signals.work_is_done()
    sys.exit(code)


if __name__ == "__main__":
    start()
