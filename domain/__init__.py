"""The vocabulary of the plant and of its watching: nouns that every stage shares.

Times inside arrays are int64 microseconds since 1970 UTC (`domain.instant`); everywhere else they
are aware UTC `datetime`. Zero is a reading; absence is `None` or NaN. Nothing here does I/O.
"""
