"""Recorded runs as a folder for any static host, and as metadata of model hubs."""
