"""Add a stage or a dataset to the project: `new stage`, `new data`."""
