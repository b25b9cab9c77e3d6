"""The triggers: they parse, authenticate and hand on, and decide nothing. One blueprint a file."""
