"""Which settings of a query go to the engine, and which the gateway must refuse."""

from __future__ import annotations

import logging
from collections.abc import Collection, Iterable
from typing import Final

from modeltrail.infra.gateway.errors import Code, GatewayError
from modeltrail.infra.gateway.protocol.client_packets import Setting

_log = logging.getLogger(__name__)
_OFF: Final = frozenset({"", "0", "false", "False"})
#: Settings that ask for something in the protocol that the gateway does not do when switched on.
_UNSUPPORTED: Final = frozenset(
    {
        "extremes",
        "input_format_native_decode_types_in_binary_format",
        "output_format_native_encode_types_in_binary_format",
        "output_format_native_use_flattened_dynamic_and_json_serialization",
        "allow_experimental_query_deduplication",
    }
)
_SILENT_LEVELS: Final = frozenset({"none", "fatal"})


def checked(settings: Iterable[Setting], known: Collection[str]) -> dict[str, str]:
    """The settings as the engine shall have them, by name.

    As in ClickHouse, an unknown setting is left out with a warning, unless the client marked it as
    important: then the engine gets it and answers UNKNOWN_SETTING.

    Raises:
        GatewayError: NOT_IMPLEMENTED for one that the gateway would have to act on.
    """
    wanted: dict[str, str] = {}
    for setting in settings:
        name, value = setting.name, setting.value
        refused = (
            (name in _UNSUPPORTED and value not in _OFF)
            or (name == "send_logs_level" and value not in _SILENT_LEVELS)
            or (name == "network_compression_method" and value.upper() not in ("LZ4", "LZ4HC"))
            or name == "log_comment"
        )
        if refused:
            raise GatewayError(
                Code.NOT_IMPLEMENTED, f"The setting {name} = {value} is not supported here."
            )
        if name not in known and not setting.important:
            _log.warning("Unknown setting %r of a client is ignored.", name)
            continue
        wanted[name] = value
    return wanted
