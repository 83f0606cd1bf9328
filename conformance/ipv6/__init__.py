"""IPv6: support in the network, and use of it."""
