"""Small expressions over the variables of a call: `party_size > 8 and day == "sunday"`.

They are written as in Python, of which there is little: `and`, `or`, `not`, comparisons, `in`, the four operations and
`%`, lists, and the functions `contains`, `empty`, `length`, `lower` and `number`. They are made for what callers say:
texts are compared without regard to case, "8" is the number 8, and a comparison with a variable that has no value, or
with something of another kind, does not hold.
"""

from __future__ import annotations

import ast
import itertools
import operator
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import lru_cache, reduce
from typing import Any

LONGEST = 500
"""Characters of an expression."""
LARGEST_TEXT = 10_000
"""Characters that an expression may make."""

Value = str | int | float | bool | None | list[Any]
Variables = Mapping[str, object]
_Run = Callable[[Variables], Any]


class ExpressionError(ValueError):
    """An expression cannot be read, or has no value. The text says why, in a sentence."""


@dataclass(frozen=True, slots=True)
class Expression:
    """A parsed expression. Equal texts share one."""

    text: str
    names: frozenset[str]
    """The variables that it reads."""
    _run: _Run = field(repr=False, compare=False)
    _tree: ast.expr = field(repr=False, compare=False)

    def value(self, variables: Variables) -> Any:
        """What it comes to. Raises ExpressionError where it has no value, as 1 / 0."""
        try:
            return self._run(variables)
        except ExpressionError:
            raise
        except (TypeError, ValueError, ArithmeticError, RecursionError) as error:
            raise ExpressionError(f"“{self.text}” has no value: {error}.") from error

    def holds(self, variables: Variables) -> bool:
        """Whether it is true. One that has no value does not hold."""
        try:
            return bool(self.value(variables))
        except ExpressionError:
            return False


@lru_cache(maxsize=4096)
def parse(text: str) -> Expression:
    """Read an expression. Raises ExpressionError."""
    if not text.strip():
        raise ExpressionError("An expression is missing.")
    if len(text) > LONGEST:
        raise ExpressionError(f"An expression has at most {LONGEST} characters.")
    if "{{" in text:
        raise ExpressionError(f"“{text}” cannot be read: write variables without braces.")
    try:
        tree = ast.parse(text.strip(), mode="eval").body
    except (SyntaxError, ValueError, MemoryError, RecursionError) as error:
        raise ExpressionError(f"“{text}” cannot be read{_hint(text)}.") from error
    names: set[str] = set()
    return Expression(text, frozenset(names_in(tree, names)), _compiled(tree), tree)


def names_in(tree: ast.expr, found: set[str]) -> set[str]:
    functions = {id(node.func) for node in ast.walk(tree) if isinstance(node, ast.Call)}
    for node in ast.walk(tree):
        if isinstance(node, ast.Name) and id(node) not in functions and node.id.lower() not in _WORDS:
            found.add(node.id)
    return found


def _hint(text: str) -> str:
    if "&&" in text or "||" in text:
        return ": write “and” and “or”"
    if "=" in text.replace("==", "").replace("!=", "").replace("<=", "").replace(">=", ""):
        return ": write == to compare"
    return ""


# --- what they may be made of

_WORDS: Mapping[str, Value] = {"true": True, "false": False, "none": None, "null": None}


def _number(value: object) -> float | int | None:
    """The number that a value is, or that a text says."""
    if isinstance(value, bool) or value is None:
        return None
    if isinstance(value, int | float):
        return value
    if isinstance(value, str):
        try:
            return int(value) if value.strip().lstrip("+-").isdigit() else float(value)
        except ValueError:
            return None
    return None


def _plain(value: object) -> object:
    """What values are compared by: texts without case and spaces around them."""
    return value.strip().casefold() if isinstance(value, str) else value


def _equal(left: object, right: object) -> bool:
    if isinstance(left, bool) or isinstance(right, bool):
        return _truth(left) is _truth(right) if _truth(left) is not None else False
    numbers = _number(left), _number(right)
    if None not in numbers:
        return numbers[0] == numbers[1]
    return _plain(left) == _plain(right)


def _truth(value: object) -> bool | None:
    if isinstance(value, str):
        return {"true": True, "yes": True, "false": False, "no": False}.get(value.strip().casefold())
    return value if isinstance(value, bool) else None


def _ordered(compare: Callable[[Any, Any], bool]) -> Callable[[object, object], bool]:
    """A comparison that holds only between two numbers or two texts (dates and times are texts in ISO 8601)."""

    def holds(left: object, right: object) -> bool:
        numbers = _number(left), _number(right)
        if None not in numbers:
            return compare(*numbers)
        if isinstance(left, str) and isinstance(right, str):
            return compare(_plain(left), _plain(right))
        return False

    return holds


def _within(part: object, whole: object) -> bool:
    """Whether a text has another in it, or a list an item."""
    if isinstance(whole, str):
        return part is not None and str(_plain(str(part))) in whole.casefold()
    return isinstance(whole, list | tuple) and any(_equal(part, item) for item in whole)


def _empty(value: object) -> bool:
    return value is None or (isinstance(value, str) and not value.strip()) or value in ([], {})


def _length(value: object) -> int:
    return 0 if value is None else len(value) if isinstance(value, list | tuple | dict) else len(str(value))


def _arithmetic(work: Callable[[Any, Any], Any]) -> Callable[[object, object], object]:
    def run(left: object, right: object) -> object:
        numbers = _number(left), _number(right)
        if None in numbers:
            missing = left if numbers[0] is None else right
            raise ExpressionError(f"“{missing}” is no number." if missing is not None else "A number is missing.")
        return work(*numbers)

    return run


def _plus(left: object, right: object) -> object:
    """The sum of numbers; texts behind each other."""
    if None not in (_number(left), _number(right)):
        return _arithmetic(operator.add)(left, right)
    text = "".join("" if part is None else str(part) for part in (left, right))
    if len(text) > LARGEST_TEXT:
        raise ExpressionError(f"A text has at most {LARGEST_TEXT} characters.")
    return text


_COMPARE: Mapping[type[ast.cmpop], Callable[[object, object], bool]] = {
    ast.Eq: _equal,
    ast.NotEq: lambda left, right: not _equal(left, right),
    ast.Lt: _ordered(operator.lt),
    ast.LtE: _ordered(operator.le),
    ast.Gt: _ordered(operator.gt),
    ast.GtE: _ordered(operator.ge),
    ast.In: _within,
    ast.NotIn: lambda part, whole: not _within(part, whole),
}
_OPERATE: Mapping[type[ast.operator], Callable[[object, object], object]] = {
    ast.Add: _plus,
    ast.Sub: _arithmetic(operator.sub),
    ast.Mult: _arithmetic(operator.mul),
    ast.Div: _arithmetic(operator.truediv),
    ast.Mod: _arithmetic(operator.mod),
}
FUNCTIONS: Mapping[str, tuple[int, Callable[..., object]]] = {
    "contains": (2, lambda whole, part: _within(part, whole)),
    "empty": (1, _empty),
    "length": (1, _length),
    "lower": (1, lambda value: str(value).lower() if value is not None else ""),
    "number": (1, _number),
}
"""The functions, with how many arguments they take."""


def _compiled(node: ast.expr) -> _Run:
    """What computes a node. Raises ExpressionError for what an expression may not be made of."""
    match node:
        case ast.Constant(value=str() | int() | float() | None as constant):
            return lambda variables: constant
        case ast.Name(id=name) if name.lower() in _WORDS:
            return lambda variables: _WORDS[name.lower()]
        case ast.Name(id=name):
            return lambda variables: variables.get(name)
        case ast.List(elts=items) | ast.Tuple(elts=items):
            runs = [_compiled(item) for item in items]
            return lambda variables: [run(variables) for run in runs]
        case ast.BoolOp(op=op, values=values):
            runs, together = [_compiled(value) for value in values], all if isinstance(op, ast.And) else any
            return lambda variables: together(run(variables) for run in runs)
        case ast.UnaryOp(op=ast.Not(), operand=operand):
            run = _compiled(operand)
            return lambda variables: not run(variables)
        case ast.UnaryOp(op=ast.USub(), operand=operand):
            run = _compiled(operand)
            return lambda variables: _arithmetic(operator.sub)(0, run(variables))
        case ast.BinOp(op=op, left=left, right=right) if type(op) in _OPERATE:
            work, first, second = _OPERATE[type(op)], _compiled(left), _compiled(right)
            return lambda variables: work(first(variables), second(variables))
        case ast.Compare(left=left, ops=ops, comparators=others) if all(type(op) in _COMPARE for op in ops):
            return _comparison([_compiled(each) for each in (left, *others)], [_COMPARE[type(op)] for op in ops])
        case ast.Call(func=ast.Name(id=name), args=arguments, keywords=[]) if name in FUNCTIONS:
            return _call(name, [_compiled(argument) for argument in arguments])
        case ast.Call(func=ast.Name(id=name)):
            raise ExpressionError(f"There is no function {name}; there are {', '.join(FUNCTIONS)}.")
    raise ExpressionError(f"“{ast.unparse(node)}” is more than an expression may say.")


def _comparison(values: Sequence[_Run], compares: Sequence[Callable[[object, object], bool]]) -> _Run:
    def run(variables: Variables) -> bool:
        found = [value(variables) for value in values]
        return all(compare(left, right) for compare, left, right in zip(compares, found, found[1:], strict=False))

    return run


def _call(name: str, arguments: Sequence[_Run]) -> _Run:
    count, function = FUNCTIONS[name]
    if len(arguments) != count:
        raise ExpressionError(f"{name} takes {count} value{'s' if count > 1 else ''}, not {len(arguments)}.")
    return lambda variables: function(*(argument(variables) for argument in arguments))


# --- what can be said of them without a call

_MOST_TRIALS = 5_000
Domains = Mapping[str, Sequence[object]]


def matching(conditions: Sequence[str], domains: Domains | None = None) -> list[bool | None]:
    """Of conditions that are tried in order, whether each can ever be the first to hold; None where that is not known.

    `domains` are all the values that a variable can have, where they are known. It is found out by trying: where
    variables are only compared with constants, the constants themselves, what lies between them and what lies beyond
    them stand for all values.
    """
    expressions = [parse(condition) for condition in conditions]
    names = sorted({name for expression in expressions for name in expression.names})
    known = {name: _candidates(name, expressions, domains or {}) for name in names}
    trials = reduce(operator.mul, (len(values) if values else 1 for values in known.values()), 1)
    if trials > _MOST_TRIALS or any(values is None for values in known.values()):
        return [_by_itself(expression, domains or {}) for expression in expressions] if len(conditions) > 1 else [None]
    found = [False] * len(expressions)
    for variables in _grid({name: values for name, values in known.items() if values}):
        first = next((place for place, each in enumerate(expressions) if each.holds(variables)), None)
        if first is not None:
            found[first] = True
    return list(found)


def _by_itself(expression: Expression, domains: Domains) -> bool | None:
    return matching([expression.text], domains)[0]


def always(condition: str, domains: Domains | None = None) -> bool:
    """Whether a condition holds whatever the variables are, as far as that can be told."""
    return matching([condition, "true"], domains) == [True, False]


def _grid(known: Mapping[str, Sequence[object]]) -> Iterable[dict[str, object]]:
    return (dict(zip(known, values, strict=True)) for values in itertools.product(*known.values()))


def _candidates(name: str, expressions: Sequence[Expression], domains: Domains) -> list[object] | None:
    """Values that stand for all that the variable can have; None if it is not only compared with constants."""
    if name in domains:
        return [*domains[name]]
    constants: list[object] = []
    for expression in expressions:
        if name in expression.names and not _compared(expression._tree, name, constants):
            return None
    numbers = sorted({number for constant in constants if (number := _number(constant)) is not None})
    between = [(low + high) / 2 for low, high in itertools.pairwise(numbers)]
    beyond = [numbers[0] - 1, numbers[-1] + 1] if numbers else [0, 1]
    texts = sorted({constant for constant in constants if isinstance(constant, str)})
    around = [text + suffix for text in texts for suffix in ("", "\x00")]
    return [None, "", "\x00", "\uffff", True, False, *numbers, *between, *beyond, *around]


def _compared(tree: ast.expr, name: str, constants: list[object]) -> bool:
    """Whether the variable is only compared with constants, asked whether it is empty, or taken for true or false.
    `constants` takes those."""

    def is_it(node: ast.expr) -> bool:
        return isinstance(node, ast.Name) and node.id == name

    def visit(node: ast.expr) -> bool:
        match node:
            case ast.BoolOp(values=values):
                return all(visit(value) for value in values)
            case ast.UnaryOp(op=ast.Not(), operand=operand):
                return visit(operand)
            case ast.Call(func=ast.Name(id="empty"), args=[ast.Name()]) | ast.Name() | ast.Constant():
                return True
            case ast.Compare(left=left, comparators=others) if any(map(is_it, (left, *others))):
                values = [other for other in (left, *others) if not is_it(other)]
                found = [_constants(value) for value in values]
                constants.extend(item for one in found if one for item in one)
                return all(one is not None for one in found) and not _searches(node, is_it)
        return not any(is_it(part) for part in ast.walk(node) if isinstance(part, ast.expr))

    return visit(tree)


def _searches(node: ast.Compare, is_it: Callable[[ast.expr], bool]) -> bool:
    """Whether something is looked for within the variable, or it within a text: no few values stand for all then."""
    return any(
        isinstance(op, ast.In | ast.NotIn) and not (is_it(left) and isinstance(right, ast.List | ast.Tuple))
        for op, left, right in zip(node.ops, (node.left, *node.comparators), node.comparators, strict=False)
    )


def _constants(node: ast.expr) -> list[object] | None:
    """The values of a constant or of a list of them."""
    match node:
        case ast.Constant(value=value):
            return [value]
        case ast.Name(id=name) if name.lower() in _WORDS:
            return [_WORDS[name.lower()]]
        case ast.UnaryOp(op=ast.USub(), operand=ast.Constant(value=int() | float() as value)):
            return [-value]
        case ast.List(elts=items) | ast.Tuple(elts=items):
            found = [_constants(item) for item in items]
            return None if any(one is None for one in found) else [item for one in found for item in one or ()]
    return None
