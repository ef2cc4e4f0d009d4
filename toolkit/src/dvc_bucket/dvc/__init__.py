"""DVC with the connection of the settings, its bytes moved by the fast way, and one that waits."""
