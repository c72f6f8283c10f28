"""Posts a body to one fixed address over HTTP and says what the answer means."""

import ipaddress
import logging
from collections.abc import Mapping
from typing import Protocol
from urllib.parse import urlsplit

import httpx2

from modeltrail.infra.errors import ConfigError
from modeltrail.sinks.delivery.verdict import TryLater, Verdict, verdict_of

_LONGEST_SAID = 300


class Post(Protocol):
    """What sends a request to one receiver."""

    def __call__(self, headers: Mapping[str, str], body: bytes) -> Verdict:
        """Send once; failures come out as a verdict."""
        ...


class HttpPost:
    """A connection that is kept to one address; the address is a secret and never shown.

    Redirects are not followed: an alert goes where it was configured to go. Certificates are
    verified. A receiver on this machine is reached directly, others through the proxy that the
    environment names.
    """

    def __init__(self, setting: str, url: str, timeout_s: float) -> None:
        """Prepare; nothing is connected yet.

        Args:
            setting: name of the setting that holds `url`, for errors.
            url: http or https.
            timeout_s: longest wait for a connection, and for each read and write, s.

        Raises:
            ConfigError: `url` is no address.
        """
        self._url = url
        self.host = _host_of(setting, url)
        # It logs each address in full.
        logging.getLogger("httpx2").setLevel(logging.WARNING)
        self._client = httpx2.Client(
            timeout=timeout_s, follow_redirects=False, trust_env=not _is_local(self.host)
        )

    def __call__(self, headers: Mapping[str, str], body: bytes) -> Verdict:
        """Send once."""
        try:
            with self._client.stream(
                "POST",
                self._url,
                content=body,
                headers={"content-type": "application/json", **headers},
            ) as answer:
                said = "" if answer.is_success else self._beginning(answer)
                return verdict_of(answer.status_code, answer.headers.get("retry-after", ""), said)
        except (httpx2.HTTPError, OSError) as error:
            return TryLater(f"{type(error).__name__}: {self._without_address(str(error))}")

    def close(self) -> None:
        """Let the connection go."""
        self._client.close()

    def _beginning(self, answer: httpx2.Response) -> str:
        # Not all of it: a receiver decides how long it is.
        chunk = next(answer.iter_bytes(_LONGEST_SAID), b"")
        text = " ".join(chunk.decode(errors="replace").split())
        return self._without_address(text)[:_LONGEST_SAID]

    def _without_address(self, text: str) -> str:
        parts = urlsplit(self._url)
        for secret in (self._url, parts.path, parts.query, parts.password or ""):
            if len(secret) > 1:
                text = text.replace(secret, "***")
        return text


def _host_of(setting: str, url: str) -> str:
    try:
        # The client alone takes a bracket that is never closed for a name.
        host, scheme = urlsplit(url).hostname, httpx2.URL(url).scheme
    except (httpx2.InvalidURL, ValueError):
        host, scheme = None, ""
    if not host or scheme not in ("http", "https"):
        raise ConfigError(f"{setting} is no address: give https://host/path")
    return host


def _is_local(host: str) -> bool:
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"
