-- By which operating mode an occurrence began with less priority than it has outside it.

ALTER TABLE alarm ADD COLUMN eased jsonb;
COMMENT ON COLUMN alarm.eased IS 'as suppressed, but it is annunciated; null: it has its ordinary priority';
