"""The table of what can be differentiated is true: it knows every name of NumPy, and was made from the library as it is."""

import runpy
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import tapegrad as tg
from tapegrad import numpy as tnp
from tapegrad.errors import ConcretizationError, MissingRuleError

DOCS = Path(__file__).parents[1] / "docs"


@pytest.fixture(scope="module")
def made() -> dict[str, Any]:
    pytest.importorskip("scipy")
    return runpy.run_path(str(DOCS / "make_coverage.py"))


MODULES = pytest.mark.parametrize(
    ("module", "ours"), ((np, tnp), (np.linalg, tnp.linalg), (np.fft, tnp.fft)), ids=("numpy", "linalg", "fft")
)


@MODULES
def test_every_function_of_numpy_is_offered_or_known_to_be_absent(made: dict[str, Any], module: Any, ours: Any) -> None:
    rows = list(made["numpy_rows"](module, ours))  # raises for a name that is neither, or both
    assert [row.name for row in rows] == made["functions"](module)


@pytest.mark.parametrize("room", ("special", "linalg", "stats", "signal", "integrate"))
def test_every_function_of_scipy_is_offered_or_known_to_be_absent(made: dict[str, Any], room: str) -> None:
    assert made["scipy_absent"](room)  # raises for a name that is neither, or both


def test_the_table_in_the_documentation_is_up_to_date(made: dict[str, Any]) -> None:
    text = (DOCS / "coverage.md").read_text()
    if f"NumPy {made['VERSION']} and SciPy {made['SCIPY_VERSION']};" not in text:
        pytest.skip("the table was made with another version of NumPy or SciPy, which has other names")
    assert text == made["coverage"](), "run python docs/make_coverage.py"


def test_a_name_that_numpy_gains_is_noticed(made: dict[str, Any], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(np.linalg, "__all__", [*np.linalg.__all__, "added"])
    monkeypatch.setattr(np.linalg, "added", len, raising=False)
    with pytest.raises(ValueError, match="added is neither"):
        list(made["numpy_rows"](np.linalg, tnp.linalg))


def test_a_name_that_is_both_offered_and_absent_is_noticed(made: dict[str, Any], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tnp, "save", np.save, raising=False)
    with pytest.raises(ValueError, match="save is offered"):
        list(made["numpy_rows"](np, tnp))


@MODULES
def test_numpys_functions_without_stand_in_refuse_traced_values(made: dict[str, Any], module: Any, ours: Any) -> None:
    """What takes part in NumPy's protocol is either stood in for, or says on traced values that it is not."""
    for row in made["numpy_rows"](module, ours):
        function = getattr(module, row.name)
        if not row.plain and hasattr(function, "_implementation") and row.status != "absent":
            pytest.fail(
                f"{module.__name__}.{row.name} would say on traced values that it has no rule, but {row.name} is offered"
            )


def test_a_function_that_asks_for_plain_arrays_is_not_said_to_take_traced_values(made: dict[str, Any]) -> None:
    with pytest.raises(ConcretizationError):
        tg.grad(lambda x: np.sum(np.array(x)))(np.ones(3))
    plain = {row.name: row.plain for row in made["numpy_rows"](np, tnp)}
    assert not plain["array"]
    assert plain["stack"]
    assert plain["sin"]
    assert plain["divmod"]


@pytest.mark.parametrize("name", ("packbits", "save", "busday_count"))
def test_an_absent_function_says_so_on_traced_values(name: str) -> None:
    function = getattr(np, name)
    args: tuple[Any, ...] = {"save": ("nowhere",), "busday_count": ("2020-01-01",)}.get(name, ())
    with pytest.raises((MissingRuleError, ConcretizationError), match=rf"numpy\.{name}"):
        tg.grad(lambda x: function(*args, x))(np.ones(3))
