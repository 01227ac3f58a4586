"""The drivers that generated code can use. Other packages read a driver's properties here."""

from aiosqlc.drivers.known import DRIVERS, NAMES, default_driver, driver_of
from aiosqlc.drivers.port import Driver, Violations

__all__ = ["DRIVERS", "NAMES", "Driver", "Violations", "default_driver", "driver_of"]
