"""`bucket verify`: the report on a remote, and the check of the local cache."""
