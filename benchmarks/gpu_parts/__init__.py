"""The parts of benchmarks/gpu.py: one file per part, each with the rows and columns of its table."""
