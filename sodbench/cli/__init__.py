"""The command line: one module per command; each parses, makes one call and prints."""
