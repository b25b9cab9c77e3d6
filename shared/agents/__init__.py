"""Agents: each looks at the evidence of a change and gives typed opinions, with or without a model. None decides."""
