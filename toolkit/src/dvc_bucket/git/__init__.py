"""Git: contents, hooks, the search for credentials, the layout of Git LFS."""
