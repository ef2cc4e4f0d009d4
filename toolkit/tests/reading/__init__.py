"""Data that DVC tracks, read from where it is."""
