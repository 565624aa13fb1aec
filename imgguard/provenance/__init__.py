"""What a registration proves, and how: private records, public leaves, a Merkle log, signed
checkpoints, proofs, timestamp tokens.

Bytes in, bytes out: no database, network, files or clock. docs/evidence-format.md has every format to the byte.
"""
