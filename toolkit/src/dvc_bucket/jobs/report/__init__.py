"""What a change did to stages, metrics, plots and data: a report for its reviewers."""
