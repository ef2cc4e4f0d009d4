"""What a commit says of its stages, data and results."""
