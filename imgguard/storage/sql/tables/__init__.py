"""The tables, a module for each subject; `imgguard.storage.sql.schema` has them all."""
