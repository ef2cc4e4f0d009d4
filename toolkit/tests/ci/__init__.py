"""Tests of the two forges' CI files, and of what they call."""
