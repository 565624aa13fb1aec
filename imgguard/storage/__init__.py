"""The adapters behind the ports: the database, the blobs, the files of the index."""
