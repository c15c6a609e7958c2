"""Auditing data sets and folders of maps: status, counts, pairs, duplicates, grey levels, statistics."""
