"""The wire contract as documents that machines read, made from the code that keeps it."""
