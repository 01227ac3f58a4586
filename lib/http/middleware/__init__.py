"""The middleware of every service, in the order in which `stack.MiddlewareStack` runs it.

1. `exchange` has the data of the request that all other middleware uses, such as the request ID.
2. `trace` continues the trace of the caller.
3. Recovery (`lib.http.errors`) converts every exception to a response.
4. `metrics` and `access_log` record every outcome, including exceptions and disconnects.
5. `cors` responds to preflight requests, and adds its headers to every response.
6. `deadline` limits the time of what follows, to less if the caller waits for a shorter time.
7. `admission` checks the client's limit, the token (`auth`) and the user's limit, in services that
   authenticate their callers.
8. `idempotency` runs in services that support `Idempotency-Key`.

Requests without the headers that `cors` and `idempotency` read skip these two. A module does not
know its position in the order; only the stack defines the order (docs/adr/0012).
"""
