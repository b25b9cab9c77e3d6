"""Intake: what a webhook must prove, what it says, and what follows from it."""
