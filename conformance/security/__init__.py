"""Security and segmentation: what may be reached from where, and who may log in."""
