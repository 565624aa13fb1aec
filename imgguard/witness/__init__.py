"""A witness: remembers how large a log was and what it held, and cosigns what goes on from there (C2SP tlog-witness).

For companies that do not run imgguard itself: it has a folder of its own and nothing of the store's.
"""
