"""The drivers of generated code. Their differences are only in this package."""

from aiosqlc.drivers.known import DRIVERS, NAMES, default_driver, driver_of
from aiosqlc.drivers.port import Driver, Violations

__all__ = ["DRIVERS", "NAMES", "Driver", "Violations", "default_driver", "driver_of"]
