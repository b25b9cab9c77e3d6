"""Reviews: evidence is collected, gates evaluate it, the policy judges, the forge enforces."""
