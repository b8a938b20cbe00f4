"""The schema's history: `NNNN_pre|post_what.sql`, before or after the new release starts.

Where editions differ there is one more file, `…_timescale.sql` or `…_plain.sql`.
"""
