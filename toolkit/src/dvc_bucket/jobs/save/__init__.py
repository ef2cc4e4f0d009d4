"""Save the state of the work tree: data on the remote, a commit, a push: `save`."""
