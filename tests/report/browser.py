"""A small W3C WebDriver client over urllib: enough to drive a headless Chromium in tests."""

import base64
import json
import shutil
import socket
import subprocess
import tempfile
import time
import urllib.request
from pathlib import Path
from typing import Any

FOUND = next(
    (p for name in ("chromium", "chromium-browser", "google-chrome") if (p := shutil.which(name))), None
)
DRIVER = shutil.which("chromedriver")


class Browser:
    """One headless Chromium with a fresh profile; a context manager."""

    def __init__(self, width: int = 1440, height: int = 900) -> None:
        self._folder = tempfile.TemporaryDirectory(ignore_cleanup_errors=True)
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            port = free.getsockname()[1]
        self._driver = subprocess.Popen(
            [str(DRIVER), f"--port={port}"], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
        )
        self._root = f"http://127.0.0.1:{port}"
        options = {
            "binary": FOUND,
            "args": [
                "--headless",
                "--no-sandbox",
                "--disable-gpu",
                "--disable-background-networking",
                "--no-first-run",
                "--disable-dev-shm-usage",
                f"--user-data-dir={self._folder.name}",
                f"--window-size={width},{height}",
                "--hide-scrollbars",
            ],
            "perfLoggingPrefs": {"enableNetwork": True, "enablePage": False},
        }
        capabilities = {
            "browserName": "chrome",
            "goog:chromeOptions": options,
            "goog:loggingPrefs": {"browser": "ALL", "performance": "ALL"},
        }
        deadline = time.monotonic() + 30
        while True:
            try:
                answer = self._send("POST", "/session", {"capabilities": {"alwaysMatch": capabilities}})
                break
            except OSError:
                if time.monotonic() > deadline:
                    self._driver.kill()
                    raise
                time.sleep(0.1)
        self._session = f"/session/{answer['sessionId']}"

    def __enter__(self) -> "Browser":
        return self

    def __exit__(self, *_: object) -> None:
        try:
            self._send("DELETE", self._session)
        finally:
            self._driver.terminate()
            self._driver.wait(timeout=10)
            self._folder.cleanup()

    def open(self, page: Path | str) -> None:
        """Opens a file or an address and waits until it is loaded."""
        address = page.resolve().as_uri() if isinstance(page, Path) else page
        self._send("POST", f"{self._session}/url", {"url": address})

    def run(self, script: str, *arguments: Any) -> Any:
        """The value that a JavaScript function body returns (awaited if it is a promise)."""
        body = (
            "const done = arguments[arguments.length - 1];"
            f"(async (...a) => {{ {script} }})(...arguments).then(done, e => done({{error: String(e)}}));"
        )
        return self._send("POST", f"{self._session}/execute/async", {"script": body, "args": list(arguments)})

    def wait(self, condition: str, seconds: float = 20) -> Any:
        """Waits until a JavaScript expression is true and returns it."""
        deadline = time.monotonic() + seconds
        while True:
            value = self.run(f"return {condition}")
            if value and not (isinstance(value, dict) and "error" in value):
                return value
            if time.monotonic() > deadline:
                raise TimeoutError(f"{condition} is {value}")
            time.sleep(0.05)

    def keys(self, text: str) -> None:
        """Types at the focus; special keys as WebDriver's private characters (Tab is \\ue004)."""
        actions = [{"type": kind, "value": key} for key in text for kind in ("keyDown", "keyUp")]
        body = {"actions": [{"type": "key", "id": "keyboard", "actions": actions}]}
        self._send("POST", f"{self._session}/actions", body)

    def move(self, x: int, y: int) -> None:
        """Moves the pointer to a place in the window."""
        actions = [{"type": "pointerMove", "duration": 0, "x": x, "y": y}]
        self._send(
            "POST",
            f"{self._session}/actions",
            {"actions": [{"type": "pointer", "id": "mouse", "actions": actions}]},
        )

    def resize(self, width: int, height: int) -> None:
        """Sets the size of the page's view, as a phone would have it."""
        self.command(
            "Emulation.setDeviceMetricsOverride",
            width=width,
            height=height,
            deviceScaleFactor=1,
            mobile=False,
        )

    def dark(self, on: bool) -> None:
        """Says that the system prefers dark (or light)."""
        features = [{"name": "prefers-color-scheme", "value": "dark" if on else "light"}]
        self.command("Emulation.setEmulatedMedia", features=features)

    def command(self, name: str, **parameters: Any) -> Any:
        """A command of the Chrome DevTools Protocol."""
        return self._send("POST", f"{self._session}/goog/cdp/execute", {"cmd": name, "params": parameters})

    def screenshot(self, path: Path | None = None, whole: bool = False) -> bytes:
        """A PNG of the view, or of the whole page."""
        if whole:
            size = self.command("Page.getLayoutMetrics")["cssContentSize"]
            clip = {"x": 0, "y": 0, "width": size["width"], "height": size["height"], "scale": 1}
            data = self.command("Page.captureScreenshot", captureBeyondViewport=True, clip=clip)["data"]
        else:
            data = self._send("GET", f"{self._session}/screenshot")
        png = base64.b64decode(data)
        if path is not None:
            path.write_bytes(png)
        return png

    def log(self, kind: str) -> list[dict[str, Any]]:
        """Console messages ("browser") or events of the network ("performance") since the last call."""
        entries: list[dict[str, Any]] = self._send("POST", f"{self._session}/se/log", {"type": kind})
        return entries

    def requests(self) -> list[str]:
        """All addresses that pages asked for since the last call."""
        addresses = []
        for entry in self.log("performance"):
            message = json.loads(entry["message"])["message"]
            if message["method"] == "Network.requestWillBeSent":
                addresses.append(message["params"]["request"]["url"])
        return addresses

    def _send(self, method: str, path: str, body: Any = None) -> Any:
        data = None if body is None else json.dumps(body).encode()
        request = urllib.request.Request(
            self._root + path, data=data, method=method, headers={"Content-Type": "application/json"}
        )
        try:
            with urllib.request.urlopen(request, timeout=90) as answer:
                return json.load(answer)["value"]
        except urllib.error.HTTPError as error:
            raise RuntimeError(f"{method} {path}: {error.read().decode()[:500]}") from error
