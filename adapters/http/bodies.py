"""Bodies of requests: read up to a limit, of the types that are taken, and never uncompressed."""

from collections.abc import Collection

from fastapi import Request

from adapters.http.problems import Problem


async def read_body(request: Request, *, types: Collection[str], most: int) -> tuple[str, bytes]:
    """Its media type and the body. Raises Problem: unsupported_media_type, or too_large before it is read.

    And malformed for a request that would go on in another protocol.
    """
    if "upgrade" in request.headers:  # The parser takes what follows for another protocol: the body is lost.
        message = "The body can't be read behind the header Upgrade: leave that out, and ask by HTTP/1.1."
        raise Problem("malformed", message, problem="upgrade")
    media_type = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    if media_type not in types:
        wanted = ", ".join(types)
        raise Problem(
            "unsupported_media_type",
            f"The body's type is {media_type or 'not said'}; it must be {wanted}.",
            content_type=media_type or None,
            wanted=sorted(types),
        )
    encoding = request.headers.get("content-encoding", "identity").strip().lower()
    if encoding not in ("", "identity"):
        raise Problem(
            "unsupported_media_type",
            f"The body is compressed ({encoding}); send it as it is.",
            content_encoding=encoding,
        )
    declared = request.headers.get("content-length", "0")
    if declared.isascii() and declared.isdigit() and int(declared) > most:
        raise _too_large(most)
    body = bytearray()
    async for chunk in request.stream():
        body += chunk
        if len(body) > most:
            raise _too_large(most)
    return media_type, bytes(body)


def _too_large(most: int) -> Problem:
    message = f"The body has more than the {most:,} bytes allowed."
    return Problem("too_large", message, unit="bytes", most=most)
