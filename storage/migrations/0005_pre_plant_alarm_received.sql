CREATE INDEX plant_alarm_received ON plant_alarm (received_at);
COMMENT ON INDEX plant_alarm_received IS 'the worker reads the newest reports at its start';
