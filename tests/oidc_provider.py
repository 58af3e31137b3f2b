"""A little OpenID Connect provider on this machine: its keys can be rotated, and it can be away."""

import json
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import jwt
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec, rsa

AUDIENCE = "dealtrail-api"
PRIVATE = (serialization.PrivateFormat.PKCS8, serialization.NoEncryption())


class Provider:
    """`keys` by id are what it signs with and publishes; `asked` are the paths it was asked for."""

    def __init__(self, port: int) -> None:
        self.issuer = f"http://127.0.0.1:{port}"
        self.keys: dict[str, Any] = {}
        self.asked: list[str] = []
        self.away = False
        self.says_issuer = self.issuer
        self.jwks_at = f"{self.issuer}/keys"
        self.extra: list[dict[str, Any]] = []

    def rsa(self, kid: str, bits: int = 2048) -> None:
        self.keys[kid] = rsa.generate_private_key(public_exponent=65537, key_size=bits)

    def ec(self, kid: str) -> None:
        self.keys[kid] = ec.generate_private_key(ec.SECP256R1())

    def public_pem(self, kid: str) -> bytes:
        public: bytes = (
            self.keys[kid]
            .public_key()
            .public_bytes(serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo)
        )
        return public

    def token(self, kid: str, *, algorithm: str | None = None, headers: Any = None, **claims: Any) -> str:
        """A token of an admin's for an hour, unless claims say otherwise; a claim of None is left out."""
        now = int(time.time())
        whole = {
            "iss": self.issuer,
            "aud": AUDIENCE,
            "sub": "sub-1",
            "iat": now,
            "exp": now + 3600,
            "dealtrail_role": "admin",
        } | claims
        key = self.keys[kid]
        named = algorithm or ("RS256" if isinstance(key, rsa.RSAPrivateKey) else "ES256")
        given = {name: value for name, value in whole.items() if value is not None}
        return jwt.encode(given, key, algorithm=named, headers={"kid": kid} | (headers or {}))

    def answer(self, path: str) -> dict[str, Any] | None:
        if path == "/.well-known/openid-configuration":
            return {"issuer": self.says_issuer, "jwks_uri": self.jwks_at}
        if path == "/keys":
            return {"keys": [*(self._jwk(kid) for kid in self.keys), *self.extra]}
        return None

    def _jwk(self, kid: str) -> dict[str, Any]:
        public = self.keys[kid].public_key()
        kind = (
            jwt.algorithms.RSAAlgorithm
            if isinstance(public, rsa.RSAPublicKey)
            else jwt.algorithms.ECAlgorithm
        )
        told: dict[str, Any] = kind.to_jwk(public, as_dict=True)
        return {**told, "kid": kid, "use": "sig"}


@contextmanager
def provider() -> Iterator[Provider]:
    """One that answers at a port of its own until the end."""

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            found.asked.append(self.path)
            told = None if found.away else found.answer(self.path)
            moved = self.path == "/elsewhere"
            self.send_response(302 if moved else 503 if found.away else 404 if told is None else 200)
            if moved:
                self.send_header("Location", f"{found.issuer}/keys")
            self.end_headers()
            self.wfile.write(json.dumps(told).encode())

        def log_message(self, *_: Any) -> None:
            """Says nothing."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    found = Provider(server.server_port)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    try:
        yield found
    finally:
        server.shutdown()
        thread.join()
        server.server_close()
