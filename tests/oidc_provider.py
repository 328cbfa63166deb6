"""A real OpenID Connect provider on a thread: discovery, authorisation, tokens with PKCE, and keys that change."""

from __future__ import annotations

import base64
import hashlib
import json
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, urlencode, urlsplit

from joserfc import jwt
from joserfc.jwk import ECKey, OctKey, RSAKey

CLIENT, SECRET = "loadline", "the-clients-own-secret"


class Provider:
    """What the provider knows, and what the tests change about it.

    Attributes
    ----------
    keys : dict
        Published public keys, by `kid`; all are real.
    person : dict
        Claims about whoever signs in.
    forge : callable, optional
        Makes the ID token instead, from its honest claims.
    """

    def __init__(self) -> None:
        self.issuer = ""
        self.keys: dict[str, RSAKey | ECKey] = {"one": RSAKey.generate_key(2048, {"kid": "one"})}
        self.signing = "one"
        self.person: dict[str, Any] = {"sub": "s-1", "email": "li.wei@bank.example", "email_verified": True}
        self.forge: Callable[[dict[str, Any]], str] | None = None
        self.now: Callable[[], float] = lambda: 0.0
        self.asked: list[str] = []
        self._codes: dict[str, dict[str, str]] = {}

    def sign(self, claims: dict[str, Any], *, key: RSAKey | ECKey | OctKey | None = None, **header: Any) -> str:
        """Sign claims as an ID token, by default honestly."""
        signing = key or self.keys[self.signing]
        kind = {RSAKey: "RS256", ECKey: "ES256", OctKey: "HS256"}[type(signing)]
        full = {"alg": kind, "kid": self.signing, "typ": "JWT", **header}
        return jwt.encode(
            {name: value for name, value in full.items() if value is not None},
            claims,
            signing,
            algorithms=[full["alg"]],
        )

    def authorise(self, query: dict[str, str]) -> str:
        """Let the person in, and give the address to go back to."""
        assert query["response_type"] == "code"
        assert query["client_id"] == CLIENT
        assert query["code_challenge_method"] == "S256"
        assert "openid" in query["scope"].split()
        code = f"code-{len(self._codes)}"
        self._codes[code] = query
        return f"{query['redirect_uri']}?{urlencode({'code': code, 'state': query['state'], 'iss': self.issuer})}"

    def exchange(self, form: dict[str, str], authorization: str) -> dict[str, Any] | None:
        """Give tokens for a code, once, to the client who asked for it and has the verifier."""
        asked = self._codes.pop(form.get("code", ""), None)
        expected = "Basic " + base64.b64encode(f"{CLIENT}:{SECRET}".encode()).decode()
        digest = hashlib.sha256(form.get("code_verifier", "").encode()).digest()
        challenge = base64.urlsafe_b64encode(digest).decode().rstrip("=")
        if (
            asked is None
            or authorization != expected
            or form.get("grant_type") != "authorization_code"
            or challenge != asked["code_challenge"]
            or form.get("redirect_uri") != asked["redirect_uri"]
        ):
            return None
        access = "an-access-token"
        half = base64.urlsafe_b64encode(hashlib.sha256(access.encode()).digest()[:16]).decode().rstrip("=")
        now = int(self.now())
        claims = {
            "iss": self.issuer,
            "aud": CLIENT,
            "iat": now,
            "exp": now + 300,
            "nonce": asked["nonce"],
            "at_hash": half,
            **self.person,
        }
        token = self.forge(claims) if self.forge else self.sign(claims)
        return {"access_token": access, "token_type": "Bearer", "id_token": token}

    def publish(self) -> dict[str, Any]:
        """Give the public keys."""
        return {"keys": [{**key.as_dict(private=False), "kid": kid} for kid, key in self.keys.items()]}


@contextmanager
def running_provider() -> Iterator[Provider]:
    """Serve a provider on a port of its own."""
    provider = Provider()

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            address = urlsplit(self.path)
            provider.asked.append(address.path)
            if address.path == "/authorize":
                query = {name: values[0] for name, values in parse_qs(address.query).items()}
                self.send_response(302)
                self.send_header("Location", provider.authorise(query))
                self.send_header("Content-Length", "0")
                self.end_headers()
            elif address.path == "/.well-known/openid-configuration":
                ends = {"authorization_endpoint": "authorize", "token_endpoint": "token", "jwks_uri": "jwks"}
                found = {name: f"{provider.issuer}/{end}" for name, end in ends.items()}
                self.answer(200, {"issuer": provider.issuer, **found})
            elif address.path == "/jwks":
                self.answer(200, provider.publish())
            else:
                self.answer(404, {})

        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"])).decode()
            form = {name: values[0] for name, values in parse_qs(body).items()}
            said = provider.exchange(form, self.headers.get("Authorization", ""))
            self.answer(200 if said else 400, said or {"error": "invalid_grant"})

        def answer(self, status: int, said: object) -> None:
            body = json.dumps(said).encode()
            self.send_response(status)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, format: str, *arguments: object) -> None:
            """Say nothing."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    provider.issuer = f"http://127.0.0.1:{server.server_address[1]}"
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True)
    thread.start()
    try:
        yield provider
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
