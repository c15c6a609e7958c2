"""The faults: comparisons, arithmetic, logic, constants, defaults, returned values and whole statements."""

import ast
import copy
import difflib
import itertools
import random
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

COMPARISONS: dict[type[ast.cmpop], tuple[type[ast.cmpop], ...]] = {
    ast.Lt: (ast.LtE, ast.GtE), ast.LtE: (ast.Lt, ast.Gt), ast.Gt: (ast.GtE, ast.LtE),
    ast.GtE: (ast.Gt, ast.Lt), ast.Eq: (ast.NotEq,), ast.NotEq: (ast.Eq,), ast.Is: (ast.IsNot,),
    ast.IsNot: (ast.Is,), ast.In: (ast.NotIn,), ast.NotIn: (ast.In,),
}  # fmt: skip
ARITHMETIC: dict[type[ast.operator], tuple[type[ast.operator], ...]] = {
    ast.Add: (ast.Sub,), ast.Sub: (ast.Add,), ast.Mult: (ast.Div,), ast.Div: (ast.Mult,),
    ast.FloorDiv: (ast.Div,), ast.Mod: (ast.Mult,), ast.Pow: (ast.Mult,), ast.BitAnd: (ast.BitOr,),
    ast.BitOr: (ast.BitAnd,), ast.LShift: (ast.RShift,), ast.RShift: (ast.LShift,), ast.MatMult: (ast.Mult,),
}  # fmt: skip


Change = Callable[[], None]


@dataclass(frozen=True)
class Site:
    """Where one fault goes: a statement of a file by its number, one of its expressions, one of the changes.

    `place` is None where the whole statement is replaced.
    """

    path: Path
    statement: int
    place: int | None
    variant: int


@dataclass(frozen=True)
class Mutant:
    """One fault in one file: its line, the file's text before (as `ast` writes it) and after."""

    path: Path
    line: int
    before: str
    after: str

    def __str__(self) -> str:
        lines = difflib.unified_diff(self.before.splitlines(), self.after.splitlines(), lineterm="", n=1)
        changed = [line for line in lines if not line.startswith(("---", "+++", "@@"))]
        return f"{self.path}:{self.line}\n" + "\n".join(f"    {line}" for line in changed)


def sample(paths: list[Path], count: int, seed: int) -> list[Mutant]:
    """`count` mutants of all those of these files, drawn without replacement."""
    all_sites = [site for path in paths for site in sites(path)]
    random.Random(seed).shuffle(all_sites)
    made = (mutant_at(site) for site in all_sites)
    return list(itertools.islice((mutant for mutant in made if mutant is not None), count))


def sites(path: Path) -> list[Site]:
    """Every place and kind of a fault in a file; annotations, texts and imports are left alone."""
    found = []
    for number, statement in enumerate(_statements(ast.parse(path.read_text(encoding="utf-8")))):
        for place, node in enumerate(_expressions(statement)):
            found += [Site(path, number, place, variant) for variant in range(len(_changes(node)))]
        found += [Site(path, number, None, variant) for variant in range(len(_replacements(statement)))]
    return found


def mutant_at(site: Site) -> Mutant | None:
    """The mutant of a site; None where the fault leaves the text as it was."""
    tree = ast.parse(site.path.read_text(encoding="utf-8"))
    before = ast.unparse(tree)
    statement = list(_statements(tree))[site.statement]
    if site.place is None:
        _put(tree, statement, _replacements(statement)[site.variant])
    else:
        _changes(list(_expressions(statement))[site.place])[site.variant]()
    after = ast.unparse(ast.fix_missing_locations(tree))
    return None if after == before else Mutant(site.path, statement.lineno, before, after)


def _statements(tree: ast.Module) -> Iterator[ast.stmt]:
    """All statements, those under `if TYPE_CHECKING` and imports left out."""
    waiting: list[ast.stmt] = list(tree.body)
    while waiting:
        statement = waiting.pop(0)
        if isinstance(statement, ast.If) and "TYPE_CHECKING" in ast.unparse(statement.test):
            continue
        if isinstance(statement, ast.Import | ast.ImportFrom):
            continue
        yield statement
        for name in ("body", "orelse", "finalbody"):
            waiting += getattr(statement, name, [])
        for handler in getattr(statement, "handlers", []):
            waiting += handler.body


def _expressions(statement: ast.stmt) -> Iterator[ast.AST]:
    """The statement and its expressions, without annotations, f-strings and the statements inside it."""
    skipped = {"body", "orelse", "finalbody", "handlers", "annotation", "returns", "decorator_list", "bases"}
    waiting: list[ast.AST] = [statement]
    while waiting:
        node = waiting.pop(0)
        if isinstance(node, ast.JoinedStr):
            continue
        yield node
        for name, value in ast.iter_fields(node):
            if not (name in skipped and isinstance(node, ast.stmt | ast.arg)):
                children = value if isinstance(value, list) else [value]
                waiting += [child for child in children if isinstance(child, ast.AST)]


def _changes(node: ast.AST) -> list[Change]:
    """What can be done to one node."""
    if isinstance(node, ast.Compare):
        return [
            _setting(node, "ops", [*node.ops[:at], other(), *node.ops[at + 1 :]])
            for at, one in enumerate(node.ops)
            for other in COMPARISONS.get(type(one), ())
        ]
    if isinstance(node, ast.BinOp | ast.AugAssign):
        return [_setting(node, "op", other()) for other in ARITHMETIC.get(type(node.op), ())]
    if isinstance(node, ast.BoolOp):
        return [_setting(node, "op", ast.Or() if isinstance(node.op, ast.And) else ast.And())]
    if isinstance(node, ast.UnaryOp):
        if isinstance(node.op, ast.USub):
            return [_setting(node, "op", ast.UAdd())]
        return [_setting(node, "operand", ast.UnaryOp(node.op, node.operand))]  # twice is not at all
    if isinstance(node, ast.IfExp):
        return [_setting(node, "test", ast.UnaryOp(ast.Not(), node.test))]
    if isinstance(node, ast.Constant):
        if isinstance(node.value, bool):
            return [_setting(node, "value", not node.value)]
        if isinstance(node.value, int | float):
            return [_setting(node, "value", node.value + 1), _setting(node, "value", node.value - 1)]
    return []


def _setting(node: ast.AST, name: str, value: object) -> Change:
    return lambda: setattr(node, name, value)


def _replacements(statement: ast.stmt) -> list[ast.stmt]:
    """What a whole statement is replaced by: nothing, another value, the opposite condition, no rounds."""
    if isinstance(statement, ast.Return) and statement.value is not None:
        return [ast.Return(ast.Constant(None))]
    if isinstance(statement, ast.Expr) and not isinstance(statement.value, ast.Constant):
        return [ast.Pass()]
    if isinstance(statement, ast.AugAssign | ast.Raise):
        return [ast.Pass()]
    if isinstance(statement, ast.Continue | ast.Break):
        return [ast.Break() if isinstance(statement, ast.Continue) else ast.Continue()]
    changed = copy.deepcopy(statement)
    if isinstance(changed, ast.If | ast.While):
        changed.test = ast.UnaryOp(ast.Not(), changed.test)
        return [changed]
    if isinstance(changed, ast.For):
        changed.iter = ast.Tuple([], ast.Load())
        return [changed]
    return []


def _put(tree: ast.Module, statement: ast.stmt, replacement: ast.stmt) -> None:
    for node in ast.walk(tree):
        for _, value in ast.iter_fields(node):
            if isinstance(value, list) and any(item is statement for item in value):
                value[next(i for i, item in enumerate(value) if item is statement)] = replacement
                return
