"""JWTs of an OpenID Connect provider: its keys found and kept, and every claim held to."""

import json
import threading
import urllib.request
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from http.client import HTTPException, HTTPResponse
from time import monotonic, time
from typing import Any, cast

import jwt
from cryptography.hazmat.primitives.asymmetric.ec import SECP256R1, EllipticCurvePublicKey
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPublicKey

from adapters.access.denials import NobodyKnown
from adapters.access.entitlements import ROLES, Role
from domain.shared.actors import Actor

LEEWAY_SECONDS = 30
"""So far the issuer's clock may be from ours."""
FRESH_SECONDS = 600
"""Keys are asked for anew after so long: then a withdrawn one opens nothing."""
STALE_SECONDS_MAX = 86_400
"""So long the keys that were known count where the issuer doesn't answer."""
ASK_EVERY_SECONDS = 10
"""Not more often, however many strangers show tokens of unknown keys."""
_TIMEOUT_SECONDS = 5
_BYTES_MAX = 1 << 20
_TOKEN_LENGTH_MAX = 16_384
_RSA_BITS_MIN = 2048
_NAME_MAX = 200
_ALGORITHMS = ("RS256", "ES256")


class IssuerAway(Exception):  # noqa: N818 - named for what was met
    """The provider's keys can't be had, so nothing can be said of its tokens."""


@dataclass(frozen=True, slots=True)
class Bearer:
    """Who a token is for: `subject` is the provider's id of them. It is good for `left_seconds` more."""

    role: Role
    rep: str | None
    subject: str
    left_seconds: float


Fetch = Callable[[str], bytes]
"""What is at a URL. Raises OSError."""


class Tokens:
    """Reads tokens of one issuer for one audience. For any number of threads; may ask the issuer."""

    def __init__(self, issuer: str, audience: str, *, fetch: Fetch | None = None) -> None:
        self._issuer, self._audience = issuer, audience
        self._fetch = fetch or fetched
        self._keys: Mapping[str, Mapping[str, Any]] = {}
        self._had_at = self._asked_at = float("-inf")
        self._asking = threading.Lock()

    def read(self, token: str) -> Bearer:
        """Who the token is for. Raises NobodyKnown, IssuerAway."""
        if len(token) > _TOKEN_LENGTH_MAX:
            raise NobodyKnown("token_too_long")
        try:
            header = jwt.get_unverified_header(token)
        except jwt.PyJWTError:
            raise NobodyKnown("malformed_token") from None
        algorithm, kid = header.get("alg"), header.get("kid")
        if algorithm not in _ALGORITHMS:
            raise NobodyKnown("algorithm_not_allowed")
        if not isinstance(kid, str) or not kid:
            raise NobodyKnown("no_key_named")
        return _bearer(self._claims(token, self._key(kid, algorithm), algorithm))

    def _claims(self, token: str, key: Any, algorithm: str) -> dict[str, Any]:
        try:
            return jwt.decode(
                token,
                key,
                algorithms=[algorithm],
                audience=self._audience,
                issuer=self._issuer,
                leeway=LEEWAY_SECONDS,
                options={"require": ["exp", "iss", "aud", "sub"]},
            )
        except jwt.PyJWTError as refused:
            raise NobodyKnown(_REASONS.get(type(refused), "bad_claim")) from None

    def _key(self, kid: str, algorithm: str) -> RSAPublicKey | EllipticCurvePublicKey:
        known = self._known(kid)
        if known is None:
            raise NobodyKnown("unknown_signing_key")
        if known.get("alg", algorithm) != algorithm:
            raise NobodyKnown("key_of_another_algorithm")
        try:
            key = jwt.PyJWK.from_dict(dict(known), algorithm).key
        except jwt.PyJWTError:
            raise NobodyKnown("key_of_another_algorithm") from None
        if algorithm == "RS256" and isinstance(key, RSAPublicKey) and key.key_size >= _RSA_BITS_MIN:
            return key
        if isinstance(key, EllipticCurvePublicKey) and isinstance(key.curve, SECP256R1):
            return key
        raise NobodyKnown("key_of_another_algorithm")

    def _known(self, kid: str) -> Mapping[str, Any] | None:
        """The issuer's key of that name, asked for if it is new or those known are old. Raises IssuerAway.

        One thread asks. Others don't wait for it: who waits for a slow issuer keeps a thread from reports.
        """
        if kid not in self._keys or monotonic() - self._had_at > FRESH_SECONDS:
            if self._asking.acquire(blocking=False):
                try:
                    if self._may_ask():
                        self._ask()
                finally:
                    self._asking.release()
            elif kid not in self._keys:
                raise IssuerAway
        if monotonic() - self._had_at > STALE_SECONDS_MAX:
            raise IssuerAway
        return self._keys.get(kid)

    def _may_ask(self) -> bool:
        return monotonic() - self._asked_at >= ASK_EVERY_SECONDS

    def _ask(self) -> None:
        self._asked_at = monotonic()
        try:
            where = json.loads(self._fetch(f"{self._issuer.rstrip('/')}/.well-known/openid-configuration"))
            if where["issuer"] != self._issuer:
                return
            keys = json.loads(self._fetch(where["jwks_uri"]))["keys"]
            self._keys = {key["kid"]: key for key in keys if "kid" in key and key.get("use", "sig") == "sig"}
            self._had_at = monotonic()
        except (OSError, HTTPException, ValueError, KeyError, TypeError):
            return  # Those that are known count for a while.


_REASONS: Mapping[type[Exception], str] = {
    jwt.InvalidSignatureError: "bad_signature",
    jwt.ExpiredSignatureError: "expired_token",
    jwt.ImmatureSignatureError: "token_not_yet_good",
    jwt.InvalidAudienceError: "other_audience",
    jwt.InvalidIssuerError: "other_issuer",
    jwt.MissingRequiredClaimError: "claim_missing",
}


def _bearer(claims: Mapping[str, Any]) -> Bearer:
    role, rep, subject = claims.get("dealtrail_role"), claims.get("dealtrail_rep"), claims["sub"]
    if role not in ROLES:
        raise NobodyKnown("no_role")
    theirs = role in ("rep", "head")
    if theirs and not (isinstance(rep, str) and 0 < len(rep) <= _NAME_MAX and Actor.of(rep).rep):
        raise NobodyKnown("no_rep_named")
    return Bearer(
        role=cast(Role, role),
        rep=rep if theirs else None,
        subject=str(subject)[:_NAME_MAX],
        left_seconds=float(claims["exp"]) + LEEWAY_SECONDS - time(),
    )


class _Stay(urllib.request.HTTPRedirectHandler):
    """The issuer's own address is what is trusted: nothing is followed to another."""

    def redirect_request(self, *_: Any) -> None:
        return None


def fetched(url: str) -> bytes:
    """What is at the URL, over TLS or on this machine. Raises OSError, also where it comes too slowly."""
    if not safe(url):
        raise OSError("neither https nor on this machine")
    answer: HTTPResponse
    ends_at = monotonic() + _TIMEOUT_SECONDS
    content = bytearray()
    with urllib.request.build_opener(_Stay).open(url, timeout=_TIMEOUT_SECONDS) as answer:
        while some := answer.read1(_BYTES_MAX):
            content += some
            if len(content) > _BYTES_MAX:
                raise OSError("too much")
            if monotonic() > ends_at:
                raise TimeoutError("too slow")
    return bytes(content)


def safe(url: object) -> bool:
    """Whether what comes from there can be nobody else's: https, or this machine."""
    return isinstance(url, str) and url.startswith(("https://", "http://127.0.0.1:", "http://localhost:"))
