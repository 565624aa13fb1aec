"""Product feeds: bytes to products and the addresses of their pictures. Pure: no network, no database."""
