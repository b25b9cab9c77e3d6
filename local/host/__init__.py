"""The local Azure Functions host: one process that drives an unchanged function_app.py as Azure's host does."""
