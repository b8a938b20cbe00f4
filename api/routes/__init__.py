"""The paths, one noun a file: each `…_routes` takes what it needs and returns a router."""
