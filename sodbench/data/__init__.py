"""Data sets as cards and files: found, read, fetched, audited, described and added."""
