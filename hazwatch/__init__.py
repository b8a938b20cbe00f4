"""Composition: settings, command line, roles, and the embedded parts for one-command use."""
