"""The few drawings that the window uses, as inline SVG that takes the colour of the text around it."""

from markupsafe import Markup


def _icon(path: str, size: int = 16) -> Markup:
    return Markup(
        '<svg class="icon" width="{0}" height="{0}" viewBox="0 0 16 16" fill="none" stroke="currentColor" '
        'stroke-width="1.5" stroke-linecap="round" stroke-linejoin="round" aria-hidden="true">{1}</svg>'
    ).format(size, Markup(path))


CHECK = _icon('<path d="M3 8.5l3.5 3.5L13 4.5"/>')
CROSS = _icon('<path d="M4 4l8 8M12 4l-8 8"/>')
DOTS = _icon('<circle cx="3.5" cy="8" r=".6"/><circle cx="8" cy="8" r=".6"/><circle cx="12.5" cy="8" r=".6"/>')
FIND = _icon('<circle cx="7" cy="7" r="4.4"/><path d="M10.4 10.4l3.4 3.4"/>')
HELP = _icon(
    '<circle cx="8" cy="8" r="6.2"/><path d="M6.2 6.3a1.9 1.9 0 1 1 2.6 1.8c-.6.3-.8.6-.8 1.2"/><path d="M8 11.4v.1"/>'
)
LISTS = _icon('<path d="M2.5 4h11M2.5 8h11M2.5 12h11"/>')
MOON = _icon('<path d="M13.2 9.6A5.6 5.6 0 0 1 6.4 2.8a5.6 5.6 0 1 0 6.8 6.8z"/>')
NOTE = _icon('<circle cx="8" cy="8" r="6.2"/><path d="M8 7.2v4M8 4.8v.1"/>')
PLUS = _icon('<path d="M8 3v10M3 8h10"/>')
SUN = _icon(
    '<circle cx="8" cy="8" r="2.8"/><path d="M8 1.4v1.2M8 13.4v1.2M1.4 8h1.2M13.4 8h1.2M3.3 3.3l.9.9M11.8 11.8l.9.9'
    'M3.3 12.7l.9-.9M11.8 4.2l.9-.9"/>'
)
WARN = _icon('<path d="M8 2.2l6.2 11H1.8z"/><path d="M8 6.6v3M8 11.4v.1"/>')

LOGO = Markup(
    '<svg class="logo" width="22" height="22" viewBox="0 0 32 32" aria-hidden="true">'
    '<rect class="logo-back" x="1" y="1" width="30" height="30" rx="8"/>'
    '<path class="logo-dial" d="M7 21a9 9 0 0 1 18 0" fill="none" stroke-width="2.4" stroke-linecap="round"/>'
    '<path class="logo-hand" d="M16 21l5-7" fill="none" stroke-width="2.4" stroke-linecap="round"/>'
    '<circle class="logo-knob" cx="16" cy="21" r="2.4"/></svg>'
)
