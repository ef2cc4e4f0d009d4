"""Programs that run inside the environment of the commit that is checked.

That environment has DVC and what the stages need, in whatever version, and not this toolkit: these
files import nothing of it, and are started by their paths.
"""
