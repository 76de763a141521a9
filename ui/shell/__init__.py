"""The frame around the tabs: sidebar, status bar, theme, and what draws the tab that is open."""
