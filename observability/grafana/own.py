"""Panels for metrics that only one service has."""

from __future__ import annotations

from observability.grafana.panels import Panel, Row
from observability.grafana.shared import RATE


def own(name: str) -> list[Row]:
    """Return the rows of panels that only the service of this name has."""
    found = {
        "user": _mail,
        "order": _backlog,
        "chat": _chat,  # with chat
    }.get(name)
    return [] if found is None else [found(f'{{job="{name}"}}')]


def _rate(metric: str, mine: str, by: str = "") -> str:
    return f"sum{f' by ({by}) ' if by else ''}(rate({metric}{mine}[{RATE}]))"


def _mail(mine: str) -> Row:
    attempts = _rate("mail_attempts_total", mine, "template, outcome")
    panels = [
        Panel(
            "Mails: waiting",
            "Emails stored but not yet accepted by the mail server.",
            {"waiting": f"mail_waiting{mine}"},
        ),
        Panel(
            "Mails: oldest",
            "Age of the oldest unsent email. Registration and password reset depend on emails.",
            {"age": f"mail_oldest_seconds{mine}"},
            "s",
            bad=300,
        ),
        Panel(
            "Mails: attempts",
            "Attempts per second to send an email, by template and outcome.",
            {"{{template}} {{outcome}}": attempts},
            "ops",
        ),
    ]
    return Row("Mail", panels)


def _backlog(mine: str) -> Row:
    panels = [
        Panel(
            "Left to do",
            "Unfinished goods orders, and service orders that are still open after their time "
            "window.",
            {
                "goods": f"max(orders_waiting{mine})",
                "services": f"max(service_orders_overdue{mine})",
            },
        ),
        Panel(
            "Oldest unfinished order",
            "Age of the oldest unfinished order, in seconds.",
            {
                "goods": f"max(orders_oldest_seconds{mine})",
                "services": f"max(service_orders_overdue_oldest_seconds{mine})",
            },
            "s",
            bad=600,
        ),
        Panel(
            "Service orders expired",
            "Service orders per second that ended without an accepted offer.",
            {"expired": _rate("service_orders_expired_total", mine)},
            "ops",
        ),
        Panel(
            "Suspected self-dealing",
            "Pairs of accounts that deal mostly with each other, by kind. The service logs the "
            "pairs.",
            {"{{kind}}": f"max by (kind) (jobs_self_dealing_suspects{mine})"},
        ),
    ]
    return Row("Backlog", panels)


def _chat(mine: str) -> Row:  # with chat
    panels = [
        Panel(
            "Sockets", "Open WebSockets by instance.", {"{{instance}}": f"chat_connections{mine}"}
        ),
        Panel(
            "Users and channels",
            "Users with at least one socket, and their channels.",
            {"users": f"sum(chat_users{mine})", "channels": f"sum(chat_channels{mine})"},
        ),
        Panel(
            "Messages",
            "Messages stored, and copies delivered to sockets, per second.",
            {
                "stored": _rate("chat_messages_stored_total", mine),
                "delivered": _rate("chat_messages_delivered_total", mine),
            },
            "ops",
        ),
        Panel(
            "Connected to the other replicas",
            "1 if an instance receives the announcements of the other instances. If the value is "
            "0, messages arrive up to two seconds late.",
            {"{{instance}}": f"chat_fanout_up{mine}"},
        ),
        Panel(
            "Lost announcements",
            "Database reads per second that replace a lost announcement of another replica.",
            {"fills": _rate("chat_gap_fills_total", mine)},
            "ops",
        ),
        Panel(
            "Sockets closed",
            "Sockets closed per second, by the close code.",
            {"{{code}}": _rate("chat_closed_total", mine, "code")},
            "ops",
        ),
    ]
    return Row("Chat", panels)
