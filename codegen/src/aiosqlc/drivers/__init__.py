"""The drivers of generated code. The rest of the compiler does not depend on the driver."""

from aiosqlc.drivers.known import DRIVERS, NAMES, default_driver, driver_of
from aiosqlc.drivers.port import Driver, Violations

__all__ = ["DRIVERS", "NAMES", "Driver", "Violations", "default_driver", "driver_of"]
