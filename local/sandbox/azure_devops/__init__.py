"""Simulates Azure DevOps Services closely enough that its official Python client cannot tell the difference."""
