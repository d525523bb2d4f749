"""How a server of the Model Context Protocol is reached: over the pipes of a client that started it, or on loopback."""

from __future__ import annotations

import errno
import socket
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from esc_skills.errors import InputError
from esc_skills.integrations.mcp_server import library

if TYPE_CHECKING:
    from mcp.server.mcpserver import MCPServer

#: Where the server listens: it asks nobody who they are, so only this machine reaches it.
HOST, PATH = "127.0.0.1", "/mcp"
#: Seconds that open answers are given once the server is told to end.
_GRACE = 1


def serve_stdio(server: MCPServer[Any]) -> None:
    """Serve the client that started this process, until it goes away. Standard output is the protocol's alone."""
    with _quiet_about_clients_that_leave():
        server.run("stdio")


@contextmanager
def _quiet_about_clients_that_leave() -> Iterator[None]:
    """Let a client end the server by going away, at any moment: what is still to be sent to it is lost, and no fault."""
    anyio = library("anyio")
    gone = (BrokenPipeError, ConnectionResetError, anyio.BrokenResourceError, anyio.ClosedResourceError)
    try:
        yield
    except BaseExceptionGroup as group:
        if (rest := group.split(gone)[1]) is not None:
            raise rest from None
    except gone:
        pass


def listen(port: int) -> socket.socket:
    """Return a socket that listens on loopback.

    Args:
        port: The port; 0 for one that is free.

    Raises:
        InputError: The port is in use, or may not be used.
    """
    try:
        return socket.create_server((HOST, port))
    except OSError as error:
        what = "is in use" if error.errno == errno.EADDRINUSE else f"cannot be used: {error.strerror or error}"
        raise InputError(f"port {port} {what}", "give another one, or 0 for one that is free") from error


def address_of(listening: socket.socket) -> str:
    """Return the URL under which clients reach a server on a socket of `listen`."""
    return f"http://{HOST}:{listening.getsockname()[1]}{PATH}"


def serve_http(server: MCPServer[Any], listening: socket.socket) -> None:
    """Serve clients on a socket until a signal ends it, which is raised again then."""
    uvicorn = library("uvicorn")
    port = listening.getsockname()[1]
    names = [f"{name}:{port}" for name in (HOST, "localhost")]
    # A web page whose name was made to lead here would otherwise read along, with the rights of whoever opened it.
    security = library("mcp.server.transport_security").TransportSecuritySettings(
        enable_dns_rebinding_protection=True, allowed_hosts=names, allowed_origins=[f"http://{each}" for each in names]
    )
    app = server.streamable_http_app(
        streamable_http_path=PATH, host=HOST, stateless_http=True, json_response=True, transport_security=security
    )
    config = uvicorn.Config(app, log_config=None, access_log=False, timeout_graceful_shutdown=_GRACE)
    uvicorn.Server(config).run(sockets=[listening])
