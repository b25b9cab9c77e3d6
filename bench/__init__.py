"""Measures the product beside named peers. Each row runs both sides in one run, in turns, and reports medians."""
