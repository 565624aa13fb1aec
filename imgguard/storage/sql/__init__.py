"""The catalogue in SQL: SQLAlchemy Core, written so that a second dialect needs no second implementation."""
