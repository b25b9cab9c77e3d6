"""Reads the reports of tools: recognised by content, held to limits and schemas, told in one vocabulary."""
