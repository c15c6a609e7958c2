"""What happens to the commands that work for long when they are killed, short of disk, or hindered otherwise.

    python -m tests.faults                                   everything, as `tox -e faults` does it
    python -m tests.faults --commands score --moments 10     a part
    python -m tests.faults --faults SIGKILL "full disk"

A trial runs one command under one fault, looks at what lies there, repeats the command undisturbed and
compares the folder with that of a command that was never disturbed. The counts go to docs/reliability.md
as they grow.
"""
