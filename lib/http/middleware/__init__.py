"""The middleware of every service. `shell.Shell.serve` runs its parts in this order.

1. `request_id`: so that everything below can name the request.
2. `trace`: takes up the caller's trace context.
3. recovery (`lib.http.errors`): nothing that is raised gets past it.
4. `metrics` and `access_log`: see every outcome, exceptions and disconnects included.
5. `cors`: answers preflights; every answer gets its headers, errors too.
6. `deadline`: bounds what follows.
7. `caller_deadline`: bounds it further, where the caller waits less long.
8. `admission`, in services with callers of their own: the client's limit before anything costs
   (`rate_limit`), who it is (`auth`), the user's limit.
9. `idempotency`, where a service asks for it.

A part does not know its position in the order; only the shell defines the order (docs/adr/0012).
"""
