"""An OSV API with a dozen real advisories, so that dependencies are looked up on a laptop as they are in the world."""
