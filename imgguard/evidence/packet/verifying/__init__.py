"""Verification of evidence packets, offline: bytes and a trust file in, a report out.

It imports nothing of imgguard but `errors` and `provenance`, since every packet carries a copy of it. Formats that the
verifier and the builder share (`layout`, `container`, `manifest`, `seals`) are here for the same reason.
"""
