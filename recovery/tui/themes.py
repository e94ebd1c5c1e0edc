"""The two looks: a calm dark one, and a light one of high contrast."""

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

THEMES = (DARK, LIGHT)
