"""One package a job; a job never imports another."""
