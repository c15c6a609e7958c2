"""Fuzzing: one file per target, each with `one_input(data)`, which lets only InputError pass.

The first byte of an input says how the rest is read: 0, a kind, and the bytes of a file as they are; or 1,
a kind, and edits to a valid file of that kind (`choices.py`). `python -m tests.fuzzing TARGET --seconds N`
runs a target. What it finds goes to `corpus/TARGET/pending/`, and to `corpus/TARGET/` once it is fixed:
`test_replay.py` replays that folder with every run of the tests.
"""
