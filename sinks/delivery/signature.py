"""Signs a webhook request so that its receiver knows who sent it, when, and what.

Source: Standard Webhooks specification 1.0 (symmetric signatures): HMAC-SHA256 over
`id.timestamp.body`, in base64 behind `v1,`; libraries that verify it exist for most languages.
"""

import base64
import binascii
import hashlib
import hmac
from collections.abc import Mapping

from modeltrail.infra.errors import ConfigError

_PREFIX = "whsec_"


def signing_key(secret: str) -> bytes:
    """The key of a secret: base64 behind `whsec_`, or any other text as it is.

    Raises:
        ConfigError: what follows `whsec_` is not base64.
    """
    if not secret.startswith(_PREFIX):
        return secret.encode()
    try:
        return base64.b64decode(secret.removeprefix(_PREFIX), validate=True)
    except binascii.Error:
        raise ConfigError(
            "alerting.webhook_secret begins with whsec_ but is not base64 behind it: copy it again"
        ) from None


def signed_headers(key: bytes, delivery_id: str, sent_at_s: int, body: bytes) -> Mapping[str, str]:
    """The headers that identify and sign a delivery; without a key they identify it only.

    Args:
        key: of `signing_key`, or empty.
        delivery_id: the same at every attempt, so that the receiver can drop repeats.
        sent_at_s: seconds since the epoch, so that an old request cannot be sent again by others.
        body: the bytes of the body.
    """
    headers = {
        "webhook-id": delivery_id,
        "webhook-timestamp": str(sent_at_s),
        "idempotency-key": delivery_id,
    }
    if key:
        message = b".".join((delivery_id.encode(), str(sent_at_s).encode(), body))
        digest = hmac.new(key, message, hashlib.sha256).digest()
        headers["webhook-signature"] = f"v1,{base64.b64encode(digest).decode()}"
    return headers
