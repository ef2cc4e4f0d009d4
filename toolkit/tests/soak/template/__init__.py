"""Long tests of the template: its CI, its jobs, its pipeline."""
