"""Random modules for property tests, as the oracle writes them."""

from hypothesis import strategies as st

import oracle


@st.composite
def modules(
    draw: st.DrawFn,
    min_vertices: int = 2,
    max_vertices: int = 7,
    max_code: int = 2,
    connected: bool = True,
) -> oracle.Module:
    """Upper-triangular modules; dangling vertices are likely."""
    v = draw(st.integers(min_vertices, max_vertices))
    pairs = [(x, y) for y in range(v) for x in range(y)]
    chosen = draw(st.lists(st.booleans(), min_size=len(pairs), max_size=len(pairs)))
    edges = [pair for pair, present in zip(pairs, chosen, strict=True) if present]
    inner = draw(st.lists(st.integers(0, max_code), min_size=v - 2, max_size=v - 2))
    module = oracle.from_edges(v, edges, inner)
    if connected and oracle.prune(*module) is None:
        module = oracle.from_edges(v, [*edges, (0, v - 1)], inner)
    return module


@st.composite
def pruned(
    draw: st.DrawFn, min_vertices: int = 2, max_vertices: int = 7, max_code: int = 2
) -> oracle.Module:
    """Modules without dangling vertices."""
    found = oracle.prune(*draw(modules(min_vertices, max_vertices, max_code)))
    assert found is not None
    return found


@st.composite
def isomorphic_pairs(
    draw: st.DrawFn, max_vertices: int = 7, max_code: int = 2
) -> tuple[oracle.Module, oracle.Module]:
    """A pruned module, and one of its other forms."""
    module = draw(pruned(max_vertices=max_vertices, max_code=max_code))
    return module, draw(st.sampled_from(list(oracle.forms(*module))))
