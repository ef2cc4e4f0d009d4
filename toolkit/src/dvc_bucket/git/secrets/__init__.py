"""Credentials in what git holds: know one, and search."""
