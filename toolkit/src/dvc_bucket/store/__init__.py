"""The embedded object store: start it, wait for it, prove that it is ours, stop it."""
