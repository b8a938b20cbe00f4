"""Revisions as alembic wants them; each runs the SQL files of its number."""
