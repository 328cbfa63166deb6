"""Sign-in by a real identity provider: the whole way round, and every attack on its tokens."""

import base64
import hmac
import json
from urllib.parse import parse_qsl, urlencode, urlsplit

import httpx2
import pytest
from identity_home import add_person
from joserfc.jwk import ECKey, RSAKey
from oidc_provider import CLIENT
from starlette.testclient import TestClient

from features.errors import LoadlineError
from serving.access.principal import LOCAL, acting
from serving.auth import COOKIE
from serving.errors import DeniedError
from serving.identity.cookies import STATE_COOKIE
from serving.identity.discovery import LOOK_AGAIN_SECONDS, checked_address
from serving.identity.entrance import PROVIDER, RETURN

LOGIN = "li.wei@bank.example"
FOREIGN_KEY = RSAKey.generate_key(2048, {"kid": "one"})
CURVE_KEY = ECKey.generate_key("P-256", {"kid": "two"})


def to_provider(caller: TestClient) -> str:
    """Begin, and let the provider send the browser back; give the address that it is sent to."""
    start = caller.get(PROVIDER)
    assert start.status_code == 303
    back = httpx2.get(start.headers["location"], follow_redirects=False)
    assert back.status_code == 302
    return back.headers["location"]


def come_back(caller: TestClient, address: str):
    parts = urlsplit(address)
    assert parts.path == RETURN
    return caller.get(f"{parts.path}?{parts.query}")


def changed(address: str, **change: str) -> str:
    parts = urlsplit(address)
    return parts._replace(query=urlencode({**dict(parse_qsl(parts.query)), **change})).geturl()


def sign_in(service) -> tuple[int, TestClient]:
    caller = service.caller()
    return come_back(caller, to_provider(caller)).status_code, caller


def test_the_whole_way_round(oidc, provider):
    add_person(oidc.identity, LOGIN, "risk", password=None)
    caller = oidc.caller()
    start = caller.get(PROVIDER)
    asked = dict(parse_qsl(urlsplit(start.headers["location"]).query))
    assert asked["code_challenge_method"] == "S256"
    assert {len(asked[name]) for name in ("state", "nonce", "code_challenge")} == {43}
    flags = {part.strip().lower() for part in start.headers["set-cookie"].split(";")}
    assert {"httponly", "samesite=lax", "path=/"} <= flags
    done = come_back(caller, to_provider(caller))
    # A redirect from here would lose the strict cookie on its way from the provider's site: a page of ours goes on.
    assert done.status_code == 200
    assert done.headers["refresh"] == "0; url=/"
    set_cookies = done.headers.get_list("set-cookie")
    assert [text for text in set_cookies if text.startswith(f"{COOKIE}=") and "samesite=strict" in text.lower()]
    assert [text for text in set_cookies if text.startswith(f"{STATE_COOKIE}=") and "max-age=0" in text.lower()]
    assert caller.get("/api/v1/me").json()["roles"] == ["risk"]


def test_a_person_is_bound_to_the_providers_subject_at_first(oidc, provider):
    add_person(oidc.identity, LOGIN, password=None)
    assert sign_in(oidc)[0] == 200
    bound = oidc.identity.people.get(LOGIN)
    assert (bound.issuer, bound.subject) == (provider.issuer, "s-1")
    provider.person = {"sub": "s-1", "email": "new.name@bank.example", "email_verified": True}
    assert sign_in(oidc)[0] == 200  # the address may change
    provider.person = {"sub": "s-2", "email": LOGIN, "email_verified": True}
    assert sign_in(oidc)[0] == 403  # and whoever has it next is somebody else


@pytest.mark.parametrize(
    "person",
    [
        {"sub": "s-1"},
        {"sub": "s-1", "email": LOGIN},
        {"sub": "s-1", "email": LOGIN, "email_verified": False},
        {"sub": "s-1", "email": LOGIN, "email_verified": "true"},
        {"sub": "s-1", "email": "nobody@bank.example", "email_verified": True},
        {"sub": "s-1", "email": ["li"], "email_verified": True},
    ],
)
def test_who_is_not_known_here_stays_outside(oidc, provider, person):
    add_person(oidc.identity, LOGIN, password=None)
    provider.person = person
    status, caller = sign_in(oidc)
    assert status == 403
    assert caller.get("/api/v1/me").status_code == 401


def test_who_is_disabled_stays_outside(oidc):
    add_person(oidc.identity, LOGIN, password=None)
    with acting(LOCAL):
        oidc.identity.people.edit(LOGIN, disabled=True)
    assert sign_in(oidc)[0] == 403


def test_jwt_a_replayed_or_foreign_state_is_refused(oidc):
    add_person(oidc.identity, LOGIN, password=None)
    caller, other = oidc.caller(), oidc.caller()
    answer = to_provider(caller)
    assert come_back(other, answer).status_code == 403  # another browser's
    assert come_back(caller, changed(answer, state="made-up")).status_code == 403
    assert come_back(caller, changed(answer, state="")).status_code == 403
    kept = caller.cookies[STATE_COOKIE]
    assert come_back(caller, answer).status_code == 200
    caller.cookies.set(STATE_COOKIE, kept, domain="127.0.0.1")
    assert come_back(caller, answer).status_code == 403  # taken already
    assert caller.get(RETURN, params={"error": "access_denied", "state": kept}).status_code == 403
    late = to_provider(caller)
    oidc.clock.on(minutes=11)
    assert come_back(caller, late).status_code == 403
    mixed = to_provider(caller)
    assert come_back(caller, changed(mixed, iss="https://evil.example")).status_code == 403


def encoded(*parts: object) -> str:
    return ".".join(base64.urlsafe_b64encode(json.dumps(part).encode()).decode().rstrip("=") for part in parts)


def sealed(header: object, claims: object, *, key: bytes) -> str:
    """Sign with a secret; a library for honest people does not take a public key for one."""
    text = encoded(header, claims)
    seal = hmac.digest(key, text.encode(), "sha256")
    return f"{text}.{base64.urlsafe_b64encode(seal).decode().rstrip('=')}"


def spoilt(provider, claims, how):
    """Make the token of an attacker."""
    second = int(provider.now())
    public = provider.keys["one"].as_pem(private=False)
    ways = {
        "none": lambda: encoded({"alg": "none", "typ": "JWT"}, claims) + ".",
        "None": lambda: encoded({"alg": "None", "kid": "one"}, claims) + ".AAAA",
        "no signature": lambda: provider.sign(claims).rpartition(".")[0] + ".",
        "HS256 with the public key": lambda: sealed({"alg": "HS256", "kid": "one", "typ": "JWT"}, claims, key=public),
        "another key": lambda: provider.sign(claims, key=FOREIGN_KEY),
        "jku": lambda: provider.sign(claims, key=FOREIGN_KEY, jku="https://evil.example/jwks"),
        "jwk": lambda: provider.sign(claims, key=FOREIGN_KEY, jwk=FOREIGN_KEY.as_dict(private=False)),
        "unknown kid": lambda: provider.sign(claims, kid="../../dev/null"),
        "RS512": lambda: provider.sign(claims, alg="RS512"),
        "crit": lambda: encoded({"alg": "RS256", "kid": "one", "crit": ["x"], "x": 1}, claims) + ".AAAA",
        "claims changed": lambda: _altered(provider.sign(claims)),
        "access token": lambda: provider.sign(claims, typ="at+jwt"),
        "logout token": lambda: provider.sign(claims, typ="logout+jwt"),
        "events": lambda: provider.sign({**claims, "events": {}}),
        "bearer": lambda: provider.sign({**claims, "typ": "Bearer"}),
        "issuer": lambda: provider.sign({**claims, "iss": "https://evil.example"}),
        "issuer with a slash": lambda: provider.sign({**claims, "iss": claims["iss"] + "/"}),
        "audience": lambda: provider.sign({**claims, "aud": "another"}),
        "audiences": lambda: provider.sign({**claims, "aud": [CLIENT, "another"]}),
        "azp": lambda: provider.sign({**claims, "azp": "another"}),
        "no audience": lambda: provider.sign({k: v for k, v in claims.items() if k != "aud"}),
        "expired": lambda: provider.sign({**claims, "exp": second - 61}),
        "no end": lambda: provider.sign({k: v for k, v in claims.items() if k != "exp"}),
        "endless": lambda: provider.sign({**claims, "exp": second + 10**9}),
        "end is true": lambda: provider.sign({**claims, "exp": True}),
        "not before": lambda: provider.sign({**claims, "nbf": second + 61}),
        "made later": lambda: provider.sign({**claims, "iat": second + 61}),
        "nonce": lambda: provider.sign({**claims, "nonce": "another"}),
        "no nonce": lambda: provider.sign({k: v for k, v in claims.items() if k != "nonce"}),
        "at_hash": lambda: provider.sign({**claims, "at_hash": "another"}),
        "no subject": lambda: provider.sign({**claims, "sub": ""}),
        "not a token": lambda: "x",
        "four parts": lambda: provider.sign(claims) + ".x",
        "deep": lambda: encoded({"alg": "RS256", "kid": "one"}) + "." + "W1tb" * 4_000 + ".AAAA",
    }
    return ways if how is None else ways[how]()


def _altered(token: str) -> str:
    head, body, seal = token.split(".")
    claims = json.loads(base64.urlsafe_b64decode(body + "=="))
    return f"{head}.{encoded({**claims, 'sub': 's-2'})}.{seal}"


def test_jwt_every_forged_token_is_refused(oidc, provider):
    """One sign-in for each forgery; an honest one at the beginning and the end shows that the forgery made it fail."""
    add_person(oidc.identity, LOGIN, password=None)
    assert sign_in(oidc)[0] == 200
    names = list(spoilt(provider, {}, None))
    assert len(names) > 30
    for name in names:
        provider.forge = lambda claims, name=name: spoilt(provider, claims, name)
        status, caller = sign_in(oidc)
        assert status == 403, name
        assert COOKIE not in caller.cookies, name
    provider.forge = None
    assert sign_in(oidc)[0] == 200
    assert "/jwks" in provider.asked


def test_jwt_what_the_clocks_may_differ_by(oidc, provider):
    add_person(oidc.identity, LOGIN, password=None)
    for seconds in (-59, 59):
        moved = lambda claims, by=seconds: {**claims, "iat": claims["iat"] + by, "nbf": claims["iat"] + by}  # noqa: E731
        provider.forge = lambda claims, moved=moved: provider.sign(moved(claims))
        assert sign_in(oidc)[0] == 200
    provider.forge = lambda claims: provider.sign({**claims, "exp": claims["iat"] - 59, "iat": claims["iat"] - 100})
    assert sign_in(oidc)[0] == 200


def test_jwt_keys_change_and_old_ones_end(oidc, provider):
    add_person(oidc.identity, LOGIN, password=None)
    published = oidc.identity.provider.published
    ticks = [0.0]
    published.ticks = lambda: ticks[0]
    assert sign_in(oidc)[0] == 200
    provider.keys["two"], provider.signing = CURVE_KEY, "two"
    assert sign_in(oidc)[0] == 403  # not looked for again so soon: anybody can name an unknown key
    ticks[0] += LOOK_AGAIN_SECONDS + 1
    assert sign_in(oidc)[0] == 200  # ES256
    one = provider.keys.pop("one")
    ticks[0] += 601
    provider.forge = lambda claims: provider.sign(claims, key=one, kid="one")
    assert sign_in(oidc)[0] == 403
    provider.keys["one"] = one
    provider.forge = lambda claims: provider.sign(claims, key=CURVE_KEY, kid="one")
    ticks[0] += 601
    assert sign_in(oidc)[0] == 403


def test_groups_give_and_take_the_roles_that_they_are_tied_to(serve, provider):
    tied = {"bank-hr": "hr", "bank-risk": "risk", "north": "manager:CN-BJ"}
    oidc = serve(
        oidc_issuer=provider.issuer,
        oidc_client_id=CLIENT,
        oidc_client_secret="the-clients-own-secret",
        oidc_groups=tied,
    )
    add_person(oidc.identity, LOGIN, "auditor", "risk", password=None)
    provider.person["groups"] = ["bank-hr", "north", "else", 7]
    assert sign_in(oidc)[1].get("/api/v1/me").json()["grants"] == [
        {"role": "auditor", "unit": ""},
        {"role": "hr", "unit": ""},
        {"role": "manager", "unit": "CN-BJ"},
    ]
    earlier = sign_in(oidc)[1]
    assert earlier.get("/api/v1/me").json()["roles"] == ["auditor", "hr", "manager"]
    provider.person["groups"] = "bank-risk"
    assert sign_in(oidc)[1].get("/api/v1/me").json()["roles"] == ["auditor"]
    assert earlier.get("/api/v1/me").json()["roles"] == ["auditor"]


def test_a_provider_that_does_not_help_is_a_503(serve, provider):
    oidc = serve(oidc_issuer=provider.issuer + "/other", oidc_client_id=CLIENT)
    answer = oidc.caller().get(PROVIDER)
    assert answer.status_code == 503
    assert "retry-after" in answer.headers
    wrong = serve(oidc_issuer=provider.issuer, oidc_client_id=CLIENT, oidc_client_secret="wrong")
    caller = wrong.caller()
    assert come_back(caller, to_provider(caller)).status_code == 503


def test_settings_that_cannot_be_right_are_refused_at_the_start(serve):
    for settings in (
        {"oidc_issuer": "http://login.bank.example", "oidc_client_id": CLIENT},
        {"oidc_issuer": "https://login.bank.example"},
        {"oidc_issuer": "https://login.bank.example", "oidc_client_id": CLIENT, "oidc_groups": {"g": "king"}},
    ):
        with pytest.raises(LoadlineError):
            serve(**settings)


@pytest.mark.parametrize(
    "address",
    ["", "ftp://x", "http://bank.example", "https://", "https://u:p@bank.example", "https://a#b", "//x", "http://[::1"],
)
def test_addresses_that_others_could_listen_to_are_refused(address):
    with pytest.raises(LoadlineError):
        checked_address(address)


def test_refusals_repeat_no_token():
    from serving.identity.id_token import read_id_token

    with pytest.raises(DeniedError) as caught:
        read_id_token(
            "secret.token.text",
            find=lambda kid: CURVE_KEY,
            issuer="i",
            client="c",
            nonce="n",
            now=None,  # type: ignore[arg-type]
        )
    assert "secret" not in str(caught.value)


def test_the_button_is_there_where_a_provider_is_set(oidc):
    page = oidc.caller(page=True).get("/")
    assert f'href="{PROVIDER}"' in page.text
