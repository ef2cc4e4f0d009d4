"""The analysis: one script a stage, and what they share. Yours to replace."""
