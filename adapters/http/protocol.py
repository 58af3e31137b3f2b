"""How connections are read: what is no HTTP at all is answered as a problem, too."""

from collections.abc import Iterable

from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

from adapters.http.problems import MEDIA_TYPE, Problem, answer

_HEAD = "HTTP/1.1 400 Bad Request\r\nContent-Type: {}\r\nContent-Length: {}\r\nConnection: close\r\n\r\n"


class Protocol(HttpToolsProtocol):
    """uvicorn's own, but that says it in plain text, and takes a body behind Upgrade for the next request."""

    _deaf = False

    def data_received(self, data: bytes) -> None:
        """Read what came, unless it is the body of a request that would go on in another protocol."""
        if not self._deaf:
            super().data_received(data)

    def on_headers_complete(self) -> None:
        """Answer such a request, then hang up: where its body ends is not known."""
        super().on_headers_complete()
        if self.cycle is not None and self.parser.should_upgrade() and _has_body(self.headers):
            self._deaf = True
            self.cycle.keep_alive = False

    def send_400_response(self, msg: str) -> None:
        """Answer what can't be read, and hang up."""
        body = answer(Problem("malformed", "This is no HTTP request that can be read.").error).body
        self.transport.write(_HEAD.format(MEDIA_TYPE, len(body)).encode() + bytes(body))
        self.transport.close()


def _has_body(headers: Iterable[tuple[bytes, bytes]]) -> bool:
    return any(
        name == b"transfer-encoding" or (name == b"content-length" and value.strip(b"0"))
        for name, value in headers
    )
