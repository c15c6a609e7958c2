"""Runs and their files, provenance, statistics, the drift check and published numbers."""
