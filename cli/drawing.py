"""What is made from what, drawn: as text, as mermaid, as SVG."""

from __future__ import annotations

from html import escape

from ..compiler.program import Node, Program

COLOURS = {"data": "#2563eb", "model": "#9333ea", "service": "#059669"}


def text(program: Program) -> str:
    """Each block under its longest line of descent, what it is made from after an arrow."""
    depth = depths(program)
    width = max((2 * depth[node.name] + len(node.title) for node in program.nodes), default=0)
    lines = []
    for node in program.nodes:
        title = "  " * depth[node.name] + node.title
        inputs = ", ".join(item.name for item in node.inputs)
        source = (
            f'{node.recipe.word} "{node.recipe.place}"' if node.recipe.place and not node.inputs else node.recipe.word
        )
        lines.append(f"{title:{width}}  {node.kind:7}  {f'<- {inputs} by ' if inputs else '<- '}{source}")
    return "\n".join(lines)


def mermaid(program: Program) -> str:
    shapes = {"data": '["{}"]', "model": '(["{}"])', "service": '{{{{"{}"}}}}'}
    number = {name: i for i, node in enumerate(program.nodes) for name in node.names}
    lines = ["flowchart LR"]
    lines += [f"  n{i}{shapes[node.kind].format(node.title)}" for i, node in enumerate(program.nodes)]
    for i, node in enumerate(program.nodes):
        lines += [f"  n{number[item.name]} --> n{i}" for item in node.inputs]
        lines += [f"  n{number[name]} -.-> n{i}" for name in node.reads if name in number]
    return "\n".join(lines)


def depths(program: Program) -> dict[str, int]:
    found: dict[str, int] = {}
    for node in program.nodes:
        depth = max((found[item.name] + 1 for item in node.inputs if item.name in found), default=0)
        found |= dict.fromkeys(node.names, depth)
    return found


HEIGHT, GAP, MARGIN, CHARACTER = 44, 18, 24, 7.4


def svg(program: Program) -> str:
    """Columns by depth, left to right; lines for what goes in, dotted for what is only measured on."""
    depth = depths(program)
    columns: dict[int, list[Node]] = {}
    for node in program.nodes:
        columns.setdefault(depth[node.name], []).append(node)
    widths = {i: max(_width(node) for node in nodes) for i, nodes in columns.items()}
    places: dict[str, tuple[float, float, float]] = {}
    x: float = MARGIN
    for i in sorted(columns):
        for row, node in enumerate(columns[i]):
            places |= dict.fromkeys(node.names, (x, MARGIN + row * (HEIGHT + GAP), widths[i]))
        x += widths[i] + 64
    height = max((len(nodes) for nodes in columns.values()), default=0) * (HEIGHT + GAP) + MARGIN * 2 - GAP
    parts = [f'<svg xmlns="http://www.w3.org/2000/svg" width="{x - 64 + MARGIN:.0f}" height="{height:.0f}" '
             f'font-family="ui-sans-serif, system-ui, sans-serif" font-size="13">']  # fmt: skip
    for node in program.nodes:
        parts += [_edge(places[item.name], places[node.name], "") for item in node.inputs if item.name in places]
        parts += [
            _edge(places[name], places[node.name], ' stroke-dasharray="3 4"') for name in node.reads if name in places
        ]
    parts += [_box(node, *places[node.name]) for node in program.nodes]
    return "\n".join([*parts, "</svg>"])


def _width(node: Node) -> float:
    """Of the longer of a box's two lines; the second is set smaller."""
    return max(len(node.title) * CHARACTER, len(f"{node.kind} · {node.recipe.word}") * CHARACTER * 0.85) + 32


def _edge(start: tuple[float, float, float], end: tuple[float, float, float], style: str) -> str:
    x1, y1, x2, y2 = start[0] + start[2], start[1] + HEIGHT / 2, end[0], end[1] + HEIGHT / 2
    middle = (x1 + x2) / 2
    return (f'<path d="M{x1:.0f} {y1:.0f} C{middle:.0f} {y1:.0f} {middle:.0f} {y2:.0f} {x2:.0f} {y2:.0f}" '
            f'fill="none" stroke="#94a3b8" stroke-width="1.5"{style}/>')  # fmt: skip


def _box(node: Node, x: float, y: float, width: float) -> str:
    colour = COLOURS[node.kind]
    return (
        f'<g><rect x="{x:.0f}" y="{y:.0f}" width="{width:.0f}" height="{HEIGHT}" rx="8" fill="#fff" stroke="{colour}" stroke-width="1.5"/>'
        f'<text x="{x + 16:.0f}" y="{y + 19:.0f}" fill="#0f172a" font-weight="600">{escape(node.title)}</text>'
        f'<text x="{x + 16:.0f}" y="{y + 34:.0f}" fill="{colour}" font-size="11">{node.kind} · {escape(node.recipe.word)}</text></g>'
    )
