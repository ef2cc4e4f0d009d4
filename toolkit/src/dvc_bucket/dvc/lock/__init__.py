"""`dvc.lock`: what DVC noted of each stage's last run, read, and merged stage by stage."""
