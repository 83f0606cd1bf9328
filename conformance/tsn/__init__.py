"""TSN: cyclic flows, and clocks in time."""
