"""The platform's HTTP API: titles for everyone; histories, and vouchers for them, for whom a token names."""

from typing import Annotated

from fastapi import Depends, FastAPI, Header, Query, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse

from client.demo.platform.catalogue import Catalogue
from client.demo.platform.register import NothingToVouch
from client.demo.platform.tokens import TokenRefused, read_token
from client.demo.platform.vouchers import VoucherDesk, VoucherWish

LARGEST_PAGE = 5_000


def create_app(catalogue: Catalogue, secret: bytes, desk: VoucherDesk) -> FastAPI:
    """The app over one catalogue; `secret` signs the tokens, `desk` the vouchers for what was served."""
    app = FastAPI(title="Video platform", version="1", docs_url=None, redoc_url=None)

    def name_viewers(authorization: Annotated[str, Header()] = "") -> tuple[str, ...]:
        scheme, _, token = authorization.partition(" ")
        if scheme.lower() != "bearer":
            raise TokenRefused("no bearer token was sent")
        return read_token(secret, token.strip())

    @app.exception_handler(TokenRefused)
    async def refuse(_: Request, error: TokenRefused) -> JSONResponse:
        return JSONResponse({"error": "TokenRefused", "detail": str(error)}, status_code=401)

    @app.exception_handler(NothingToVouch)
    async def refuse_voucher(_: Request, error: NothingToVouch) -> JSONResponse:
        return JSONResponse({"error": "NothingToVouch", "detail": str(error)}, status_code=409)

    @app.exception_handler(RequestValidationError)
    async def refuse_malformed(_: Request, error: RequestValidationError) -> JSONResponse:
        first = error.errors()[0]
        place = ".".join(map(str, first["loc"]))
        return JSONResponse({"error": "MalformedRequest", "detail": f"{place}: {first['msg']}"}, status_code=422)

    @app.get("/v1/items")
    async def read_items() -> dict[str, object]:
        return {"items": [{"item": item, "title": title} for item, title in enumerate(catalogue.titles)]}

    @app.get("/v1/histories")
    async def read_histories(
        viewers: Annotated[tuple[str, ...], Depends(name_viewers)],
        cursor: Annotated[int, Query(ge=0)] = 0,
        limit: Annotated[int, Query(ge=1, le=LARGEST_PAGE)] = 1_000,
    ) -> dict[str, object]:
        page = catalogue.page(viewers, cursor, limit)
        desk.note_served(viewers, cursor, page.cursor)
        events = [
            {"seq": event.seq, "viewer": event.viewer, "item": event.item, "watchedAt": event.watched_at}
            for event in page.events
        ]
        return {"viewers": list(viewers), "events": events, "cursor": page.cursor, "more": page.more}

    @app.post("/v1/vouchers")
    async def issue_voucher(
        wish: VoucherWish, viewers: Annotated[tuple[str, ...], Depends(name_viewers)]
    ) -> dict[str, object]:
        return desk.vouch(wish, viewers)

    return app
