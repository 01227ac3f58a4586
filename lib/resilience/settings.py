"""Settings of the circuit breaker."""

from __future__ import annotations

from pydantic import Field

from lib.config import Seconds, Settings
from lib.resilience.breaker import BreakerPolicy


class BreakerSettings(Settings):
    """Settings of the circuit breakers, for services that call other services."""

    # Fewer calls than this open no breaker.
    circuit_min_requests: int = Field(
        default=3, ge=1, validation_alias="CIRCUIT_BREAKER_MIN_REQUESTS"
    )
    # The share of failed calls that opens it.
    circuit_failure_ratio: float = Field(
        default=0.5, gt=0, le=1, validation_alias="CIRCUIT_BREAKER_FAILURE_RATIO"
    )
    # The seconds that are looked at.
    circuit_interval: Seconds = Field(default=60.0, validation_alias="CIRCUIT_BREAKER_INTERVAL")
    # How long it stays open at most, in seconds: one at first, then twice as long each time.
    circuit_timeout: Seconds = Field(default=30.0, validation_alias="CIRCUIT_BREAKER_TIMEOUT")
    # Calls let through at a time to try again.
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
