"""A program for the environment of a commit, which has DVC in any version and not this toolkit.

Python puts the folder of a program first on its path, so that this one has a folder of its own: a
module beside it with the name of one of Python's would take the place of that.
"""
