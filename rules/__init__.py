"""What the samples mean: limits, rates of change and missing data, as array kernels over all tags.

`plan.compile_plan` turns the registry into arrays, `state.RuleState` is the memory of the caller,
`engine.step` judges one frame and lets time pass, `engine.next_due` tells when time can matter
next. Everything is pure: time is an argument, and no kernel loops over tags. Rows are *slots*:
positions of tags in the plan; the registry's ids appear only in frames, findings and snapshots.
"""
