"""Three web applications, each with a handler that calls a query once and one that loops."""

import contextlib
import os

import asyncpg
import flask
import psycopg
from aiohttp import web
from fastapi import FastAPI, Request
from store import queries
from store.on_psycopg_sync import queries as blocking
from store.on_psycopg_sync.adapter import PsycopgExecutor

URL = os.environ["LOOPS_URL"]
DB = web.AppKey("db", asyncpg.Pool)


async def name(db, key):
    return (await queries.get_user(db, id=key)).name


async def one(request):
    return web.json_response(await name(request.app[DB], 1))


async def five(request):
    return web.json_response([await name(request.app[DB], key) for key in range(1, 6)])


async def opened(app):
    async with asyncpg.create_pool(URL, min_size=1, max_size=2) as app[DB]:
        yield


def on_aiohttp():
    app = web.Application()
    app.cleanup_ctx.append(opened)
    app.add_routes([web.get("/one", one), web.get("/five", five)])
    return app


@contextlib.asynccontextmanager
async def lifespan(app):
    async with asyncpg.create_pool(URL, min_size=1, max_size=2) as app.state.db:
        yield


on_fastapi = FastAPI(lifespan=lifespan)


@on_fastapi.get("/one")
async def fast_one(request: Request):
    return await name(request.app.state.db, 1)


@on_fastapi.get("/five")
async def fast_five(request: Request):
    return [await name(request.app.state.db, key) for key in range(1, 6)]


on_flask = flask.Flask(__name__)


@on_flask.get("/one")
def flask_one():
    with psycopg.connect(URL) as connection:
        return blocking.get_user(PsycopgExecutor(connection), id=1).name


@on_flask.get("/five")
def flask_five():
    with psycopg.connect(URL) as connection:
        db = PsycopgExecutor(connection)
        return [blocking.get_user(db, id=key).name for key in range(1, 6)]


def nine_requests(client, path):
    return [client.get(path).status_code for _ in range(9)]
