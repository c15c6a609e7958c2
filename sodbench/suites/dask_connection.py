"""The connection to a Dask cluster: an address that answers, or workers here, and what software they have."""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, suppress
from typing import Any

from sodbench.cores import core_count
from sodbench.errors import InputError, cut
from sodbench.suites.dask_tasks import Worker, describe

LOCAL = "local"
PATIENCE = 10  # seconds in which a scheduler and its first worker must answer


def checked_address(address: str) -> str:
    """The address, or `local`; InputError for anything else."""
    parts = re.fullmatch(r"(tcp|tls|ws|wss)://([^\s/:]+|\[[^\s/]+\]):([0-9]{1,5})", address)
    if address == LOCAL or (parts is not None and 1 <= int(parts[3]) <= 65_535):
        return address
    raise InputError(
        f"--dask {cut(address)!r}: expected local, or the address of a scheduler such as tcp://host:8786"
    )


@contextmanager
def connected(address: str) -> Iterator[Any]:
    """A client of the scheduler at an address, or of workers that are started here and end with it."""
    checked_address(address)
    try:
        import distributed
    except ImportError:
        raise InputError('--dask needs distributed: pip install "sodbench[cluster]"') from None
    connect: Any = distributed.Client
    with ExitStack() as stack:
        stack.enter_context(_quiet())
        where = stack.enter_context(_local_cluster()) if address == LOCAL else address
        try:
            client = connect(where, timeout=PATIENCE, set_as_default=False)
        except (OSError, ValueError) as error:
            raise InputError(
                f"--dask {address}: no Dask scheduler answers there within {PATIENCE} seconds ({error})"
            ) from None
        try:
            yield client
        finally:
            with suppress(TimeoutError):
                client.close(timeout=PATIENCE)


@contextmanager
def _quiet() -> Iterator[None]:
    """Keeps Dask from logging what this process says in one line, such as that a connection is lost."""
    import logging

    names = [name for name in logging.root.manager.loggerDict if name.startswith("distributed")]
    levels = {name: logging.getLogger(name).level for name in names}
    for name in names:
        logging.getLogger(name).setLevel(logging.CRITICAL)
    try:
        yield
    finally:
        for name, level in levels.items():
            logging.getLogger(name).setLevel(level)


@contextmanager
def _local_cluster() -> Iterator[Any]:
    """One worker process per core on this machine, which nothing outside it can reach."""
    import logging

    import dask
    import distributed

    start: Any = distributed.LocalCluster
    kinds = ("scheduler", "worker")
    no_pages: dict[str, list[str]] = {f"distributed.{kind}.http.routes": [] for kind in kinds}
    with (
        dask.config.set(no_pages),
        start(
            n_workers=core_count(),
            threads_per_worker=1,
            processes=True,
            host="127.0.0.1",
            # a free port, not the usual one: two of these may run at once
            scheduler_kwargs={"dashboard": False, "dashboard_address": "127.0.0.1:0"},
            dashboard_address=None,
            memory_limit=0,
            silence_logs=logging.CRITICAL,
        ) as cluster,
    ):
        yield cluster


def described(client: Any, address: str) -> dict[str, Worker]:
    """Every worker by its address."""
    try:
        client.wait_for_workers(1, timeout=PATIENCE)
    except TimeoutError:
        raise InputError(
            f"--dask {address}: this scheduler has no worker; start one: dask worker {address}"
        ) from None
    answers = client.run(describe, on_error="return")
    for where, answer in sorted(answers.items()):
        if not isinstance(answer, Worker):
            raise InputError(
                f"worker {where} cannot say which sodbench it has ({type(answer).__name__}: {answer});"
                " install the same as here"
            )
    return dict(answers)
