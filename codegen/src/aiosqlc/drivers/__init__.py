"""The drivers of generated code. Code outside this package is the same for all drivers."""

from aiosqlc.drivers.known import DRIVERS, NAMES, default_driver, driver_of
from aiosqlc.drivers.port import Driver, Violations

__all__ = ["DRIVERS", "NAMES", "Driver", "Violations", "default_driver", "driver_of"]
