ALTER TABLE alarm
    ADD COLUMN latching       bool   NOT NULL DEFAULT false,
    ADD COLUMN stale          bool   NOT NULL DEFAULT false,
    ADD COLUMN shelved        jsonb,
    ADD COLUMN suppressed     jsonb,
    ADD COLUMN out_of_service jsonb,
    ADD COLUMN shelves        timestamptz[] NOT NULL DEFAULT '{}',
    ADD COLUMN re_alarm       jsonb,
    ADD COLUMN re_alarms      int    NOT NULL DEFAULT 0,
    ADD COLUMN chatter        int    NOT NULL DEFAULT 0,
    ADD COLUMN answered_s     float8 NOT NULL DEFAULT 0;
COMMENT ON COLUMN alarm.latching IS 'kept after its condition has gone until somebody resets it';
COMMENT ON COLUMN alarm.shelved IS
    '搁置: {"since", "until", "by", "why", "second", "rule", "timer": {"left_s", "mark": {"at", "elapsed", "boot"}}}; suppressed 设计抑制 and out_of_service 停用 alike';
COMMENT ON COLUMN alarm.shelves IS 'when it was shelved within the day before the last shelf';
COMMENT ON COLUMN alarm.re_alarm IS 'timer until it is unacknowledged again; NULL: none runs';
COMMENT ON COLUMN alarm.re_alarms IS 'how often a timer made it unacknowledged again';
COMMENT ON COLUMN alarm.chatter IS 'how often its condition came back before anybody acknowledged';
COMMENT ON COLUMN alarm.answered_s IS 'seconds for which it was acknowledged before it had to be again';
CREATE INDEX alarm_flagged ON alarm (enterprise)
    WHERE shelved IS NOT NULL OR suppressed IS NOT NULL OR out_of_service IS NOT NULL;
CREATE INDEX alarm_shelved ON alarm ((shelves[1])) WHERE shelves <> '{}';

ALTER TABLE operator_action ADD COLUMN detail jsonb NOT NULL DEFAULT '{}';
COMMENT ON COLUMN operator_action.detail IS 'what else the verb needs, by name: until and second of shelve, permit of remove_from_service';
