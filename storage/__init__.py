"""The only place that speaks SQL: migrations, named queries, COPY, journal, outbox, leases."""
