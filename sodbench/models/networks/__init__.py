"""The network architectures, one per file; they know torch and nothing of baselines."""
