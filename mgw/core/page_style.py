"""How every HTML page that is written looks: one file that needs nothing but itself, for light and for dark."""

# Colours that people with any colour vision can tell apart (Okabe & Ito 2008), for light and for dark.
COLOURS = ("#56708a", "#e69f00", "#009e73", "#cc79a7", "#0072b2", "#d55e00")
STYLE = """
:root { color-scheme: light dark; --ink: #1b1f24; --soft: #667; --line: #d8dde3; --paper: #fff; }
@media (prefers-color-scheme: dark) { :root { --ink: #e6e9ed; --soft: #9aa4b0; --line: #39414a; --paper: #15181c; } }
body { font: 15px/1.5 system-ui, sans-serif; color: var(--ink); background: var(--paper); margin: 2rem auto;
  max-width: 60rem; padding: 0 1rem; }
h1 { font-size: 1.5rem; } h2 { font-size: 1.1rem; margin-top: 2rem; } p.note { color: var(--soft); }
.scroll { overflow-x: auto; }
table { border-collapse: collapse; font-variant-numeric: tabular-nums; }
th, td { padding: .25rem .8rem; border-bottom: 1px solid var(--line); text-align: right; white-space: nowrap; }
th:first-child { text-align: left; font-weight: 500; } td small { color: var(--soft); } td.best { font-weight: 700; }
svg { width: 100%; height: auto; } svg text { font-size: 12px; fill: var(--ink); } svg .axis { fill: var(--soft); }
.grid { stroke: var(--line); } polyline { fill: none; stroke-width: 1.5; } .bar { stroke-width: 1.5; opacity: .6; }
.key span { margin-right: 1.2rem; white-space: nowrap; }
.key i { display: inline-block; width: .8em; height: .8em; border-radius: 50%; margin-right: .4em; }
"""
