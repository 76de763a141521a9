"""The browser is opened, and the key is not shown to others on the computer."""

import pytest

from ui.server import opening


def test_the_browser_is_opened_without_the_key_in_what_others_can_read(tmp_path, monkeypatch):
    opened = []
    monkeypatch.setattr(opening.webbrowser, "open", opened.append)
    monkeypatch.setenv("PATH", "")  # no xdg-settings
    opening.open_browser(tmp_path, "http://127.0.0.1:7860", "k" * 43)
    assert opened == [(tmp_path / "open.html").as_uri()]
    assert (tmp_path / "open.html").stat().st_mode & 0o777 == 0o600
    assert f"url=http://127.0.0.1:7860/?token={'k' * 43}" in (tmp_path / "open.html").read_text()


@pytest.mark.parametrize(
    ("browser", "sees"), [("firefox_firefox", False), ("org.mozilla.firefox", False), ("chromium", True)]
)
def test_a_confined_browser_is_shown_where_the_key_goes(tmp_path, monkeypatch, browser, sees):
    opened = []
    tool = tmp_path / "xdg-settings"
    tool.write_text(f"#!/bin/sh\necho {browser}.desktop\n")
    tool.chmod(0o700)
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.setattr(opening.webbrowser, "open", opened.append)
    opening.open_browser(tmp_path, "http://127.0.0.1:7860", "k" * 43)
    assert opened == [(tmp_path / "open.html").as_uri() if sees else "http://127.0.0.1:7860"]
