"""The command groups of `hazwatch`: one noun a module."""
