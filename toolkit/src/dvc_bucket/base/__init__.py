"""What every layer stands on: errors, files written whole or not at all, safe paths, progress."""
