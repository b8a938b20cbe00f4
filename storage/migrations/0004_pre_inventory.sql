CREATE TABLE source_inventory (
    source     int  PRIMARY KEY REFERENCES node,
    enterprise int  NOT NULL REFERENCES node,
    at         timestamptz NOT NULL,
    load       float8,
    body       jsonb NOT NULL
);
CREATE INDEX source_inventory_enterprise ON source_inventory (enterprise);
COMMENT ON TABLE source_inventory IS 'inventory 储量 of each hazard source as it was last told';
COMMENT ON COLUMN source_inventory.load IS 'largest share of a design amount: of a tank, a substance, all pooled; NULL: not known';
COMMENT ON COLUMN source_inventory.body IS
    'pooled, s_now, s_design, complete, held, tanks, substances: see domain/inventory.py';
