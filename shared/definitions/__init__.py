"""Processes as data: versioned YAML, read through ``shared.definitions.load``."""
