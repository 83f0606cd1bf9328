"""Computing capacity."""
