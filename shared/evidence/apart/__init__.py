"""What runs in a process apart, over texts nobody trusts: quick to begin, so nothing here imports anything else of ours."""
