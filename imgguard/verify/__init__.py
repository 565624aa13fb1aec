"""Same photograph? Registration of a query and a reference, and how well their pixels agree once they are aligned."""
