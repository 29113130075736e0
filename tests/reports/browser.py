"""A real browser for tests of pages: Chromium without a window, over its DevTools protocol."""

import json
import shutil
import subprocess
import tempfile
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Iterator, List, Optional

import pytest

NAMES = ("chromium", "chromium-browser", "google-chrome", "chrome")
TIMEOUT = 30


def find_browser() -> Optional[str]:
    """Return the browser's path; None where there is none."""
    return next(filter(None, map(shutil.which, NAMES)), None)


needs_browser = pytest.mark.skipif(find_browser() is None, reason="no Chromium is installed")


class Tab:
    """A page that is open.

    complaints (List[str]): What the console and failed requests said, so far.
    """

    def __init__(self, socket: Any) -> None:
        self.socket = socket
        self.complaints: List[str] = []
        self.number = 0

    def call(self, method: str, **params: Any) -> Any:
        """Call a method of the protocol and wait for its answer."""
        self.number += 1
        self.socket.send(json.dumps({"id": self.number, "method": method, "params": params}))
        while True:
            message = json.loads(self.socket.recv())
            self._note(message)
            if message.get("id") == self.number:
                assert "error" not in message, message
                return message["result"]

    def wait_for(self, event: str) -> None:
        """Wait for an event."""
        while True:
            message = json.loads(self.socket.recv())
            self._note(message)
            if message.get("method") == event:
                return

    def run(self, script: str) -> Any:
        """Return the value of an expression on the page."""
        found = self.call("Runtime.evaluate", expression=script, returnByValue=True)
        assert "exceptionDetails" not in found, found
        return found["result"].get("value")

    def _note(self, message: Any) -> None:
        params = message.get("params", {})
        method = message.get("method")
        if method == "Runtime.exceptionThrown":
            self.complaints.append(str(params["exceptionDetails"]))
        elif method == "Runtime.consoleAPICalled" and params["type"] in ("error", "warning"):
            self.complaints.append(str(params["args"]))
        elif method == "Log.entryAdded" and params["entry"]["level"] in ("error", "warning"):
            self.complaints.append(params["entry"]["text"])
        elif method == "Network.requestWillBeSent":
            url = params["request"]["url"]
            if not url.startswith(("file:", "data:")):
                self.complaints.append(f"asked for {url}")


@contextmanager
def open_page(path: Path) -> Iterator[Tab]:
    """Open a file in a new browser and wait until it is loaded."""
    websocket = pytest.importorskip("websocket")
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as profile:
        command = [str(find_browser()), "--headless", "--no-sandbox", "--disable-gpu"]
        command += ["--remote-debugging-port=0", f"--user-data-dir={profile}", "about:blank"]
        socket: Any = None
        process = subprocess.Popen(command, stderr=subprocess.PIPE, text=True)
        try:
            socket = websocket.create_connection(_find_tab(process), timeout=TIMEOUT,
                                                 suppress_origin=True)  # fmt: skip
            tab = Tab(socket)
            for domain in ("Runtime", "Log", "Network", "Page"):
                tab.call(f"{domain}.enable")
            tab.call("Page.navigate", url=path.resolve().as_uri())
            tab.wait_for("Page.loadEventFired")
            yield tab
        finally:
            if socket is not None:
                socket.close()
            process.kill()
            process.wait()
            if process.stderr is not None:
                process.stderr.close()


def _find_tab(process: "subprocess.Popen[str]") -> str:
    """Read the browser's port off its log and ask for the address of the open tab."""
    from urllib.request import urlopen

    for line in process.stderr or ():
        if "DevTools listening on" in line:
            address = line.split()[-1]
            port = address.split(":")[2].split("/")[0]
            with urlopen(f"http://127.0.0.1:{port}/json", timeout=TIMEOUT) as answer:
                tabs = json.load(answer)
            return next(tab["webSocketDebuggerUrl"] for tab in tabs if tab["type"] == "page")
    raise AssertionError("the browser ended before it listened")
