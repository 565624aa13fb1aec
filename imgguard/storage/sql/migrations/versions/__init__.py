"""Schema history, one module a step."""
