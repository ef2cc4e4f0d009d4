"""Notebooks as stages: `bucket notebook`."""
