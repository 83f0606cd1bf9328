"""What a report lays out, whatever its format: the content of a bundle, worked out by pure functions."""
