"""Many bundles at once: indexed, ranked, reported on, judged again, and made up for trying all that out."""
