"""The HTTP service: requests in, services asked, answers and problems out. No decision of the product is made here."""
