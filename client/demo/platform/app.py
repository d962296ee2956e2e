"""The platform's HTTP API: titles for everyone, histories for the node whose token names their viewers."""

from typing import Annotated

from fastapi import Depends, FastAPI, Header, Query, Request
from fastapi.responses import JSONResponse

from client.demo.platform.catalogue import Catalogue
from client.demo.platform.tokens import TokenRefused, read_token

LARGEST_PAGE = 5_000


def create_app(catalogue: Catalogue, secret: bytes) -> FastAPI:
    """The app over one catalogue; `secret` signs the tokens."""
    app = FastAPI(title="Video platform", version="1", docs_url=None, redoc_url=None)

    def name_viewers(authorization: Annotated[str, Header()] = "") -> tuple[str, ...]:
        scheme, _, token = authorization.partition(" ")
        if scheme.lower() != "bearer":
            raise TokenRefused("no bearer token was sent")
        return read_token(secret, token.strip())

    @app.exception_handler(TokenRefused)
    async def refuse(_: Request, error: TokenRefused) -> JSONResponse:
        return JSONResponse({"error": "TokenRefused", "detail": str(error)}, status_code=401)

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
        events = [
            {"seq": event.seq, "viewer": event.viewer, "item": event.item, "watchedAt": event.watched_at}
            for event in page.events
        ]
        return {"viewers": list(viewers), "events": events, "cursor": page.cursor, "more": page.more}

    return app
