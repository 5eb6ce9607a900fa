"""A headless Chromium, driven over a pipe by its DevTools protocol: no port, no driver, no package."""

import json
import os
import pathlib
import shutil
import signal
import tempfile
from collections.abc import Iterator
from typing import Any

import pytest

NAMES = ("chromium", "chromium-browser", "google-chrome")


class Chromium:
    """One browser, with one page."""

    def __init__(self, program: str, profile: str) -> None:
        command_read, self._commands = os.pipe()
        self._answers, answer_write = os.pipe()
        # Root, as in a container, has no sandbox; the pages are our own.
        flags = [
            "--headless",
            "--no-sandbox",
            "--disable-gpu",
            "--no-first-run",
            "--disable-background-networking",
            "--disable-dev-shm-usage",
            "--hide-scrollbars",
            f"--user-data-dir={profile}",
            "--remote-debugging-pipe",
            "about:blank",
        ]
        silence = os.open(os.devnull, os.O_RDWR)
        # Chromium reads commands from descriptor 3 and answers on 4; both ends may be 3 or 4 here, so by way of others.
        moves = [(os.POSIX_SPAWN_DUP2, command_read, 60), (os.POSIX_SPAWN_DUP2, answer_write, 61)]
        moves += [(os.POSIX_SPAWN_DUP2, 60, 3), (os.POSIX_SPAWN_DUP2, 61, 4)]
        moves += [(os.POSIX_SPAWN_DUP2, silence, fd) for fd in (0, 1, 2)]
        moves += [(os.POSIX_SPAWN_CLOSE, fd) for fd in (60, 61)]
        self._pid = os.posix_spawn(program, [program, *flags], os.environ, file_actions=moves, setpgroup=0)
        for fd in (command_read, answer_write, silence):
            os.close(fd)
        self._rest = b""
        self._sent = 0
        self._session: str | None = None
        self.events: list[dict[str, Any]] = []
        target = next(t for t in self("Target.getTargets")["targetInfos"] if t["type"] == "page")
        attached = self("Target.attachToTarget", targetId=target["targetId"], flatten=True)
        self._session = attached["sessionId"]
        for domain in ("Page", "Runtime", "Log", "Network", "DOM"):
            self(f"{domain}.enable")

    def __call__(self, method: str, **params: Any) -> Any:
        """Sends a command and waits for its answer; events that come before it are kept."""
        self._sent += 1
        message = {"id": self._sent, "method": method, "params": params}
        if self._session is not None:
            message["sessionId"] = self._session
        os.write(self._commands, json.dumps(message).encode() + b"\0")
        while True:
            answer = self._next()
            if answer.get("id") == self._sent:
                assert "error" not in answer, (method, answer["error"])
                return answer["result"]
            self.events.append(answer)

    def _next(self) -> dict[str, Any]:
        while b"\0" not in self._rest:
            part = os.read(self._answers, 1 << 20)
            assert part, "chromium ended"
            self._rest += part
        message, _, self._rest = self._rest.partition(b"\0")
        return json.loads(message)

    def open(
        self, page: pathlib.Path, *, width: int = 1280, height: int = 900, dark: bool = False, scripts: bool = True
    ) -> None:
        """Loads a file from disk as a screen of that size shows it; without `scripts` those of the page never run."""
        self.resize(width, height)
        scheme = "dark" if dark else "light"
        self("Emulation.setEmulatedMedia", media="", features=[{"name": "prefers-color-scheme", "value": scheme}])
        self("Emulation.setScriptExecutionDisabled", value=not scripts)
        self.events.clear()
        self("Page.navigate", url=page.absolute().as_uri())
        while not any(event["method"] == "Page.loadEventFired" for event in self.events):
            self.events.append(self._next())
        self("Emulation.setScriptExecutionDisabled", value=False)

    def resize(self, width: int, height: int) -> None:
        """Changes the size of the screen, which is a phone's below 600 pixels."""
        self(
            "Emulation.setDeviceMetricsOverride",
            width=width,
            height=height,
            deviceScaleFactor=1,
            mobile=width < 600,
        )

    def run(self, script: str) -> Any:
        """The value of an expression in the page."""
        told = self("Runtime.evaluate", expression=script, returnByValue=True, awaitPromise=True)
        assert "exceptionDetails" not in told, told["exceptionDetails"]
        return told["result"].get("value")

    def click(self, element: str) -> None:
        """Clicks in the middle of what an expression yields."""
        self.run(f"{element}.scrollIntoView({{block: 'center'}})")
        x, y = self.run(f"(r => [r.x + r.width / 2, r.y + r.height / 2])({element}.getBoundingClientRect())")
        for kind in ("mousePressed", "mouseReleased"):
            self("Input.dispatchMouseEvent", type=kind, x=x, y=y, button="left", clickCount=1)

    def press(self, *keys: str) -> None:
        """Presses keys: those with a name, and letters."""
        codes = {"Backspace": 8, "Tab": 9, "Enter": 13, "Space": 32, "ArrowDown": 40}
        texts = {"Enter": "\r", "Space": " "}
        for key in keys:
            text = texts.get(key, "" if key in codes else key)
            name = " " if key == "Space" else key
            common = {"key": name, "code": key, "windowsVirtualKeyCode": codes.get(key, 0)}
            self("Input.dispatchKeyEvent", type="keyDown", text=text, **common)
            self("Input.dispatchKeyEvent", type="keyUp", **common)

    def close(self) -> None:
        """Ends it."""
        os.close(self._commands)
        os.close(self._answers)
        # Its helpers share the group that it leads.
        os.killpg(self._pid, signal.SIGKILL)
        os.waitpid(self._pid, 0)


@pytest.fixture(scope="session")
def chromium() -> Iterator[Chromium]:
    """The browser that all tests share."""
    program = next(filter(None, map(shutil.which, NAMES)), None)
    if program is None:
        pytest.skip(f"no browser: install one of {', '.join(NAMES)} to look at the report in it")
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as profile:
        browser = Chromium(program, profile)
        yield browser
        browser.close()
