"""A server that answers as S3 does, on this machine, and a line to it that can be watched, cut and spoken into."""

from __future__ import annotations

import contextlib
import json
import socket
import subprocess
import sys
import threading
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

import obstore
from helpers import until
from obstore.store import S3Store

SECRET = "swordfish-93ab7c"
ALLOWED = {"reader": ["s3:Get*", "s3:List*"], "writer": ["s3:*"]}


@dataclass(frozen=True)
class Server:
    address: str

    def environment(self, key: str = "somebody", secret: str = SECRET, address: str = "") -> dict[str, str]:
        return {"AWS_ENDPOINT_URL": address or self.address, "AWS_ACCESS_KEY_ID": key, "AWS_SECRET_ACCESS_KEY": secret,
                "AWS_REGION": "us-east-1"}  # fmt: skip

    def make(self, bucket: str) -> None:
        self._ask(f"/{bucket}", "PUT")

    def reset(self) -> None:
        self.look_at_keys(10**9)
        self._ask("/moto-api/reset", "POST")

    def look_at_keys(self, number: int) -> None:
        """How many requests are taken from anybody, before keys and what they allow count."""
        self._ask("/moto-api/reset-auth", "POST", f"{number}".encode(), {"Content-Type": "text/plain"})

    def keys(self) -> dict[str, tuple[str, str]]:
        """A user that may read, and one that may write: their keys."""
        import boto3

        iam = boto3.client(
            "iam", endpoint_url=self.address, region_name="us-east-1", aws_access_key_id="x", aws_secret_access_key="x"
        )
        made = {}
        for user, actions in ALLOWED.items():
            iam.create_user(UserName=user)
            policy = {"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": actions, "Resource": "*"}]}
            iam.put_user_policy(UserName=user, PolicyName="p", PolicyDocument=json.dumps(policy))
            key = iam.create_access_key(UserName=user)["AccessKey"]
            made[user] = (key["AccessKeyId"], key["SecretAccessKey"])
        return made

    def contents(self, bucket: str) -> dict[str, bytes]:
        store = self._store(bucket)
        return {
            meta["path"]: bytes(obstore.get(store, meta["path"]).bytes())
            for page in obstore.list(store)
            for meta in page
        }

    def put(self, bucket: str, path: str, content: bytes) -> None:
        obstore.put(self._store(bucket), path, content)

    def _store(self, bucket: str) -> S3Store:
        return S3Store(bucket, endpoint=self.address, access_key_id="x", secret_access_key="x", region="us-east-1",
                       client_options={"allow_http": True})  # fmt: skip

    def _ask(self, path: str, method: str, body: bytes = b"", headers: dict[str, str] | None = None) -> None:
        request = urllib.request.Request(self.address + path, body or None, headers or {}, method=method)
        urllib.request.urlopen(request, timeout=10).close()


@contextmanager
def server() -> Iterator[Server]:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = int(free.getsockname()[1])
    process = subprocess.Popen([sys.executable, "-m", "moto.server", "-p", str(port)],
                               stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)  # fmt: skip
    address = f"http://127.0.0.1:{port}"

    def answers() -> bool:
        try:
            urllib.request.urlopen(f"{address}/moto-api/", timeout=1).close()
        except OSError:
            return False
        return True

    try:
        until(answers, 60)
        yield Server(address)
    finally:
        process.terminate()
        process.wait(10)


class Line:
    """Between a client and the server. `up` and `down` are the bytes that went through; `cuts` connections are cut once
    `cut_after` bytes went up on them; while `says` is set, it is the answer to everything."""

    def __init__(self, server: Server) -> None:
        host, _, port = server.address.removeprefix("http://").partition(":")
        self.target = (host, int(port))
        self.up = self.down = self.requests = 0
        self.cuts, self.cut_after, self.says, self.slow = 0, 0, b"", 0.0
        self.listener = socket.create_server(("127.0.0.1", 0), backlog=64)
        self.address = f"http://127.0.0.1:{self.listener.getsockname()[1]}"
        threading.Thread(target=self._accept, daemon=True).start()

    def answer(self, status: str, code: str) -> None:
        body = f"<Error><Code>{code}</Code><Message>Signature={SECRET}</Message></Error>".encode()
        self.says = f"HTTP/1.1 {status}\r\nContent-Length: {len(body)}\r\nConnection: close\r\n\r\n".encode() + body

    def close(self) -> None:
        self.listener.close()

    def _accept(self) -> None:
        with contextlib.suppress(OSError):
            while True:
                client, _ = self.listener.accept()
                threading.Thread(target=self._serve, args=(client,), daemon=True).start()

    def _serve(self, client: socket.socket) -> None:
        with contextlib.suppress(OSError), client, socket.create_connection(self.target) as upstream:
            threading.Thread(target=self._back, args=(upstream, client), daemon=True).start()
            passed = 0
            while data := client.recv(1 << 16):
                passed, self.up = passed + len(data), self.up + len(data)
                self.requests += sum(
                    data.count(f"{verb} /".encode()) for verb in ("GET", "PUT", "HEAD", "POST", "DELETE")
                )
                if self.says:
                    client.sendall(self.says)
                    return
                if self.cuts > 0 and passed > self.cut_after:
                    self.cuts -= 1
                    client.shutdown(socket.SHUT_RDWR)
                    return
                if self.slow:
                    threading.Event().wait(self.slow)
                upstream.sendall(data)
            upstream.shutdown(socket.SHUT_WR)

    def _back(self, upstream: socket.socket, client: socket.socket) -> None:
        with contextlib.suppress(OSError):
            while data := upstream.recv(1 << 16):
                self.down += len(data)
                client.sendall(data)
            client.shutdown(socket.SHUT_WR)
