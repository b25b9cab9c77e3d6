"""Scaffold updates: what a newer template brings, merged with a team's repository and offered as a pull request."""
