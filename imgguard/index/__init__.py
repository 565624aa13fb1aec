"""Search: embeddings in, candidates out. A cache of the database, rebuilt from it at will."""
