"""`bucket du`: what the data takes in the bucket, and what it costs."""
