"""Owners, works, references, contents: who registered what, and when. Knows nothing of pixels."""
