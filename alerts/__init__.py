"""From findings to people: occurrences and their life cycle, texts, notices, channels.

`lifecycle` is the table, `book` the single writer's memory of what is open, `channels` the only
code that calls out.
"""
