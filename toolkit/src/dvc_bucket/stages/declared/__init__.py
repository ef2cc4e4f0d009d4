"""Does `dvc.yaml` declare what its stages run, import and read? Nothing is run to find out."""
