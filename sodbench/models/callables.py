"""A network's callable, found by `package.module:callable` or `path/to/file.py:callable`, and called.

To find one runs the code of its module; SECURITY.md says when that is done.
"""

import functools
import importlib
import importlib.util
import inspect
import sys
import sysconfig
from collections.abc import Callable, Mapping
from pathlib import Path
from types import ModuleType
from typing import TYPE_CHECKING, Any, cast

from sodbench.errors import InputError, unknown_names

if TYPE_CHECKING:
    from torch import nn


def find_callable(spec: str, baseline: str) -> Callable[..., Any]:
    """The callable that `spec` names; `baseline` names the baseline in errors.

    Raises InputError for a module that cannot be imported, for a name that it does not have, and for a
    callable of Python's standard library (`os:system`), which makes no network.
    """
    module_name, _, attribute = spec.rpartition(":")
    if _names_standard_module(module_name):
        raise _no_network(baseline, spec)
    if module_name.endswith(".py"):
        module = _import_file(Path(module_name), baseline)
    else:
        module = _import_module(module_name, baseline)
    made = getattr(module, attribute, None)
    if not callable(made):
        names = [n for n in vars(module) if callable(getattr(module, n)) and not n.startswith("_")]
        raise InputError(f"{baseline}: {module_name}: {unknown_names('callable', [attribute], names)}")
    if not _may_make_a_network(made):
        raise _no_network(baseline, spec)
    return cast(Callable[..., Any], made)


def make_network(spec: str, options: Mapping[str, Any], baseline: str) -> "nn.Module":
    """Calls the callable; InputError where it does not take the options, fails or makes no network."""
    from torch import nn

    make = find_callable(spec, baseline)
    try:
        inspect.signature(make).bind(**options)
    except TypeError as error:
        raise InputError(f"{baseline}: the network {spec} does not take these options: {error}") from error
    except ValueError:  # a builtin without a signature
        pass
    try:
        network = make(**options)
    except InputError:
        raise
    except (Exception, SystemExit) as error:  # a user's code may raise anything
        raise InputError(f"{baseline}: {spec} failed: {one_line(error)}") from error
    if not isinstance(network, nn.Module):
        raise InputError(f"{baseline}: {spec} returned {type(network).__name__}; expected a torch.nn.Module")
    return network


def _names_standard_module(name: str) -> bool:
    """Whether a module's name is one of the standard library that no file of the user has taken."""
    top = name.partition(".")[0]
    if name.endswith(".py") or top not in sys.stdlib_module_names:
        return False
    return not any((Path.cwd() / place).exists() for place in (top, f"{top}.py"))


def _may_make_a_network(made: Any) -> bool:
    """Whether it is a network's class, or a Python callable that is none of the standard library's."""
    from torch import nn

    while isinstance(made, functools.partial):
        made = made.func
    made = inspect.unwrap(getattr(made, "__func__", made))
    if isinstance(made, type) and issubclass(made, nn.Module):
        return True
    if inspect.isbuiltin(made):
        return False
    home = made if isinstance(made, type) or inspect.isfunction(made) else type(made)
    file = getattr(sys.modules.get(home.__module__), "__file__", None)
    if file is None:
        return home.__module__.partition(".")[0] not in sys.stdlib_module_names
    standard = Path(sysconfig.get_path("stdlib"))
    inside = Path(file).is_relative_to(standard)
    return not inside or bool({"site-packages", "dist-packages"} & set(Path(file).parts))


def _no_network(baseline: str, spec: str) -> InputError:
    return InputError(
        f"{baseline}: {spec} belongs to Python itself; expected a class or a function of yours that returns "
        "a torch.nn.Module"
    )


def one_line(error: BaseException) -> str:
    """The error's type and the first line of its message."""
    first = next(iter(str(error).strip().splitlines()), "")
    return f"{type(error).__name__}: {first}" if first else type(error).__name__


def _import_module(name: str, baseline: str) -> ModuleType:
    here = str(Path.cwd())
    if here not in sys.path:  # a console script does not see the working folder, `python -m` does
        sys.path.insert(0, here)
    try:
        return importlib.import_module(name)
    except ImportError as error:
        raise InputError(
            f"{baseline}: cannot import {name!r} ({error}); run from the folder that holds it, install it, "
            "or give the file: path/to/file.py:callable"
        ) from error
    except (Exception, SystemExit) as error:  # a user's module may raise anything
        raise InputError(f"{baseline}: {name} cannot be imported ({one_line(error)})") from error


def _import_file(path: Path, baseline: str) -> ModuleType:
    if not path.is_file():
        raise InputError(f"{baseline}: {path}: no such Python file")
    spec = importlib.util.spec_from_file_location(f"sodbench_user_{path.stem}", path)
    if spec is None or spec.loader is None:
        raise InputError(f"{baseline}: {path}: not a Python file")
    module = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = module
    try:
        spec.loader.exec_module(module)
    except (Exception, SystemExit) as error:  # a user's module may raise anything
        raise InputError(f"{baseline}: {path} cannot be imported ({one_line(error)})") from error
    return module
