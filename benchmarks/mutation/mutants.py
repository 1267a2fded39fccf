"""The mutants of a module: small wrong changes of its syntax tree, one at a time.

Operators (`Mutant.operator`):

    comparison  < to <= and to >=, == to !=, is to is not, in to not in, and back
    arithmetic  + and -, * and /, ** and // and % and @ to *, & and |; also of += and its like
    boolean     and / or, True / False, `not` and ~ taken away
    sign        a minus taken away
    constant    a number n to n + 1, in defaults, indexes and slices too
    slice       an end of a slice that is no number, one farther
    keyword     a keyword argument with a constant value left out, so that its default holds
    negation    the condition of an if, a while, a conditional expression or a comprehension
    return      a result to None
    swap        a function to its counterpart (`SWAPS`: min and max, floor and ceil, ...)
    statement   an assignment to elements of an array left out

Left as they are: texts (labels, reason codes, names of methods), docstrings, annotations,
decorators, imports, `assert`, what `raise` says, warnings, `__all__`, type variables, `strict` of
zip and the size of a cache.
"""

from __future__ import annotations

import ast
import copy
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

COMPARISONS: dict[type[ast.cmpop], tuple[type[ast.cmpop], ...]] = {
    ast.Lt: (ast.LtE, ast.GtE),
    ast.LtE: (ast.Lt, ast.Gt),
    ast.Gt: (ast.GtE, ast.LtE),
    ast.GtE: (ast.Gt, ast.Lt),
    ast.Eq: (ast.NotEq,),
    ast.NotEq: (ast.Eq,),
    ast.Is: (ast.IsNot,),
    ast.IsNot: (ast.Is,),
    ast.In: (ast.NotIn,),
    ast.NotIn: (ast.In,),
}
ARITHMETIC: dict[type[ast.operator], type[ast.operator]] = {
    ast.Add: ast.Sub,
    ast.Sub: ast.Add,
    ast.Mult: ast.Div,
    ast.Div: ast.Mult,
    ast.Pow: ast.Mult,
    ast.FloorDiv: ast.Mult,
    ast.Mod: ast.Mult,
    ast.MatMult: ast.Mult,
    ast.BitAnd: ast.BitOr,
    ast.BitOr: ast.BitAnd,
}
_PAIRS = (
    ("min", "max"),
    ("minimum", "maximum"),
    ("nanmin", "nanmax"),
    ("argmin", "argmax"),
    ("nanargmin", "nanargmax"),
    ("any", "all"),
    ("floor", "ceil"),
    ("zeros", "ones"),
    ("zeros_like", "ones_like"),
    ("cdf", "sf"),
    ("ppf", "isf"),
    ("log", "log1p"),
    ("exp", "expm1"),
    ("sin", "cos"),
    ("logical_and", "logical_or"),
)
SWAPS = {a: b for pair in _PAIRS for a, b in (pair, pair[::-1])}
UNTOUCHED_CALLS = {
    "warn",
    "simplefilter",
    "errstate",
    "TypeVar",
    "NewType",
    "debug",
    "info",
    "warning",
}
UNTOUCHED_KEYWORDS = {"strict", "maxsize"}
UNTOUCHED_NODES = (ast.Raise, ast.Assert, ast.Import, ast.ImportFrom, ast.JoinedStr, ast.pattern)
UNTOUCHED_FIELDS = {"annotation", "returns", "decorator_list", "type_params"}
MODULE = "<module>"


@dataclass(frozen=True)
class Place:
    """Where a change stands.

    `function` is the name of the innermost function around it with its classes and functions,
    ``<module>`` outside of all; `definition` the line at which that function's code begins (its
    first decorator), 0 outside of functions; `statement` the statement.
    """

    function: str
    definition: int
    statement: ast.stmt


@dataclass(frozen=True)
class Mutant:
    """One change: `node`.`name` (its `index`-th element where that is a list) becomes `new`."""

    operator: str
    place: Place
    node: ast.AST
    name: str
    index: int | None
    new: Any

    @property
    def line(self) -> int:
        """Return the line of the source at which the change stands."""
        return int(getattr(self.node, "lineno", self.place.statement.lineno))

    def put(self) -> Any:
        """Change the tree, and return what stood there."""
        return _set(self.node, self.name, self.index, self.new)

    def texts(self) -> tuple[str, str]:
        """Return the statement before and after the change, without the block below it."""
        before = _text(self.place.statement)
        if isinstance(self.new, ast.stmt):
            return before, _text(self.new)
        old = self.put()
        after = _text(self.place.statement)
        _set(self.node, self.name, self.index, old)
        return before, after


def find_mutants(tree: ast.Module) -> list[Mutant]:
    """Return all mutants of a module in the order of its text; each still refers to `tree`."""
    return list(_changes(tree, None))


def _changes(node: ast.AST, place: Place | None) -> Iterator[Mutant]:
    for name, value in ast.iter_fields(node):
        if name in UNTOUCHED_FIELDS:
            continue
        children = value if isinstance(value, list) else [value]
        for index, child in enumerate(children):
            if not isinstance(child, ast.AST) or _is_untouched(child):
                continue
            at = index if isinstance(value, list) else None
            here = _place_of(child, place)
            if here is not None:
                for operator, new in _replacements(child, node, name):
                    yield Mutant(operator, here, node, name, at, new)
            yield from _changes(child, here)


def _place_of(node: ast.AST, place: Place | None) -> Place | None:
    outer = place.function if place else MODULE
    inner = node.name if isinstance(node, ast.FunctionDef | ast.ClassDef) else ""
    name = inner if outer == MODULE else f"{outer}.{inner}"
    if isinstance(node, ast.FunctionDef):
        first = min([node.lineno, *(one.lineno for one in node.decorator_list)])
        return Place(name, first, node)
    if isinstance(node, ast.ClassDef):
        return Place(name, 0, node)
    if isinstance(node, ast.stmt):
        return Place(outer, place.definition if place else 0, node)
    return place


def _is_untouched(node: ast.AST) -> bool:
    if isinstance(node, UNTOUCHED_NODES):
        return True
    if isinstance(node, ast.Expr):
        call = node.value
        return isinstance(call, ast.Constant) or _is_untouched(call)
    if isinstance(node, ast.Assign):
        names = {target.id for target in node.targets if isinstance(target, ast.Name)}
        return "__all__" in names
    if isinstance(node, ast.keyword):
        return node.arg in UNTOUCHED_KEYWORDS
    return isinstance(node, ast.Call) and _called(node) in UNTOUCHED_CALLS


def _called(call: ast.Call) -> str:
    function = call.func
    return function.attr if isinstance(function, ast.Attribute) else getattr(function, "id", "")


def _replacements(node: ast.AST, parent: ast.AST, name: str) -> Iterator[tuple[str, Any]]:
    """Give the operator and the new node for each change of a node as a whole."""
    match node:
        case ast.Compare(ops=[one]):
            for new in COMPARISONS[type(one)]:
                yield "comparison", _with(node, ops=[new()])
        case ast.Compare(ops=several):
            for i, one in enumerate(several):
                new = COMPARISONS[type(one)][0]
                yield "comparison", _with(node, ops=[*several[:i], new(), *several[i + 1 :]])
        case ast.BinOp(op=one) | ast.AugAssign(op=one) if type(one) in ARITHMETIC:
            if not _is_type_union(node):
                yield "arithmetic", _with(node, op=ARITHMETIC[type(one)]())
        case ast.BoolOp(op=one):
            yield "boolean", _with(node, op=ast.Or() if isinstance(one, ast.And) else ast.And())
        case ast.UnaryOp(op=ast.Not() | ast.Invert()):
            yield "boolean", node.operand
        case ast.UnaryOp(op=ast.USub()):
            yield "sign", node.operand
        case ast.Constant(value=bool(flag)):
            yield "boolean", ast.Constant(not flag)
        case ast.Constant(value=int() | float()):
            yield "constant", ast.Constant(node.value + 1)
        case ast.Return(value=result) if result is not None and not _is_none(result):
            yield "return", _with(node, value=ast.Constant(None))
        case ast.Name(id=called) | ast.Attribute(attr=called) if (
            called in SWAPS and isinstance(parent, ast.Call) and name == "func"
        ):
            key = "id" if isinstance(node, ast.Name) else "attr"
            yield "swap", _with(node, **{key: SWAPS[called]})
        case ast.Call(keywords=keywords):
            for i, one in enumerate(keywords):
                if one.arg and not _is_untouched(one) and _is_constant(one.value):
                    yield "keyword", _with(node, keywords=keywords[:i] + keywords[i + 1 :])
        case ast.If(test=test) | ast.While(test=test) | ast.IfExp(test=test):
            yield "negation", _with(node, test=ast.UnaryOp(ast.Not(), test))
        case ast.comprehension(ifs=[_, *_] as ifs):
            for i, one in enumerate(ifs):
                new = [*ifs[:i], ast.UnaryOp(ast.Not(), one), *ifs[i + 1 :]]
                yield "negation", _with(node, ifs=new)
        case ast.Slice():
            for end in ("lower", "upper"):
                value = getattr(node, end)
                if value is not None and not _is_constant(value):
                    new = ast.BinOp(value, ast.Add(), ast.Constant(1))
                    yield "slice", _with(node, **{end: new})
        case ast.Assign(targets=[ast.Subscript()]):
            yield "statement", ast.Pass()


def _is_none(node: ast.expr) -> bool:
    return isinstance(node, ast.Constant) and node.value is None


def _is_constant(node: ast.expr) -> bool:
    inner = node.operand if isinstance(node, ast.UnaryOp) else node
    return isinstance(inner, ast.Constant)


def _is_type_union(node: ast.AST) -> bool:
    """Return whether a `|` joins types (`NDArray[np.float64] | None`), which computes nothing."""
    if not (isinstance(node, ast.BinOp) and isinstance(node.op, ast.BitOr)):
        return False
    names = {"int", "float", "str", "bool", "NDArray", "ArrayLike", "Sequence", "Mapping"}
    sides = (node.left, node.right)
    return any(_is_none(one) or (isinstance(one, ast.Name) and one.id in names) for one in sides)


def _with(node: Any, **fields: Any) -> Any:
    new = copy.copy(node)
    for name, value in fields.items():
        setattr(new, name, value)
    return new


def _set(node: ast.AST, name: str, index: int | None, new: Any) -> Any:
    if index is None:
        old = getattr(node, name)
        setattr(node, name, new)
    else:
        children = getattr(node, name)
        old, children[index] = children[index], new
    return old


def _text(statement: ast.stmt) -> str:
    """Return a statement as text, without the block below it and without its decorators."""
    blocks: dict[str, list[Any]] = {
        name: []
        for name in ("body", "orelse", "finalbody", "handlers", "cases", "decorator_list")
        if isinstance(getattr(statement, name, None), list)
    }
    return ast.unparse(ast.fix_missing_locations(_with(statement, **blocks)))
