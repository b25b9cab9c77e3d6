"""Connections: how Doneright reaches the forges, and who may ask it to."""
