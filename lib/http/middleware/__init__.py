"""The middleware of every service. `shell.Shell.serve` runs its parts in this order.

1. `exchange`: the request as the parts see it, with its ID, so that everything below can name it.
2. `trace`: takes up the caller's trace context.
3. recovery (`lib.http.errors`): nothing that is raised gets past it.
4. `metrics` and `access_log`: see every outcome, exceptions and disconnects included.
5. `cors`: answers preflights; every answer gets its headers, errors too.
6. `deadline`: bounds what follows, further where the caller waits less long.
7. `admission`, in services with callers of their own: the client's limit before anything costs,
   who it is (`auth`), the user's limit.
8. `idempotency`, where a service asks for it.

Requests without the headers that `cors` and `idempotency` read skip these two parts. A part does
not know its position in the order; only the shell defines the order (docs/adr/0012).
"""
