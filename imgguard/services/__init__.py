"""Use cases: one module each, built on ports, shared by every way in."""
