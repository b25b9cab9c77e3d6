"""The runbooks: what happens in which order, as plain generator functions that read like the procedure."""
