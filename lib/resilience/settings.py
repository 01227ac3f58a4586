"""Settings of the circuit breaker."""

from __future__ import annotations

from pydantic import Field

from lib.config import Seconds, Settings
from lib.resilience.breaker import BreakerPolicy


class BreakerSettings(Settings):
    """Settings of the circuit breakers, for services that call other services."""

    # The circuit opens only after at least this number of calls within `CIRCUIT_BREAKER_INTERVAL`.
    circuit_min_requests: int = Field(
        default=3, ge=1, validation_alias="CIRCUIT_BREAKER_MIN_REQUESTS"
    )
    # The fraction of failed calls that opens the circuit.
    circuit_failure_ratio: float = Field(
        default=0.5, gt=0, le=1, validation_alias="CIRCUIT_BREAKER_FAILURE_RATIO"
    )
    # The period, in seconds, in which calls and failures are counted.
    circuit_interval: Seconds = Field(default=60.0, validation_alias="CIRCUIT_BREAKER_INTERVAL")
    # The maximum number of seconds that the circuit stays open: one second at first, then twice as
    # long each time.
    circuit_timeout: Seconds = Field(default=30.0, validation_alias="CIRCUIT_BREAKER_TIMEOUT")
    # Maximum number of concurrent test calls while the circuit is half-open.
    circuit_max_requests: int = Field(
        default=3, ge=1, validation_alias="CIRCUIT_BREAKER_MAX_REQUESTS"
    )

    def breaker_policy(self) -> BreakerPolicy:
        """Return the policy for every upstream of the service."""
        return BreakerPolicy(
            min_requests=self.circuit_min_requests,
            failure_ratio=self.circuit_failure_ratio,
            window_seconds=self.circuit_interval,
            open_seconds=self.circuit_timeout,
            probes=self.circuit_max_requests,
        )
