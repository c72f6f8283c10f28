"""Ports are chosen once and kept, unless another program took them meanwhile."""

import socket
from pathlib import Path

from modeltrail.infra.stack.ports import LOOPBACK, is_free, remembered_ports


def test_ports_are_chosen_once(tmp_path: Path) -> None:
    file = tmp_path / "ports.json"

    chosen = remembered_ports(file, ("kafka", "registry"))

    assert len(set(chosen.values())) == 2
    assert remembered_ports(file, ("kafka", "registry")) == chosen


def test_ports_are_not_those_that_outgoing_connections_get(tmp_path: Path) -> None:
    first_lent = int(Path("/proc/sys/net/ipv4/ip_local_port_range").read_text().split()[0])

    chosen = remembered_ports(tmp_path / "ports.json", ("kafka", "registry", "clickhouse"))

    assert all(port < first_lent for port in chosen.values())


def test_a_port_that_another_program_took_is_replaced_and_the_rest_kept(tmp_path: Path) -> None:
    file = tmp_path / "ports.json"
    before = remembered_ports(file, ("kafka", "registry"))

    with socket.create_server((LOOPBACK, before["kafka"])):
        assert not is_free(before["kafka"])
        after = remembered_ports(file, ("kafka", "registry"))

    assert after["kafka"] != before["kafka"]
    assert after["registry"] == before["registry"]
    assert remembered_ports(file, ("kafka", "registry")) == after
