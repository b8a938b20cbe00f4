"""Compiled loops: nothing is left to compile when the first sample comes."""

import subprocess
import sys

ASK = """
import numpy as np
from datetime import timedelta
from domain.frame import Frame
from domain.instant import micros
from rules.compiled import LOOPS
from rules.compiling import compile_plan
from rules.engine import step
from rules.state import RuleState
from rules.warming import warm_up
from tests.support.builders import START
from tests.support.clean_plant import CleanPlant

def forms():
    return {f"{loop.__module__}.{loop.__name__}": len(loop.signatures) for loop in LOOPS}

warm_up()
ready = forms()
plant = CleanPlant(1, 1)
plan = compile_plan(plant.registry)
state = RuleState.fresh(plan, micros(START))
chance = np.random.default_rng(1)
at, scan = START, 0
for number in range(300):
    tall = 1 + number % 3
    at += timedelta(seconds=20 * tall)
    tags = np.tile(plan.tags, tall)
    value = plant.values[scan : scan + tall].ravel() * (1 if number < 200 else 1.5)
    times = np.repeat(micros(at) - 20_000_000 * np.arange(tall)[::-1], len(plan))
    quality = np.where(chance.random(len(tags)) < 0.05, 86, 192).astype(np.int16)
    which = chance.permutation(len(tags))[: max(1, len(tags) - number % 7)]
    for array in (value, times, quality):
        array.flags.writeable = number % 2 == 0
    frame = Frame.of(tags, times, value, received=micros(at), quality=quality)
    step(plan, state, frame if number % 4 else frame.take(which), at)
    scan += tall
later = forms()
print(len(ready), {name: forms for name, forms in later.items() if forms != ready[name]})
"""


def test_after_warming_up_nothing_is_left_to_compile():
    said = subprocess.run([sys.executable, "-c", ASK], capture_output=True, text=True, check=False)
    assert said.stderr == ""
    loops, more = said.stdout.split(maxsplit=1)
    assert int(loops) > 10
    assert more.strip() == "{}"
