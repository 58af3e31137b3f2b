"""How connections are read: what is no HTTP at all is answered as a problem, too."""

from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

from adapters.http.problems import MEDIA_TYPE, Problem, answer

_HEAD = "HTTP/1.1 400 Bad Request\r\nContent-Type: {}\r\nContent-Length: {}\r\nConnection: close\r\n\r\n"


class Protocol(HttpToolsProtocol):
    """uvicorn's own, which would say it in plain text."""

    def send_400_response(self, msg: str) -> None:
        """Answer what can't be read, and hang up."""
        body = answer(Problem("malformed", "This is no HTTP request that can be read.").error).body
        self.transport.write(_HEAD.format(MEDIA_TYPE, len(body)).encode() + bytes(body))
        self.transport.close()
