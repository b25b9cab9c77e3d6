"""Portfolios: many projects and the epics across them, planned, made and shown from one file."""
