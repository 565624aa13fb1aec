"""In place of the process that verifies: one that does not start."""

import sys

sys.exit(7)
