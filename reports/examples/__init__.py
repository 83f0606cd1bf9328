"""Commented examples of the documents that a person may write beside the plant."""
