"""`python -m hazwatch`."""

from hazwatch.cli import main

main()
