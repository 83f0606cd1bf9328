"""Does it hold? The suites, the pytest plugin and the command line; joins the four rooms below."""
