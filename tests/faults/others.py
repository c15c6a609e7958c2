"""What others do at the same time: eight writers of one result, a network that is cut."""

import os
from collections.abc import Iterator

from .child import finish, forked, start
from .compare import contents, differences
from .jobs import Job, torn
from .kills import closed, repeated, wrong_end
from .surroundings import Setting, Skipped, judged
from .world import write_card

WRITERS = 8
ROUNDS = 3
CUTS = 10


def writers(job: Job, setting: Setting) -> Iterator[list[str]]:
    """Eight processes do the same at the same time; of eight trainings one works, and seven may refuse."""
    codes = (0, 2) if job.command == "train" or job.once else (0,)
    for _ in range(ROUNDS):
        folder = setting.trials.new(job.start)
        outputs = [setting.trials.output(folder, f"-{number}") for number in range(WRITERS)]
        gate, opener = os.pipe()

        def wait(gate: int = gate, opener: int = opener) -> None:
            os.close(opener)
            os.read(gate, 1)  # returns for all when the last writing end is closed

        processes = [start(job.arguments, folder, output, prepare=wait) for output in outputs]
        os.close(gate)
        os.close(opener)
        all_ended = [finish(*pair) for pair in zip(processes, outputs, strict=True)]
        problems = [problem for ended in all_ended for problem in wrong_end(ended, codes)]
        if all(ended.code for ended in all_ended):
            problems.append("none of the writers succeeded")
        problems += torn(job, folder) + differences(contents(folder), job.after)
        problems += repeated(job, folder, setting.trials)
        yield closed(job, folder, problems, f"{job.name}, {WRITERS} writers", all_ended[0])


def network(job: Job, setting: Setting) -> Iterator[list[str]]:
    """A connection that is cut at two random bytes and resumed, and a server that is not there."""
    if job.command != "fetch":
        raise Skipped("")
    size = (setting.world / "t.zip").stat().st_size
    for number in range(CUTS):
        first, second = sorted(setting.draw.sample(range(1, size), 2))
        folder = setting.trials.new(job.start)
        write_card(folder, f"{setting.address}/cut/{first}-{second}/{number}-{folder.name}/t.zip")
        ended = forked(job.arguments, folder, setting.trials.output(folder))
        write_card(folder, f"{setting.address}/whole/t.zip")
        yield judged(job, folder, ended, setting, f"cut at {first} and {second} bytes", codes=(0,))
    folder = setting.trials.new(job.start)
    write_card(folder, "http://127.0.0.1:9/t.zip")
    ended = forked(job.arguments, folder, setting.trials.output(folder))
    yield judged(
        job,
        folder,
        ended,
        setting,
        "no server",
        codes=(2,),
        restore=lambda: write_card(folder, f"{setting.address}/whole/t.zip"),
    )
