"""Rebuild a commit from its inputs in a clean clone, and compare every hash."""
