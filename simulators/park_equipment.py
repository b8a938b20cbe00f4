"""The equipment of the demonstration park: which instruments stand on it, and what they show.

Sizes and noise follow the domain research 3.2 and 7.2. A level in % is of the safe fill; it moves
as the flows into and out of its vessel say. Amplitudes and noise are small against the limits of
deploy/sites/demo.yaml and against its limits on rates, whatever noise there may be.
"""

from math import pi

from simulators.park_signals import DAY_S, HOUR_S, Signal, in_turns, states

Signals = tuple[Signal, ...]


def atmospheric_tank(
    n: int, safe_m3: float, level: float, swing: float, period_h: float, phase: float
) -> Signals:
    """常压储罐: filled by FT-nA, emptied by FT-nB at a constant rate. safe_m3: safe fill."""
    period_s = period_h * HOUR_S
    net = _net_flow(safe_m3, swing, period_s)
    out = round(1.2 * net, 1)
    return (
        Signal(f"LT-{n}", level, swing, period_s, phase, 0.02, 0.01),
        Signal(f"TT-{n}", 18.0, 3.0, DAY_S, phase, 0.05, 0.1),
        Signal(f"PT-{n}", 1.2, 0.2, DAY_S / 2, phase, 0.02, 0.01),
        Signal(f"FT-{n}A", out, net, period_s, phase + 0.25, 0.3, 0.1, lowest=0.0),
        Signal(f"FT-{n}B", out, sigma=0.3, step=0.1, lowest=0.0),
        *states(True, f"XV-{n}A", f"XV-{n}B"),
    )


def pressure_tank(
    n: int,
    safe_m3: float,
    level: float,
    swing: float,
    period_h: float,
    phase: float,
    pressure_mpa: float,
    temperature: float,
) -> Signals:
    """压力储罐, a sphere or bullet: two level gauges; flows and valves A in, B out."""
    period_s = period_h * HOUR_S
    net = _net_flow(safe_m3, swing, period_s)
    out = round(1.2 * net, 1)
    return (
        Signal(f"LT-{n}A", level, swing, period_s, phase, 0.02, 0.01),
        Signal(f"LT-{n}B", level, swing, period_s, phase, 0.02, 0.01),
        Signal(f"PT-{n}", pressure_mpa, 0.05 * pressure_mpa, DAY_S, phase, 0.002, 0.001),
        Signal(f"TT-{n}A", temperature, 2.0, DAY_S, phase, 0.05, 0.1),
        Signal(f"TT-{n}B", temperature + 0.5, 2.0, DAY_S, phase, 0.05, 0.1),
        Signal(f"FT-{n}A", out, net, period_s, phase + 0.25, 0.05, 0.01, lowest=0.0),
        Signal(f"FT-{n}B", out, sigma=0.05, step=0.01, lowest=0.0),
        *states(True, f"XV-{n}A", f"XV-{n}B"),
    )


def gas_holder(n: int) -> Signals:
    """气柜: stroke, pressure, temperature, oxygen inside, seal water, tilt of the piston."""
    return (
        Signal(f"LT-{n}", 60.0, 12.0, 6 * HOUR_S, sigma=0.02, step=0.01),
        Signal(f"PT-{n}", 4.5, 0.2, DAY_S / 2, sigma=0.02, step=0.01),
        Signal(f"TT-{n}", 20.0, 3.0, DAY_S, sigma=0.05, step=0.1),
        Signal(f"OX-{n}", 0.4, 0.1, DAY_S, sigma=0.02, step=0.01, lowest=0.0),
        Signal(f"LT-{n}W", 82.0, 1.5, DAY_S, sigma=0.1, step=0.1),
        Signal(f"ZT-{n}A", 18.0, 4.0, 6 * HOUR_S, sigma=0.5, step=0.1),
        Signal(f"ZT-{n}B", 15.0, 4.0, 6 * HOUR_S, 0.5, 0.5, 0.1),
    )


def reactor(n: int, set_point: float, phase: float) -> Signals:
    """反应器, with its feed F, coolant W, and stirrer."""
    return (
        Signal(f"TT-{n}A", set_point, 0.6, 4 * HOUR_S, phase, 0.02, 0.01),
        Signal(f"TT-{n}B", set_point + 0.3, 0.6, 4 * HOUR_S, phase, 0.02, 0.01),
        Signal(f"PT-{n}", 0.62, 0.02, 4 * HOUR_S, phase, 0.002, 0.001),
        Signal(f"LT-{n}", 62.0, 8.0, 4 * HOUR_S, phase + 0.25, 0.1, 0.1),
        Signal(f"FT-{n}F", 1.6, 0.2, 4 * HOUR_S, phase, 0.01, 0.01, lowest=0.0),
        Signal(f"FT-{n}W", 48.0, 3.0, 4 * HOUR_S, phase, 0.2, 0.1, lowest=0.0),
        Signal(f"TT-{n}W", 31.0, 1.5, 4 * HOUR_S, phase, 0.05, 0.1),
        Signal(f"SI-{n}", 85.0, sigma=0.3, step=0.1),
        Signal(f"II-{n}", 42.0, 2.0, 4 * HOUR_S, phase, 0.3, 0.1),
        *states(True, f"XV-{n}F"),
        *states(False, f"SIS-{n}"),
    )


def converter(n: int) -> Signals:
    """合成塔: bed temperatures, pressure, and the separator's level."""
    beds = (462.0, 470.0, 478.0, 455.0)
    return (
        *(
            Signal(f"TT-{n}{bed}", middle, 3.0, 8 * HOUR_S, 0.1 * k, 0.3, 0.1)
            for k, (bed, middle) in enumerate(zip("ABCD", beds, strict=True))
        ),
        Signal(f"PT-{n}", 14.2, 0.2, 8 * HOUR_S, sigma=0.01, step=0.01),
        Signal(f"LT-{n}", 50.0, 4.0, 2 * HOUR_S, sigma=0.2, step=0.1),
        Signal(f"FT-{n}", 62_000.0, 1_500.0, 8 * HOUR_S, sigma=100.0, step=10.0),
    )


def compressor(n: int, suction_mpa: float, discharge_mpa: float) -> Signals:
    """压缩机: vibration, bearings, pressures of suction S, discharge D and oil O."""
    return (
        *states(True, f"C-{n}.RUN"),
        Signal(f"VT-{n}A", 2.4, 0.2, 3 * HOUR_S, sigma=0.1, step=0.01),
        Signal(f"VT-{n}B", 2.1, 0.2, 3 * HOUR_S, 0.3, 0.1, 0.01),
        Signal(f"TT-{n}A", 58.0, 2.0, DAY_S, sigma=0.1, step=0.1),
        Signal(f"TT-{n}B", 61.0, 2.0, DAY_S, sigma=0.1, step=0.1),
        Signal(f"PT-{n}S", suction_mpa, 0.02 * suction_mpa, 3 * HOUR_S, sigma=1e-4, step=1e-4),
        Signal(f"PT-{n}D", discharge_mpa, 0.02 * discharge_mpa, 3 * HOUR_S, sigma=1e-3, step=1e-3),
        Signal(f"PT-{n}O", 0.28, 0.005, 3 * HOUR_S, sigma=0.001, step=0.001),
    )


def pumps(n: int, pressure_mpa: float, period_h: float, phase: float) -> Signals:
    """Two pumps of which one runs, and the pressure behind them."""
    return (
        *in_turns(f"P-{n}A.RUN", f"P-{n}B.RUN", period_h * HOUR_S, phase),
        Signal(f"PT-{n}", pressure_mpa, 0.01, HOUR_S, phase, 0.003, 0.001),
    )


def rooms(n: int, count: int, temperature: float) -> Signals:
    """Rooms of a store 库房: temperature and relative humidity."""
    return tuple(
        signal
        for k in range(count)
        for signal in (
            Signal(f"TT-{n + k}", temperature, 2.0, DAY_S, 0.05 * k, 0.05, 0.1),
            Signal(f"MT-{n + k}", 45.0, 6.0, DAY_S, 0.05 * k, 0.3, 0.1),
        )
    )


def gas(first: int, count: int, background: float, sigma: float, step: float) -> Signals:
    """Gas detectors 气体检测仪 GD-first and those that follow; none shows less than nothing."""
    return tuple(
        Signal(f"GD-{first + k}", background, sigma=sigma, step=step, lowest=0.0)
        for k in range(count)
    )


def oxygen(first: int, count: int) -> Signals:
    """Oxygen of the air."""
    return tuple(Signal(f"OX-{first + k}", 20.9, sigma=0.02, step=0.1) for k in range(count))


def fire(first: int, count: int) -> Signals:
    """Flame detectors that see none."""
    return states(False, *(f"FD-{first + k}" for k in range(count)))


def utilities(n: int) -> Signals:
    """公用工程 and 消防物联: instrument air, nitrogen, cooling water, fire water and its tank."""
    return (
        Signal(f"PT-{n}", 0.68, 0.02, 6 * HOUR_S, sigma=0.003, step=0.001),
        Signal(f"PT-{n + 1}", 0.72, 0.02, 6 * HOUR_S, 0.2, 0.003, 0.001),
        Signal(f"PT-{n + 2}", 0.42, 0.01, 3 * HOUR_S, sigma=0.003, step=0.001),
        Signal(f"PT-{n + 3}", 0.85, 0.01, 3 * HOUR_S, sigma=0.003, step=0.001),
        Signal(f"LT-{n + 3}", 91.0, 1.0, DAY_S, sigma=0.05, step=0.1),
    )


def _net_flow(safe_m3: float, swing: float, period_s: float) -> float:
    """The amplitude in m³/h of the flow that makes a level swing by `swing` % of `safe_m3`."""
    return swing / 100 * safe_m3 * 2 * pi / period_s * HOUR_S
