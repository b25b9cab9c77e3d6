"""One module a kind of reference page; each turns what the code declares into text, and nothing else."""
