# SPDX-License-Identifier: MIT
"""Drives a headless Chromium through a pipe, to look at pages as readers see them.

Run as `python3 reports/tests/browser.py PAGE OUT.png [WIDTH] [light|dark] [HEIGHT] [SCROLL]` to get
a picture of a page: HEIGHT 0 is all of it, SCROLL an id or a number of pixels from the top.
"""

import base64
import json
import os
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

CHROMIUM = shutil.which("chromium") or shutil.which("google-chrome")
FLAGS = ("--headless=new", "--no-sandbox", "--disable-gpu", "--hide-scrollbars",
         "--remote-debugging-pipe", "--no-first-run", "--disable-dev-shm-usage")


class Browser:
    """One page in a Chromium of its own; a context manager."""

    def __enter__(self):
        self.home = tempfile.TemporaryDirectory()
        inner_in, self.to = os.pipe()
        self.back, inner_out = os.pipe()
        self.process = subprocess.Popen(
            ["bash", "-c", f'exec "$@" 3<&{inner_in} 4>&{inner_out}', "bash", CHROMIUM, *FLAGS,
             f"--user-data-dir={self.home.name}", "about:blank"],
            pass_fds=(inner_in, inner_out), stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        os.close(inner_in)
        os.close(inner_out)
        self.number, self.pending, self.session = 0, b"", None
        target = next(one for one in self.call("Target.getTargets")["targetInfos"]
                      if one["type"] == "page")
        self.session = self.call("Target.attachToTarget", targetId=target["targetId"],
                                 flatten=True)["sessionId"]
        self.call("Page.enable")
        return self

    def __exit__(self, *_):
        os.close(self.to)
        os.close(self.back)
        self.process.terminate()
        self.process.wait()
        self.home.cleanup()

    def message(self):
        """The next message of the browser."""
        while b"\0" not in self.pending:
            read = os.read(self.back, 1 << 20)
            assert read, "the browser has gone"
            self.pending += read
        message, _, self.pending = self.pending.partition(b"\0")
        return json.loads(message)

    def call(self, method, **params):
        """The result of a command; messages before it are passed over."""
        self.number += 1
        sent = {"id": self.number, "method": method, "params": params}
        if self.session:
            sent["sessionId"] = self.session
        os.write(self.to, json.dumps(sent).encode() + b"\0")
        while (message := self.message()).get("id") != self.number:
            pass
        assert "error" not in message, message
        return message["result"]

    def open(self, page, width=1280, scheme="light", height=900):
        """Show the file `page` to a screen of `width` × `height` that prefers `scheme`."""
        self.call("Emulation.setDeviceMetricsOverride", width=width, height=height,
                  deviceScaleFactor=1, mobile=width < 600)
        self.call("Emulation.setEmulatedMedia", media="",
                  features=[{"name": "prefers-color-scheme", "value": scheme}])
        self.call("Page.navigate", url=Path(page).resolve().as_uri())
        while self.message().get("method") != "Page.loadEventFired":
            pass

    def run(self, script):
        """The value of a JavaScript expression, awaited."""
        result = self.call("Runtime.evaluate", expression=script, awaitPromise=True,
                           returnByValue=True)
        assert "exceptionDetails" not in result, result["exceptionDetails"]
        return result["result"].get("value")

    def picture(self, whole=False):
        """What is shown as PNG; `whole`: the whole page."""
        taken = self.call("Page.captureScreenshot", format="png", captureBeyondViewport=whole)
        return base64.b64decode(taken["data"])


def main(page, out, width="1280", scheme="light", height="1600", scroll="0"):
    """Write a picture."""
    with Browser() as browser:
        browser.open(page, int(width), scheme, int(height) or 900)
        if scroll.isdigit():
            browser.run(f"scrollTo(0, {scroll})")
        else:
            browser.run(f"document.getElementById({json.dumps(scroll)}).scrollIntoView()")
        print("width", browser.run("document.documentElement.clientWidth"), "content",
              browser.run("document.documentElement.scrollWidth"), "height",
              browser.run("document.documentElement.scrollHeight"))
        Path(out).write_bytes(browser.picture(whole=height == "0"))


if __name__ == "__main__":
    main(*sys.argv[1:])
