"""Git LFS on the same bucket: the agent that moves its objects, and what makes git-lfs use it."""
