"""Tokens of an OpenID Connect provider that runs on this machine: good ones, and every forgery known."""

import base64
import hashlib
import hmac
import json
import socket
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from typing import Any

import jwt
import pytest
from oidc_provider import AUDIENCE, Provider, provider

from adapters.access import tokens as reading
from adapters.access.denials import NobodyKnown
from adapters.access.tokens import IssuerAway, Tokens


@pytest.fixture(scope="module")
def shared() -> Iterator[Provider]:
    with provider() as found:
        found.rsa("r1")
        found.ec("e1")
        yield found


@pytest.fixture
def oidc(shared: Provider) -> Provider:
    shared.keys = {kid: key for kid, key in shared.keys.items() if kid in ("r1", "e1")}
    shared.asked.clear()
    shared.extra.clear()
    shared.away, shared.says_issuer = False, shared.issuer
    shared.jwks_at = f"{shared.issuer}/keys"
    return shared


@pytest.fixture
def tokens(oidc: Provider) -> Tokens:
    return Tokens(oidc.issuer, AUDIENCE)


class Clock:
    """Stands in for the seconds since the start."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.now = 1000.0
        monkeypatch.setattr(reading, "monotonic", lambda: self.now)


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    return Clock(monkeypatch)


@pytest.mark.parametrize("kid", ["r1", "e1"])
def test_a_good_token_says_who_it_is(oidc: Provider, tokens: Tokens, kid: str) -> None:
    found = tokens.read(oidc.token(kid, dealtrail_role="rep", dealtrail_rep="ann", aud=["other", AUDIENCE]))
    assert (found.role, found.rep, found.subject) == ("rep", "ann", "sub-1")
    assert 3600 < found.left_seconds < 3600 + 31
    assert tokens.read(oidc.token(kid, dealtrail_role="payroll", dealtrail_rep="ann")).rep is None
    assert tokens.read(oidc.token(kid, exp=str(int(time.time()) + 3600))).left_seconds > 3600


def _pieces(*parts: object) -> str:
    def encoded(part: object) -> str:
        raw = part if isinstance(part, bytes) else json.dumps(part).encode()
        return base64.urlsafe_b64encode(raw).rstrip(b"=").decode()

    return ".".join(encoded(part) for part in parts)


def _claims(oidc: Provider) -> dict[str, Any]:
    return jwt.decode(oidc.token("r1"), options={"verify_signature": False})


def _signed_with_the_public_key(oidc: Provider) -> str:
    """HS256 whose secret is what everybody can read: taken by whoever lets the token choose."""
    head = _pieces({"alg": "HS256", "kid": "r1", "typ": "JWT"}, _claims(oidc))
    return f"{head}.{_pieces(hmac.digest(oidc.public_pem('r1'), head.encode(), hashlib.sha256))}"


def _changed(oidc: Provider) -> str:
    head, _, signature = oidc.token("r1", dealtrail_role="rep", dealtrail_rep="ann").split(".")
    return f"{head}.{_pieces(_claims(oidc))}.{signature}"


def _own_key(oidc: Provider) -> str:
    """Signed with a key of the forger's, sent along in the header."""
    with provider() as forger:
        forger.rsa("r1")
        forger.issuer = oidc.issuer
        return forger.token("r1", headers={"jwk": forger._jwk("r1"), "jku": "http://127.0.0.1:1/keys"})


NOW = time.time
FORGERIES: dict[str, tuple[Callable[[Provider], str], str]] = {
    "unsigned": (
        lambda oidc: _pieces({"alg": "none", "kid": "r1"}, _claims(oidc)) + ".",
        "algorithm_not_allowed",
    ),
    "None": (
        lambda oidc: _pieces({"alg": "None", "kid": "r1"}, _claims(oidc)) + ".",
        "algorithm_not_allowed",
    ),
    "public key as a secret": (_signed_with_the_public_key, "algorithm_not_allowed"),
    "RS512": (lambda oidc: oidc.token("r1", algorithm="RS512"), "algorithm_not_allowed"),
    "no kid": (lambda oidc: oidc.token("r1", headers={"kid": ""}), "no_key_named"),
    "wrong kid": (lambda oidc: oidc.token("r1", headers={"kid": "r9"}), "unknown_signing_key"),
    "kid of another kind": (lambda oidc: oidc.token("r1", headers={"kid": "e1"}), "key_of_another_algorithm"),
    "key sent along": (_own_key, "bad_signature"),
    "claims changed": (_changed, "bad_signature"),
    "signature cut off": (lambda oidc: oidc.token("r1").rsplit(".", 1)[0] + ".", "bad_signature"),
    "critical header": (lambda oidc: oidc.token("r1", headers={"crit": ["x"], "x": 1}), "malformed_token"),
    "expired": (lambda oidc: oidc.token("r1", exp=int(NOW()) - 31), "expired_token"),
    "never expires": (lambda oidc: oidc.token("r1", exp=None), "claim_missing"),
    "not good yet": (lambda oidc: oidc.token("r1", nbf=int(NOW()) + 60), "token_not_yet_good"),
    "other audience": (lambda oidc: oidc.token("r1", aud="other"), "other_audience"),
    "no audience": (lambda oidc: oidc.token("r1", aud=None), "claim_missing"),
    "other issuer": (lambda oidc: oidc.token("r1", iss="https://evil.example"), "other_issuer"),
    "issuer with a slash": (lambda oidc: oidc.token("r1", iss=oidc.issuer + "/"), "other_issuer"),
    "nobody": (lambda oidc: oidc.token("r1", sub=None), "claim_missing"),
    "no role": (lambda oidc: oidc.token("r1", dealtrail_role=None), "no_role"),
    "strange role": (lambda oidc: oidc.token("r1", dealtrail_role="root"), "no_role"),
    "roles": (lambda oidc: oidc.token("r1", dealtrail_role=["admin"]), "no_role"),
    "no rep": (lambda oidc: oidc.token("r1", dealtrail_role="rep"), "no_rep_named"),
    "empty rep": (lambda oidc: oidc.token("r1", dealtrail_role="head", dealtrail_rep=""), "no_rep_named"),
    "rep who is an admin": (
        lambda oidc: oidc.token("r1", dealtrail_role="rep", dealtrail_rep="admin:x"),
        "no_rep_named",
    ),
    "no token": (lambda _: "x", "malformed_token"),
    "not JSON": (lambda _: "e30.e30.e30.e30", "malformed_token"),
    "too long": (lambda _: "x" * 20_000, "token_too_long"),
}


@pytest.mark.parametrize("forgery", FORGERIES)
def test_a_forgery_is_refused(oidc: Provider, tokens: Tokens, forgery: str) -> None:
    forge, reason = FORGERIES[forgery]
    with pytest.raises(NobodyKnown) as refused:
        tokens.read(forge(oidc))
    assert refused.value.reason == reason


def test_clocks_may_differ_a_little(oidc: Provider, tokens: Tokens) -> None:
    late = tokens.read(oidc.token("r1", exp=int(time.time()) - 20, nbf=int(time.time()) - 60))
    assert 0 < late.left_seconds < 11
    tokens.read(oidc.token("r1", nbf=int(time.time()) + 20, iat=int(time.time()) + 20))


def test_short_keys_and_secrets_among_the_keys_open_nothing(oidc: Provider, tokens: Tokens) -> None:
    oidc.rsa("short", bits=1024)
    with pytest.warns(jwt.InsecureKeyLengthWarning):
        token = oidc.token("short")
    oidc.extra.append({"kty": "oct", "kid": "oct", "k": base64.urlsafe_b64encode(b"k" * 32).decode()})
    for text in (token, oidc.token("r1", headers={"kid": "oct"})):
        with pytest.raises(NobodyKnown, match="key_of_another_algorithm"):
            tokens.read(text)


def test_keys_are_asked_for_once_and_anew_for_a_new_one(oidc: Provider, tokens: Tokens, clock: Clock) -> None:
    for _ in range(3):
        tokens.read(oidc.token("r1"))
    assert oidc.asked == ["/.well-known/openid-configuration", "/keys"]
    oidc.rsa("r2")
    clock.now += reading.ASK_EVERY_SECONDS
    assert tokens.read(oidc.token("r2")).role == "admin"
    assert len(oidc.asked) == 4


def test_strangers_cannot_make_us_ask_again_and_again(oidc: Provider, tokens: Tokens, clock: Clock) -> None:
    tokens.read(oidc.token("r1"))
    for kid in range(50):
        with pytest.raises(NobodyKnown, match="unknown_signing_key"):
            tokens.read(oidc.token("r1", headers={"kid": f"x{kid}"}))
    assert len(oidc.asked) == 2


def test_a_withdrawn_key_opens_nothing_after_a_while(oidc: Provider, tokens: Tokens, clock: Clock) -> None:
    token = oidc.token("e1")
    tokens.read(token)
    gone = oidc.keys.pop("e1")
    try:
        tokens.read(token)  # Known for a while.
        clock.now += reading.FRESH_SECONDS + 1
        with pytest.raises(NobodyKnown, match="unknown_signing_key"):
            tokens.read(token)
    finally:
        oidc.keys["e1"] = gone


def test_while_the_provider_is_away_its_keys_count_for_a_day(
    oidc: Provider, tokens: Tokens, clock: Clock
) -> None:
    oidc.away = True
    with pytest.raises(IssuerAway):
        tokens.read(oidc.token("r1"))
    oidc.away = False
    clock.now += reading.ASK_EVERY_SECONDS
    tokens.read(oidc.token("r1"))
    oidc.away = True
    clock.now += reading.STALE_SECONDS_MAX
    tokens.read(oidc.token("r1"))
    clock.now += 1
    with pytest.raises(IssuerAway):
        tokens.read(oidc.token("r1"))


def test_nobody_waits_while_a_slow_provider_is_asked(oidc: Provider, clock: Clock) -> None:
    """Who shows a token of a known key is let in by it, others are told to come again."""
    slow, asked, go_on = threading.Event(), threading.Event(), threading.Event()

    def fetch(url: str) -> bytes:
        if slow.is_set():
            asked.set()
            assert go_on.wait(20)
        return reading.fetched(url)

    tokens = Tokens(oidc.issuer, AUDIENCE, fetch=fetch)
    tokens.read(oidc.token("r1"))
    slow.set()
    clock.now += reading.FRESH_SECONDS + 1
    asking = threading.Thread(target=tokens.read, args=(oidc.token("e1"),))
    asking.start()
    try:
        assert asked.wait(20)
        assert tokens.read(oidc.token("r1")).role == "admin"
        with pytest.raises(IssuerAway):
            tokens.read(oidc.token("r1", headers={"kid": "new"}))
    finally:
        go_on.set()
        asking.join()


def test_what_drips_is_not_waited_for(monkeypatch: pytest.MonkeyPatch) -> None:
    """Each byte comes in time, but never the last."""
    monkeypatch.setattr(reading, "_TIMEOUT_SECONDS", 0.3)
    with socket.create_server(("127.0.0.1", 0)) as listener:

        def drip() -> None:
            with listener.accept()[0] as one, suppress(OSError):
                one.sendall(b"HTTP/1.1 200 OK\r\n\r\n")
                while True:
                    one.sendall(b" ")
                    time.sleep(0.05)

        dripping = threading.Thread(target=drip)
        dripping.start()
        with pytest.raises(TimeoutError):
            reading.fetched(f"http://127.0.0.1:{listener.getsockname()[1]}/")
        dripping.join()


def test_a_provider_that_speaks_for_another_is_not_believed(oidc: Provider, tokens: Tokens) -> None:
    oidc.says_issuer = "https://other.example"
    with pytest.raises(IssuerAway):
        tokens.read(oidc.token("r1"))


@pytest.mark.parametrize("place", ["http://example.com/keys", "file:///etc/passwd", 7, "{issuer}/elsewhere"])
def test_keys_are_not_fetched_from_just_anywhere(oidc: Provider, tokens: Tokens, place: object) -> None:
    oidc.jwks_at = place.format(issuer=oidc.issuer) if isinstance(place, str) else place  # type: ignore[assignment]
    with pytest.raises(IssuerAway):
        tokens.read(oidc.token("r1"))
