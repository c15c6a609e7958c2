"""Bad inputs for every entry point, each with what must come of it: `python -m tests.corpus`.

`case.py` says what a case is, `world.py` makes the good files that each case spoils, `runner.py` runs a
case in a process of its own, `judge.py` judges it. The other modules declare the cases, one kind of input
in each.
"""
