"""What is the proof? Evidence store, sealing and verification, and everything rendered from a bundle."""
