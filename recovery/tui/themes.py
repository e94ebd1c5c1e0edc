"""The two looks: a calm dark one, and a light one of high contrast; and both for terminals of sixteen colours."""

from __future__ import annotations

from textual.theme import Theme

DARK = Theme(
    name="night",
    primary="#7aa2d6",
    secondary="#8fb3b8",
    accent="#7fc7d9",
    foreground="#d7dae0",
    background="#14171c",
    surface="#1a1e25",
    panel="#232933",
    success="#7fc98f",
    warning="#e5c07b",
    error="#ef8a80",
    dark=True,
    variables={
        "muted": "#828b99",
        "footer-key-foreground": "#7fc7d9",
        "border": "#3a4352",
        "border-blurred": "#3a4352",
    },
)

LIGHT = Theme(
    name="day",
    primary="#003e8a",
    secondary="#004d57",
    accent="#00558c",
    foreground="#000000",
    background="#ffffff",
    surface="#ffffff",
    panel="#e6e9ee",
    success="#005a1e",
    warning="#7a4a00",
    error="#a80000",
    dark=False,
    variables={
        "muted": "#505050",
        "footer-key-foreground": "#003e8a",
        "border": "#4a4a4a",
        "border-blurred": "#4a4a4a",
    },
)

COARSE_DARK = Theme(
    name="night",
    primary="#55ffff",
    secondary="#55ffff",
    accent="#55ffff",
    foreground="#ffffff",
    background="#000000",
    surface="#000000",
    panel="#0000aa",
    success="#55ff55",
    warning="#ffff55",
    error="#ff5555",
    dark=True,
    variables={
        "muted": "#aaaaaa",
        "footer-key-foreground": "#55ffff",
        "border": "#aaaaaa",
        "border-blurred": "#aaaaaa",
        "primary-muted": "#0000aa",
        "warning-muted": "#555555",
    },
)

COARSE_LIGHT = Theme(
    name="day",
    primary="#0000aa",
    secondary="#0000aa",
    accent="#0000aa",
    foreground="#000000",
    background="#ffffff",
    surface="#ffffff",
    panel="#aaaaaa",
    success="#00aa00",
    warning="#aa5500",
    error="#aa0000",
    dark=False,
    variables={
        "muted": "#555555",
        "footer-key-foreground": "#0000aa",
        "border": "#555555",
        "border-blurred": "#555555",
        "primary-muted": "#aaaaaa",
        "warning-muted": "#ffff55",
    },
)

FINE, COARSE = (DARK, LIGHT), (COARSE_DARK, COARSE_LIGHT)


def themes(color_system: str | None) -> tuple[Theme, Theme]:
    """The dark and the light look for a terminal (Rich's word for its colours).

    One of sixteen colours shows the nearest of them, and the nearest to most quiet colours are greys. So it gets
    colours that it has, by the values of Rich's table of them.
    """
    return COARSE if color_system == "standard" else FINE
