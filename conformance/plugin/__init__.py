"""The pytest plugin (entry point ``plantproof``)."""
