"""The tracked tree of a revision: files, tables, samples, copies."""
