"""The only code that opens network connections: what strangers' URLs lead to, fetched under the operator's rules."""
