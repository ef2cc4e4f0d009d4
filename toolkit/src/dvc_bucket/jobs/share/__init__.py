"""`bucket share`: links for people without keys."""
