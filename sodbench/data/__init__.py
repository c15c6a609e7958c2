"""Data sets: their cards and files, reading, downloading, auditing, adding."""
