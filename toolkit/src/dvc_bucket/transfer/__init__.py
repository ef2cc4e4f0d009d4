"""Objects between a bucket and this machine, by native code and many at a time."""
