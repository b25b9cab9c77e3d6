"""Stateful simulators of GitHub and Azure DevOps, for running and testing without either."""
