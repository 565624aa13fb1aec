"""The command line: one module per noun. Heavy libraries are imported inside the commands that need them."""
