"""A whole ONNX model read for its recurrent operators: which numbers are fixed, and which operators make a stack."""

from collections.abc import Mapping, Sequence
from itertools import pairwise
from typing import Any

import numpy as np
import numpy.typing as npt

from recurra.errors import ConfigError
from recurra.nn.exchange._arrays import GATES
from recurra.nn.exchange._conventions import import_onnx
from recurra.nn.exchange._operator import Operator, read_operator

_STEPS, _ROWS = 3, 2
"""Of the numbers that are sent from one operator to the next to see what lies between."""


class Model:
    """The values of a model's main graph.

    Args:
        proto: a ModelProto.
    """

    def __init__(self, proto: Any) -> None:
        self._onnx = import_onnx()
        self._proto = proto
        self._nodes = list(proto.graph.node)
        self._maker = {made: at for at, node in enumerate(self._nodes) for made in node.output if made}
        self._initialisers = {tensor.name: tensor for tensor in proto.graph.initializer}

    def operators(self) -> list[Operator]:
        """The recurrent operators, in the order in which they are run.

        Raises:
            ConfigError, ShapeError: as `read_operator`; ConfigError also if there are none.
        """
        found = [read_operator(node, self.constant, self.first_state) for node in self._nodes if node.op_type in GATES]
        if not found:
            scans = any(node.op_type == "Scan" for node in self._nodes)
            why = "; it has Scan, a loop over nodes of any kind, which is not read back into a layer" if scans else ""
            raise ConfigError(f"the model has no operator RNN, LSTM or GRU in its main graph{why}")
        return found

    def constant(self, name: str) -> npt.NDArray[Any] | None:
        """The numbers of a value, if no input of the graph has a part in them."""
        if name in self._initialisers:
            read: npt.NDArray[Any] = self._onnx.numpy_helper.to_array(self._initialisers[name])
            return read
        return None if self._upstream(name, ())[1] else self._evaluate(name, {})

    def first_state(self, name: str) -> npt.NDArray[Any] | None:
        """A state that the model makes of the sizes of its inputs alone, as exporters write one that every row has.

        Returns:
            Its numbers for some rows; None if they are zeros, or come from the numbers of a call.

        Raises:
            ConfigError: if it is made of the sizes alone, and ONNX's evaluation cannot run it.
        """
        nodes, free = self._upstream(name, ())
        inputs = {value.name: value.type.tensor_type for value in self._proto.graph.input}
        if not free or not free <= inputs.keys() or not any(node.op_type == "Shape" for node in nodes):
            return None
        try:
            zeros, ones = (self._evaluate(name, {each: self._filled(inputs[each], n) for each in free}) for n in (0, 1))
        except Exception as error:  # the evaluation of each operator has its own
            if not self._comes_from_sizes(name):
                return None  # it reads the numbers of a call
            raise ConfigError(
                f"the state {name}, which the model makes of sizes alone, cannot be run: {error}; hand in the "
                "operator's node and its initialisers"
            ) from error
        return zeros if zeros.any() and np.array_equal(zeros, ones) else None

    def _comes_from_sizes(self, name: str) -> bool:
        """Whether no number of an input has a part in a value."""
        sizes = {size for node in self._nodes if node.op_type in ("Shape", "Size") for size in node.output}
        return self._upstream(name, tuple(sizes))[1] <= sizes

    def _filled(self, kind: Any, number: int) -> npt.NDArray[Any]:
        """A possible input, of one number throughout; free sizes are those of the rows."""
        sizes = [size.dim_value or _ROWS for size in kind.shape.dim]
        return np.full(sizes, number, self._onnx.helper.tensor_dtype_to_np_dtype(kind.elem_type))

    def check_stack(self, operators: Sequence[Operator]) -> None:
        """Refuse operators that are not one stack of layers.

        What lies between two of them is run on numbers, and must do what a stack does: put the outputs of both
        directions side by side, and no more.

        Raises:
            ConfigError: with the names of the two that do not follow each other.
        """
        for before, after in pairwise(operators):
            what = f"{before.name} and {after.name} are not two layers of one stack"
            remedy = "hand in one operator's node and its initialisers"
            if before.meaning != after.meaning:
                raise ConfigError(f"{what}: their attributes, sizes or lengths differ; {remedy}")
            if not self._follows(before, after):
                raise ConfigError(f"{what}: the second reads something else than the outputs of the first; {remedy}")

    def _follows(self, before: Operator, after: Operator) -> bool:
        Y, X = before.outputs[0] if before.outputs else "", after.inputs["X"]
        if self._upstream(X, (Y,))[1] != {Y}:
            return False
        D, H = len(before.weights), before.weights[0].w_hh.shape[1]
        sent = np.arange(_STEPS * _ROWS * D * H, dtype=before.weights[0].w_hh.dtype)
        expected = sent.reshape(_STEPS, _ROWS, D * H)
        given = expected.reshape(_STEPS, _ROWS, D, H)
        try:
            found = self._evaluate(X, {Y: given if before.batch_first else given.transpose(0, 2, 1, 3)})
        except Exception as error:
            raise ConfigError(f"what lies between {before.name} and {after.name} cannot be run: {error}") from error
        return np.array_equal(found, expected)

    def _upstream(self, name: str, known: Sequence[str]) -> tuple[list[Any], set[str]]:
        """The nodes that a value is made by, and the values they start from that are not fixed."""
        reached: set[int] = set()
        free, open_names = set(), [name]
        while open_names:
            each = open_names.pop()
            if each in known:
                free.add(each)
            elif each in self._maker:
                if self._maker[each] not in reached:
                    reached.add(self._maker[each])
                    open_names += [read for read in self._nodes[self._maker[each]].input if read]
            elif each not in self._initialisers:
                free.add(each)
        return [self._nodes[at] for at in sorted(reached)], free

    def _evaluate(self, name: str, given: Mapping[str, npt.NDArray[Any]]) -> npt.NDArray[Any]:
        """A value, from the initialisers and what is given, by ONNX's own slow evaluation."""
        from onnx.reference import ReferenceEvaluator

        helper = self._onnx.helper
        nodes, _ = self._upstream(name, tuple(given))
        read = {each for node in nodes for each in node.input}
        inputs = [
            helper.make_tensor_value_info(each, helper.np_dtype_to_tensor_dtype(value.dtype), value.shape)
            for each, value in given.items()
        ]
        output = helper.make_empty_tensor_value_info(name)
        fixed = [tensor for each, tensor in self._initialisers.items() if each in read]
        graph = helper.make_graph(nodes, "part", inputs, [output], fixed)
        part = helper.make_model(graph, opset_imports=self._proto.opset_import, ir_version=self._proto.ir_version)
        evaluator: Any = ReferenceEvaluator(part)
        found: npt.NDArray[Any] = evaluator.run([name], dict(given))[0]
        return found
