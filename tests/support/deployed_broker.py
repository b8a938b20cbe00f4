"""Mosquitto with the configuration of `deploy/`: its limits, its accounts, its rules."""

import os
import re
import signal
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path
from urllib.parse import quote

from hazwatch.embedded import free_port
from tests.support.install import mosquitto
from tests.support.servers import Child, MissingServerError

DEPLOY = Path(__file__).parents[2] / "deploy" / "mosquitto"


class DeployedBroker:
    """`deploy/mosquitto/mosquitto.conf` with ports and folders of its own.

    port: of the gateways' listener, own_port: of hazwatch's. passwords: by account.
    """

    def __init__(
        self, folder: Path, accounts: list[str], edge_nodes: Sequence[str] = (), **replaced: str
    ) -> None:
        program = mosquitto()
        if program is None:
            raise MissingServerError("mosquitto is not installed here")
        self.port, self.own_port = free_port(), free_port()
        folder.mkdir(parents=True, exist_ok=True)
        self._file = folder / "passwords"
        self.passwords = {name: self._account(name) for name in accounts}
        acl = folder / "acl"
        acl.write_text((DEPLOY / "acl").read_text("utf-8") + "".join(map(self._rules, edge_nodes)))
        (folder / "mosquitto.conf").write_text(
            self._config(folder, {"acl_file": str(acl)} | replaced)
        )
        command = [program, "-c", str(folder / "mosquitto.conf")]
        self._server = Child(command, " running", folder / "log")

    def url(self, account: str = "hazwatch") -> str:
        """For hazwatch's own listener."""
        return (
            f"mqtt://{quote(account, safe='')}:{self.passwords[account]}@127.0.0.1:{self.own_port}"
        )

    def __enter__(self) -> "DeployedBroker":
        self._server.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._server.stop(signal.SIGTERM)

    def _account(self, name: str) -> str:
        command = [sys.executable, str(DEPLOY / "account"), str(self._file), name]
        made = subprocess.run(command, check=True, capture_output=True, text=True)
        return made.stdout.strip()

    def _rules(self, name: str) -> str:
        command = [sys.executable, str(DEPLOY / "account"), "--sparkplug", name]
        made = subprocess.run(command, check=True, capture_output=True, text=True)
        return f"\n{made.stdout}"

    def _config(self, folder: Path, replaced: dict[str, str]) -> str:
        text = (DEPLOY / "mosquitto.conf").read_text("utf-8")
        values = {
            "persistence_location": f"{folder}/",
            "password_file": str(self._file),
            **replaced,
        }
        for name, value in values.items():
            text, found = re.subn(rf"(?m)^{name} .*$", f"{name} {value}", text)
            assert found == 1, f"{name} stands once in mosquitto.conf"
        text = text.replace("listener 1883", f"listener {self.port} 127.0.0.1")
        text = text.replace("listener 1884", f"listener {self.own_port} 127.0.0.1")
        return ("user root\n" if os.geteuid() == 0 else "") + text
