"""A body of nothing but brackets: refused, and the process lives. In a child process, since a failure kills it."""

import subprocess
import sys

PROGRAM = """
import asyncio
import httpx
import eth_account
from coordinator.app import describe_app
from coordinator.problems import install_handlers
from contracts.recursion import keep_recursion_limit

keep_recursion_limit()
app = describe_app()
install_handlers(app)

async def main():
    transport = httpx.ASGITransport(app, raise_app_exceptions=False)
    async with httpx.AsyncClient(transport=transport, base_url="http://coordinator") as client:
        headers = {"content-type": "application/json"}
        reply = await client.post("/v1/auth/nonce", content=b"[" * 400_000, headers=headers)
        print(reply.status_code)

asyncio.run(main())
"""


def test_deep_nesting_is_refused_and_kills_nothing() -> None:
    done = subprocess.run([sys.executable, "-c", PROGRAM], capture_output=True, text=True, timeout=120, check=False)
    assert done.returncode == 0, done.stderr[-2000:]
    assert 400 <= int(done.stdout.strip()) < 500
