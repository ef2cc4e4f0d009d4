"""Hooks of git beside those of others: no commit with a credential, no push without its data."""
