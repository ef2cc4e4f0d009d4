"""The guard of `dvc gc`: what other branches, clones and projects need stays."""
