"""Early warning, measured: recordings with known truth through the real engine, scored honestly.

`sets` runs the sets of shared/data and `own` any recording with a replay map and a truth file; both
come down to `feed` (table -> arrays), `plant` (map -> registry), `drive` (arrays -> engine ->
warnings), `score` (warnings and events -> numbers) and `report` (numbers -> goals). The goals and
the six rules of honesty: docs/early-warning.md.
"""
