"""Servers that break off: one that answers as it is told, and a relay that loses answers of a real one."""

from __future__ import annotations

import socket
import ssl
import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from ipaddress import ip_address
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

LARGEST = 1_000_000


@dataclass
class Request:
    """What came in."""

    line: str
    headers: dict[str, str]
    body: bytes


@dataclass
class Broken:
    """A server on a free port, and what it was asked."""

    port: int
    asked: list[Request] = field(default_factory=list)

    @property
    def address(self) -> str:
        return f"http://127.0.0.1:{self.port}"


def answer(status: int, body: bytes = b"", **headers: str) -> bytes:
    """Write an answer of HTTP."""
    told = {name.replace("_", "-"): value for name, value in headers.items()} | {"Content-Length": str(len(body))}
    lines = [f"HTTP/1.1 {status} Told", *(f"{name}: {value}" for name, value in told.items()), "Connection: close"]
    return "\r\n".join([*lines, "", ""]).encode() + body


@contextmanager
def answering(answers: Sequence[bytes]) -> Iterator[Broken]:
    """Give one answer after another, each on a connection of its own; a blank one, or none left, hangs up."""
    told = iter(answers)

    def handle(connection: socket.socket) -> None:
        server.asked.append(read_request(connection))
        connection.sendall(next(told, b""))

    with listening(handle) as server:
        yield server


@contextmanager
def relay(port: int, *, lost: int) -> Iterator[Broken]:
    """Hand requests on to a real server, and hang up instead of handing back the first answers."""

    def handle(connection: socket.socket) -> None:
        request = read_request(connection)
        server.asked.append(request)
        with socket.create_connection(("127.0.0.1", port), timeout=60) as behind:
            head = "".join(f"{name}: {value}\r\n" for name, value in request.headers.items() if name != "connection")
            behind.sendall(f"{request.line}\r\n{head}connection: close\r\n\r\n".encode() + request.body)
            whole = b"".join(iter(lambda: behind.recv(LARGEST), b""))
        if len(server.asked) > lost:
            connection.sendall(whole)

    with listening(handle) as server:
        yield server


@contextmanager
def self_signed(folder: Path, answers: Sequence[bytes]) -> Iterator[tuple[Broken, Path]]:
    """Answer over TLS with a certificate that nobody but itself vouches for; give its file too."""
    path = certificate(folder)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(path)
    told = iter(answers)

    def handle(connection: socket.socket) -> None:
        with context.wrap_socket(connection, server_side=True) as secure:
            server.asked.append(read_request(secure))
            secure.sendall(next(told, b""))

    with listening(handle) as server:
        yield server, path


def certificate(folder: Path) -> Path:
    """Write a key and a certificate of 127.0.0.1, signed by itself."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "test")])
    now = datetime.now(UTC)
    made = (
        x509.CertificateBuilder(name, name, key.public_key(), x509.random_serial_number())
        .not_valid_before(now - timedelta(days=1))
        .not_valid_after(now + timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([x509.IPAddress(ip_address("127.0.0.1"))]), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .sign(key, hashes.SHA256())
    )
    plain = key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    path = folder / "certificate.pem"
    path.write_bytes(plain + made.public_bytes(serialization.Encoding.PEM))
    return path


@contextmanager
def listening(handle: Callable[[socket.socket], object]) -> Iterator[Broken]:
    """Handle one connection after another."""
    with socket.create_server(("127.0.0.1", 0)) as socket_:

        def serve() -> None:
            with suppress(OSError):  # it was closed
                while True:
                    connection, _ = socket_.accept()
                    with connection, suppress(ConnectionError, ssl.SSLError):  # whoever asked has gone
                        handle(connection)

        server = Broken(socket_.getsockname()[1])
        thread = threading.Thread(target=serve, daemon=True)
        thread.start()
        yield server
        socket_.shutdown(socket.SHUT_RDWR)
    thread.join(timeout=60)


def read_request(connection: socket.socket) -> Request:
    """Read one request."""
    connection.settimeout(60)
    file = connection.makefile("rb")
    line = file.readline().decode().strip()
    headers: dict[str, str] = {}
    while (text := file.readline().decode().strip()) != "":
        name, _, value = text.partition(":")
        headers[name.lower()] = value.strip()
    return Request(line, headers, file.read(int(headers.get("content-length", "0"))))
