"""The example resource: replace it with your first own one, file by file."""
