"""The evidence packet: what `packet.json` says, and the report and README that say it to people."""
