"""Adopting what exists: a plan from live state, consent, and a run of exactly what was agreed to."""
