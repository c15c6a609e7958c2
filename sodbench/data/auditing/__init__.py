"""Auditing a data set or a folder of maps: counts, pairs, duplicates, grey levels, statistics."""
