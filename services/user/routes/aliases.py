"""Routes for legacy clients, which run the same handlers under other paths."""

from __future__ import annotations

from typing import Final

from aiohttp import web

from services.user.routes import passwords, people, pictures

ROUTES: Final = (
    # As partial as PATCH, which is how it always was.
    web.put("/api/v1/users/{id}", people.change_user),
    web.get("/api/v1/user/{id}", people.get_user),
    web.patch("/api/v1/user/{id}", people.change_user),
    web.delete("/api/v1/user/{id}", people.delete_user),
    web.patch("/api/v1/user/{id}/pfp", pictures.put_picture),
    web.patch("/api/v1/user/me/change-password", passwords.change_password),
)
