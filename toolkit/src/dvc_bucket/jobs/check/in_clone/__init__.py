"""A folder for the import path of the stages of a commit, whose Python has not this toolkit."""
