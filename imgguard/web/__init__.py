"""Pages for people: templates, static files, and the words they use. All data comes from ``/v1``, in the browser."""
