"""The coordinator's composition root: one context, all rooms, one application."""

from __future__ import annotations

import asyncio
import secrets
import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from functools import partial
from importlib import metadata
from typing import Any

import structlog
from fastapi import APIRouter, FastAPI, Response

from contracts.deployment import Deployment
from contracts.recursion import keep_recursion_limit
from coordinator.access.routes import create_router
from coordinator.body_limit import BodyLimit
from coordinator.compute.supervisor import ComputeChild
from coordinator.context import Context, InContext
from coordinator.jobs.routes import router as jobs_router
from coordinator.keystore import load_signer
from coordinator.models.routes import router as models_router
from coordinator.nodes.routes import router as nodes_router
from coordinator.nodes.service import find_roles
from coordinator.nodes.telemetry import TelemetryDesk
from coordinator.problems import install_handlers
from coordinator.rounds.desk import RoundDesk
from coordinator.rounds.hatch import Hatch
from coordinator.rounds.node_routes import router as work_router
from coordinator.rounds.routes import router as rounds_router
from coordinator.running.echo import echo_commits
from coordinator.running.edge_duties import keep
from coordinator.running.heartbeat import beat, keep_beating, make_up_outage
from coordinator.running.worker import Worker
from coordinator.schema import create_tables, verify_schema
from coordinator.settings import CoordinatorSettings, SettingsRefused, verify_safe
from coordinator.settlement.routes import router as claims_router
from coordinator.storage.bell import Bell
from coordinator.storage.blobs import BlobStore
from coordinator.storage.database import Database
from ledger import wire
from ledger.signatures import Signer
from ledger.spec import PROTOCOL

_log = structlog.get_logger()

_service = APIRouter(tags=["service"])


def build_context(
    settings: CoordinatorSettings,
    *,
    signer: Signer | None = None,
    clock: Callable[[], float] = time.time,
    randomness: Callable[[int], bytes] = secrets.token_bytes,
    compute: ComputeChild | None = None,
) -> Context:
    """Make the shared parts; the key comes from the keystore unless a signer is given.

    Raises:
        SettingsRefused: unsafe outside `dev`, or no deployment file.
        KeystoreRefused: the key cannot be unlocked.
        MalformedDeployment: the deployment file is no such file.
    """
    verify_safe(settings)
    if settings.deployment is None:
        raise SettingsRefused(["TALLY_COORDINATOR_DEPLOYMENT: expected the file that `tally-chain deploy` wrote"])
    bell = Bell()
    settings.data_dir.mkdir(parents=True, exist_ok=True)
    return Context(
        settings=settings,
        deployment=Deployment.load(settings.deployment),
        signer=signer or load_signer(settings),
        clock=clock,
        randomness=randomness,
        database=Database(settings.database, bell),
        bell=bell,
        blobs=BlobStore(settings.blobs_dir),
        compute=compute or ComputeChild(settings.compute_threads),
    )


def create_app(context: Context, worker: Worker | None = None) -> FastAPI:
    """The application over a context; it runs the worker too, where one is given."""
    keep_recursion_limit()
    app = describe_app(lifespan=_live)
    app.state.context = context
    app.state.worker = worker
    app.add_middleware(BodyLimit)
    app.add_middleware(Hatch, state=app.state)
    install_handlers(app)
    return app


def describe_app(**options: Any) -> FastAPI:
    """The routes and their description, with nothing behind them."""
    app = FastAPI(
        title="Tallystick coordinator",
        summary="Runs federated learning rounds whose every payment can be checked.",
        version=metadata.version("tallystick"),
        separate_input_output_schemas=False,
        # What nobody collects is looked up at every request all the same.
        telemetry={"tracing": False, "metrics": False, "logs": False},
        **options,
    )
    rooms = (jobs_router, nodes_router, work_router, rounds_router, claims_router, models_router)
    for router in (_service, create_router(find_roles), *rooms):
        app.include_router(router)
    return app


@asynccontextmanager
async def _live(app: FastAPI) -> AsyncIterator[None]:
    """Begin: tables, then the time of our own outage given back, then everything that runs by itself."""
    context: Context = app.state.context
    worker: Worker | None = app.state.worker
    create_tables(context.database)
    await context.database.run_write(make_up_outage, context)
    app.state.desk = RoundDesk(context)
    app.state.telemetry = TelemetryDesk(context)
    running = [
        asyncio.create_task(context.compute.warm_up()),
        asyncio.create_task(keep("heartbeat", partial(keep_beating, context))),
        asyncio.create_task(keep("echo", partial(echo_commits, context, _is_apart(worker)))),
    ]
    if worker is not None:
        running.append(asyncio.create_task(worker.run()))
    _log.info("coordinator_started", url=context.settings.url, worker=worker is not None)
    try:
        yield
    finally:
        for task in running:
            task.cancel()
        await asyncio.gather(*running, return_exceptions=True)
        await context.database.run_write(beat, context)
        context.compute.close()
        context.database.close()
        _log.info("coordinator_stopped")


def _is_apart(worker: Worker | None) -> Callable[[], bool]:
    """Whether what changes is written by another process."""
    return lambda: worker is None or not worker.holds_lease


@_service.get("/v1/info", summary="What to pin at first contact")
async def show_info(context: InContext) -> wire.Info:
    """Chain, contracts, token and coordinator; a client pins them and refuses a change."""
    settings, deployment = context.settings, context.deployment
    return wire.Info(
        name=settings.name,
        version=metadata.version("tallystick"),
        protocol=PROTOCOL,
        chain_id=deployment.chain_id,
        job_ledger=deployment.job_ledger,
        node_registry=deployment.node_registry,
        token=deployment.tally_token,
        coordinator=context.signer.address,
        rpc_url=settings.public_rpc_url or settings.rpc_url,
        start_block=deployment.block,
    )


@_service.get("/healthz", summary="Is the process alive")
async def tell_health() -> dict[str, str]:
    """Always ok while the process answers."""
    return {"status": "ok"}


@_service.get("/readyz", summary="Can it serve", responses={503: {"description": "not yet, or not any more"}})
async def tell_readiness(context: InContext, response: Response) -> dict[str, str]:
    """Whether the database answers and the schema is ours."""
    try:
        await context.database.run_read(verify_schema)
    except OSError as error:
        response.status_code = 503
        return {"status": "not ready", "detail": str(error)}
    return {"status": "ok"}
