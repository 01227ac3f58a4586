"""Email templates: pairs of Jinja2 files, `<name>.txt` and `<name>.html`."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from jinja2 import Environment, FileSystemLoader, StrictUndefined, select_autoescape

from lib.mail.message import Mail


class Templates:
    """Render emails. A template variable without a value is an error.

    The first line of the `.txt` is the subject. Values are escaped only in `.html`.
    """

    def __init__(self, folder: Path) -> None:
        self._environment = Environment(
            loader=FileSystemLoader(folder),
            autoescape=select_autoescape(["html"], default=False),
            undefined=StrictUndefined,
            trim_blocks=True,
            lstrip_blocks=True,
        )

    def render(self, name: str, *, mail_id: str, to: str, values: Mapping[str, object]) -> Mail:
        """Return the email. Raises jinja2.TemplateError for a missing or invalid template."""
        text = self._environment.get_template(f"{name}.txt").render(values)
        html = self._environment.get_template(f"{name}.html").render(values)
        subject, _, body = text.partition("\n")
        return Mail(mail_id, to, subject.strip(), body.strip() + "\n", html)
