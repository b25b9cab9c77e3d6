"""Keeps what people plan in order: backlogs by their process's hierarchy, issues by category and project."""
