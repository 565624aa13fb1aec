"""imgguard: registers original photographs, finds copies of them, and shows the evidence."""

__version__ = "0.1.0"
