"""The command line ``plantproof``: what is not testing. Testing itself is ``pytest conformance``."""
