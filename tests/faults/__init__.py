"""What happens to the five working commands when they are killed, run out of disk, or are hindered otherwise.

    python -m tests.faults                                   everything, as `tox -e faults` does it
    python -m tests.faults --commands score --moments 10     a part
    python -m tests.faults --faults SIGKILL "full disk"

A trial runs one command under one fault, looks at what lies there, repeats the command undisturbed and
compares the folder with that of a command that was never disturbed. The counts go to docs/reliability.md.
"""
