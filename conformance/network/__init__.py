"""Network access: reachability of every object class."""
