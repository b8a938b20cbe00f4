"""History out of files: CSV and Parquet into samples, piece by piece, to be taken up anywhere."""
