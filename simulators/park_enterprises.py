"""The four enterprises of deploy/sites/demo.yaml: which gateway sends which instruments.

A park east of Zhangye: methanol and aromatics (demo), fertiliser (longhe), chlorine and PVC
(qilian), fine chemicals (tianshi). The gas detectors of the chlorine store have a gateway of their
own, as gas detection is independent of the process control system (GB/T 50493).
"""

from collections.abc import Mapping

from simulators import park_equipment as plant
from simulators.message import Address
from simulators.park_signals import DAY_S, HOUR_S, Panel, Signal, states

PARK = "demo"
METHANOL = Address(PARK, "demo", "g1")
FERTILISER = Address(PARK, "longhe", "g1")
CHLORINE = Address(PARK, "qilian", "g1")
CHLORINE_GAS = Address(PARK, "qilian", "gds")
FINE_CHEMICALS = Address(PARK, "tianshi", "g1")

DAY_TANK_LEVEL = 81.0
"""% of V-101, which is fed as fast as it is emptied."""
DAY_TANK_FLOW = 10.0
"""m³/h"""


def _day_tank() -> tuple[Signal, ...]:
    """甲醇日用罐 V-101, 2 m high, 1 m² across."""
    return (
        Signal("LT-101", DAY_TANK_LEVEL, sigma=0.05, step=0.05),
        Signal("TT-101", 18.0, 3.0, DAY_S, sigma=0.05, step=0.1),
        Signal("PT-101", 1.2, 0.2, DAY_S / 2, sigma=0.02, step=0.01),
        Signal("FT-101", DAY_TANK_FLOW, sigma=0.1, step=0.01, lowest=0.0),
        Signal("FT-102", DAY_TANK_FLOW, sigma=0.1, step=0.01, lowest=0.0),
        *states(False, "XV-101"),
        *states(True, "P-101.RUN"),
    )


def _methanol_and_aromatics() -> tuple[Signal, ...]:
    return (
        *_day_tank(),
        *plant.atmospheric_tank(111, 1800, 52, 14, 8, 0.0),
        *plant.atmospheric_tank(112, 1800, 48, 16, 8, 0.3),
        *plant.atmospheric_tank(113, 1800, 55, 12, 12, 0.55),
        *plant.atmospheric_tank(114, 1800, 45, 18, 12, 0.8),
        *plant.pumps(121, 0.65, 8, 0.1),
        *plant.pumps(122, 0.58, 8, 0.4),
        *plant.gas(11, 4, 0.0, 0.15, 0.1),
        *plant.gas(15, 4, 0.0, 0.15, 0.1),
        *plant.fire(101, 3),
        *states(False, "ESD-101"),
        *plant.utilities(301),
        # 苯、甲苯罐区
        *plant.atmospheric_tank(131, 450, 50, 15, 8, 0.15),
        *plant.atmospheric_tank(132, 450, 46, 17, 8, 0.65),
        *plant.atmospheric_tank(133, 900, 54, 13, 12, 0.25),
        *plant.atmospheric_tank(134, 900, 49, 15, 12, 0.75),
        *plant.pumps(141, 0.55, 6, 0.2),
        *plant.gas(31, 4, 0.1, 0.05, 0.01),
        *plant.gas(35, 4, 0.0, 0.15, 0.1),
        *plant.fire(201, 2),
        *states(False, "ESD-201"),
        # 二甲醚球罐区
        *plant.pressure_tank(151, 850, 48, 14, 12, 0.1, 0.42, 18),
        *plant.pressure_tank(152, 850, 44, 16, 12, 0.6, 0.42, 18),
        *plant.pumps(161, 1.35, 6, 0.5),
        *plant.gas(51, 3, 0.0, 0.15, 0.1),
        *plant.gas(54, 3, 0.0, 0.15, 0.1),
        *plant.fire(301, 2),
        *states(False, "ESD-301", "ESD-302"),
    )


def _fertiliser() -> tuple[Signal, ...]:
    return (
        # 液氨球罐区
        *plant.pressure_tank(211, 340, 55, 10, 12, 0.0, 0.85, 20),
        *plant.pressure_tank(212, 340, 47, 12, 12, 0.45, 0.85, 20),
        *plant.pumps(221, 1.8, 6, 0.3),
        *plant.gas(211, 3, 1.0, 0.5, 1.0),
        *plant.gas(214, 3, 1.0, 0.5, 1.0),
        *plant.fire(211, 2),
        *states(False, "ESD-211", "ESD-212"),
        # 合成氨装置
        *plant.converter(231),
        *plant.compressor(232, 2.6, 14.6),
        *plant.compressor(233, 0.22, 1.62),
        *plant.gas(231, 3, 1.0, 0.5, 1.0),
        *plant.gas(234, 4, 0.0, 0.15, 0.1),
        *plant.fire(231, 2),
        *states(False, "SIS-231", "SIS-232"),
        *plant.utilities(311),
        # LNG 储罐
        *plant.pressure_tank(251, 135, 58, 12, 24, 0.2, 0.38, -152),
        *plant.pressure_tank(252, 135, 42, 14, 24, 0.7, 0.38, -152),
        *plant.gas(251, 4, 0.0, 0.15, 0.1),
        *plant.oxygen(251, 2),
        *plant.fire(251, 2),
        *states(False, "ESD-251"),
        # 硝酸铵仓库
        *plant.rooms(271, 4, 18),
        *plant.fire(271, 4),
    )


def _chlorine_store() -> tuple[Signal, ...]:
    """液氯库: cylinders on scales W, header, water of the vaporiser, room, caustic scrubber."""
    return (
        Signal("WT-401A", 610.0, 180.0, 24 * HOUR_S, sigma=0.2, step=0.5),
        Signal("WT-401B", 590.0, 170.0, 24 * HOUR_S, 0.5, 0.2, 0.5),
        Signal("PT-401", 0.62, 0.02, 6 * HOUR_S, sigma=0.002, step=0.001),
        Signal("TT-401", 38.0, 1.5, 3 * HOUR_S, sigma=0.05, step=0.1),
        Signal("TT-402", 16.0, 3.0, DAY_S, sigma=0.05, step=0.1),
        Signal("PT-402", -25.0, 3.0, 2 * HOUR_S, sigma=0.5, step=0.5),
        Signal("LT-403", 78.0, 1.5, DAY_S, sigma=0.1, step=0.1),
        *states(True, "P-403A.RUN"),
        *states(False, "P-403B.RUN", "ESD-401"),
    )


def _chlorine_and_pvc() -> tuple[Signal, ...]:
    return (
        *_chlorine_store(),
        # 氯乙烯球罐区
        *plant.pressure_tank(411, 552.5, 50, 14, 12, 0.0, 0.34, 18),
        *plant.pressure_tank(412, 552.5, 45, 12, 12, 0.5, 0.34, 18),
        *plant.pumps(421, 0.95, 6, 0.2),
        *plant.gas(411, 4, 0.1, 0.1, 0.1),
        *plant.gas(415, 4, 0.0, 0.15, 0.1),
        *plant.fire(411, 2),
        *states(False, "ESD-411", "ESD-412"),
        # 氯乙烯气柜
        *plant.gas_holder(431),
        *plant.compressor(432, 0.104, 0.52),
        *plant.gas(431, 3, 0.1, 0.1, 0.1),
        *states(False, "ESD-431"),
        # 聚合装置
        *plant.reactor(451, 57.0, 0.0),
        *plant.reactor(452, 57.0, 0.5),
        *plant.gas(451, 4, 0.0, 0.15, 0.1),
        *plant.fire(451, 2),
        *plant.utilities(321),
    )


def _fine_chemicals() -> tuple[Signal, ...]:
    return (
        # 环氧乙烷罐区
        *plant.pressure_tank(511, 85, 50, 12, 12, 0.1, 0.36, 2),
        *plant.pressure_tank(512, 85, 46, 14, 12, 0.6, 0.36, 2),
        *plant.pumps(521, 0.9, 6, 0.4),
        *plant.gas(511, 4, 0.0, 0.15, 0.1),
        *plant.fire(511, 2),
        *states(False, "ESD-511", "ESD-512"),
        # 乙氧基化装置
        *plant.reactor(531, 140.0, 0.2),
        *plant.reactor(532, 140.0, 0.7),
        *plant.gas(531, 4, 0.0, 0.15, 0.1),
        *plant.fire(531, 2),
        *plant.utilities(331),
        # 溶剂罐区
        *plant.atmospheric_tank(551, 450, 50, 14, 8, 0.05),
        *plant.atmospheric_tank(552, 450, 55, 12, 8, 0.35),
        *plant.atmospheric_tank(553, 450, 45, 16, 12, 0.6),
        *plant.atmospheric_tank(554, 450, 48, 15, 12, 0.9),
        *plant.pumps(561, 0.5, 6, 0.6),
        *plant.gas(551, 4, 0.0, 0.15, 0.1),
        *plant.fire(551, 2),
        *states(False, "ESD-551"),
        # 有机过氧化物仓库
        *plant.rooms(571, 4, 12),
        *plant.fire(571, 4),
        # 丙烯腈中间罐
        *plant.atmospheric_tank(581, 36, 50, 12, 8, 0.5),
        *plant.gas(581, 2, 0.05, 0.05, 0.01),
    )


PANELS: Mapping[Address, Panel] = {
    METHANOL: Panel.of(_methanol_and_aromatics()),
    FERTILISER: Panel.of(_fertiliser()),
    CHLORINE: Panel.of(_chlorine_and_pvc()),
    CHLORINE_GAS: Panel.of(plant.gas(401, 6, 0.02, 0.02, 0.01)),
    FINE_CHEMICALS: Panel.of(_fine_chemicals()),
}
