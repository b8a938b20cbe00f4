"""What the settings say about how long things are kept."""

from hazwatch.settings import Settings
from storage.retention import Keep


def keep_of(settings: Settings) -> Keep:
    """As the storage wants it."""
    return Keep(
        settings.keep_samples_days,
        settings.compress_after_days,
        settings.keep_minutes_days,
        settings.keep_hours_days,
        settings.keep_quarantine_days,
        settings.keep_events_days,
    )
