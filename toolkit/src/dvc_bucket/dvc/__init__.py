"""DVC with the connection of this project, and what DVC knows of its stages and data."""
