"""The story `make demo` plays: its acts, the stage they are played on, and how it is told."""
