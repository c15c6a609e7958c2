"""Mutation testing: small faults are planted, one at a time, and the tests must notice each.

`python -m tests.mutation --mutants 200` draws mutants of `sodbench/metrics/` (the compiled kernels aside) and
of the drift check, and runs for each the tests that reach its line.
`survivors.md` lists the mutants that no test can notice.
"""
