"""An ONNX graph being drawn: nodes and fixed numbers, each under a name of its own."""

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple, TypeAlias

import numpy as np
import numpy.typing as npt

from recurra.nn.exchange._conventions import import_onnx

_OPSET, _IR_VERSION = 17, 8
"""Of 2022: old enough for the runtimes that are about, new enough for the attribute layout (14)."""

Shape: TypeAlias = Sequence[str | int | None]


class Value(NamedTuple):
    """An input or output of a graph.

    Attributes:
        name: its name.
        dtype: of its numbers.
        shape: its sizes, a text or None where one is free.
    """

    name: str
    dtype: npt.DTypeLike
    shape: Shape


class Drawing:
    """Nodes and fixed numbers.

    Args:
        prefix: of the names of nodes, so that those of a graph inside another one are different.
    """

    def __init__(self, prefix: str = "") -> None:
        self.scope = ""
        """Stands before every name, so that the parts of a model do not share names."""
        self._helper = import_onnx().helper
        self._prefix = prefix
        self._nodes: list[Any] = []
        self._fixed: dict[str, npt.NDArray[Any]] = {}

    def put(self, name: str, numbers: npt.ArrayLike) -> str:
        """Fixed numbers under a name; the name with the scope."""
        name = self.scope + name
        self._fixed[name] = np.asarray(numbers)
        return name

    def add(self, operator: str, *inputs: str, name: str = "", **attributes: Any) -> str:
        """A node with one output; the output's name."""
        return self.add_many(operator, inputs, 1, name, **attributes)[0]

    def add_many(
        self, operator: str, inputs: Sequence[str], outputs: int, name: str = "", **attributes: Any
    ) -> list[str]:
        """A node with several outputs; their names."""
        name = self.scope + (name or f"{self._prefix}{operator}_{len(self._nodes)}")
        made = [name] if outputs == 1 else [f"{name}:{k}" for k in range(outputs)]
        self._nodes.append(self._helper.make_node(operator, list(inputs), made, name=name, **attributes))
        return made

    def transposed(self, value: str, *order: int) -> str:
        """A value with its axes in another order."""
        return self.add("Transpose", value, perm=list(order))

    def whole_numbers(self, *numbers: int) -> str:
        """Fixed whole numbers, as shapes and axes are given."""
        return self.put("_".join(["numbers", *map(str, numbers)]), np.array(numbers, np.int64))

    def graph(self, title: str, inputs: Sequence[Value], outputs: Sequence[Value]) -> Any:
        """What was drawn, as a GraphProto."""
        onnx, helper = import_onnx(), self._helper
        infos = [
            [
                helper.make_tensor_value_info(name, helper.np_dtype_to_tensor_dtype(np.dtype(dtype)), list(shape))
                for name, dtype, shape in values
            ]
            for values in (inputs, outputs)
        ]
        fixed = [onnx.numpy_helper.from_array(numbers, name) for name, numbers in self._fixed.items()]
        return helper.make_graph(self._nodes, title, *infos, fixed)

    def model(self, title: str, inputs: Sequence[Value], outputs: Mapping[str, Value]) -> Any:
        """What was drawn, as a ModelProto that ONNX has checked.

        Args:
            title: of the graph.
            inputs: of the model.
            outputs: the name so far -> the output of the model.
        """
        self.scope = ""
        for so_far, value in outputs.items():
            self.add("Identity", so_far, name=value.name)
        model = self._helper.make_model(
            self.graph(title, inputs, list(outputs.values())),
            opset_imports=[self._helper.make_opsetid("", _OPSET)],
            ir_version=_IR_VERSION,
            producer_name="recurra",
        )
        import_onnx().checker.check_model(model, full_check=True)
        return model
